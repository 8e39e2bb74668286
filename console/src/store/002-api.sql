-- Keys of the API. What is kept of a key is the SHA-256 of its 32 octets.
CREATE TABLE keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    -- Separated by spaces.
    scopes TEXT NOT NULL,
    networks TEXT NOT NULL,
    -- A JSON array: a sender may have spaces.
    senders TEXT NOT NULL,
    -- Messages a second; 0: no limit.
    rate INTEGER NOT NULL,
    author TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    -- The key that this one takes the place of.
    replaces INTEGER REFERENCES keys (id),
    revoked INTEGER,
    used INTEGER
) STRICT;

-- What subscribers reported. No text, no number.
CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    key INTEGER NOT NULL,
    -- The caller's own name of it.
    client TEXT,
    -- Keyed hash of the report, to tell a repetition from another report of that name.
    print BLOB NOT NULL,
    -- Pseudonyms; a sender that is a name stays.
    reporter TEXT,
    sender TEXT,
    UNIQUE (key, client)
) STRICT;
CREATE INDEX reports_by_time ON reports (time);

-- The links of a report: the host, and the path where the host is a platform and says nothing. Never a query.
CREATE TABLE report_links (
    report INTEGER NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    registrable TEXT NOT NULL,
    path TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX report_links_of ON report_links (report);
CREATE INDEX report_links_by_name ON report_links (registrable);
