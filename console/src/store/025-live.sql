-- What a provider of verdicts says of unknown hosts: those that wait for their turn (`due`), and its answers until they end.
CREATE TABLE live_hosts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL UNIQUE,
    seen INTEGER NOT NULL,
    due INTEGER,
    -- safe, unknown, dangerous; none where it could not be asked, and why.
    verdict TEXT,
    category TEXT NOT NULL DEFAULT '',
    why TEXT,
    -- Its `dangerous` counts.
    lends INTEGER NOT NULL DEFAULT 0,
    ends INTEGER
) STRICT;
CREATE INDEX live_hosts_due ON live_hosts (due) WHERE due IS NOT NULL;
CREATE INDEX live_hosts_ends ON live_hosts (ends) WHERE ends IS NOT NULL;
