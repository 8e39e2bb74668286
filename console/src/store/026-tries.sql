-- How often a platform has answered that it wants to be asked about a link later.
ALTER TABLE short_links ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
