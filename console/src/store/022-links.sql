-- Short links: those that wait for their turn (`due`), and where the others lead. What has ended is forgotten.
CREATE TABLE short_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Key string, `host/path`, and the URL that is asked.
    link TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    -- The platform, as the recipes have it.
    platform TEXT NOT NULL,
    seen INTEGER NOT NULL,
    -- When to ask; none: it was asked.
    due INTEGER,
    -- The first URL on no platform, and its host; none where the way ended before, and why.
    target TEXT,
    host TEXT,
    why TEXT,
    -- Who made the link may change where it leads.
    editable INTEGER NOT NULL DEFAULT 1,
    asked INTEGER,
    ends INTEGER
) STRICT;
CREATE INDEX short_links_due ON short_links (due) WHERE due IS NOT NULL;
CREATE INDEX short_links_ends ON short_links (ends) WHERE ends IS NOT NULL;
CREATE INDEX short_links_of ON short_links (platform);
