-- Times are Unix seconds.

-- What was done, by whom, each line bound to the one before.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    author TEXT NOT NULL,
    via TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- Local decisions. One that is not ended is in force; at most one a pattern.
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pattern TEXT NOT NULL,
    verdict TEXT NOT NULL,
    category TEXT NOT NULL,
    senders TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    decided INTEGER NOT NULL,
    expires INTEGER,
    -- The one that stood there before.
    replaces INTEGER REFERENCES decisions (id),
    ended INTEGER,
    ended_by TEXT,
    ended_why TEXT
) STRICT;
CREATE UNIQUE INDEX decisions_in_force ON decisions (pattern) WHERE ended IS NULL;
CREATE INDEX decisions_by_time ON decisions (decided);

-- Lists by others and by ourselves.
CREATE TABLE sources (
    name TEXT PRIMARY KEY,
    place TEXT NOT NULL,
    lends TEXT NOT NULL,
    category TEXT NOT NULL,
    priority INTEGER NOT NULL,
    every INTEGER NOT NULL,
    ttl INTEGER,
    least_share REAL NOT NULL,
    most_growth REAL NOT NULL,
    most_octets INTEGER NOT NULL,
    licence TEXT NOT NULL,
    added INTEGER NOT NULL,
    -- The version that counts; none: nothing imported yet, or gone back from the first.
    version INTEGER,
    suspended TEXT,
    checked INTEGER,
    trouble TEXT,
    etag TEXT,
    modified TEXT
) STRICT;

-- What was imported, newest last. The entries are in DIR/lists under their SHA-256.
CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    imported INTEGER NOT NULL,
    format TEXT NOT NULL,
    entries INTEGER NOT NULL,
    bad INTEGER NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    ends INTEGER,
    problems TEXT NOT NULL,
    -- Why it does not count until somebody says so.
    held TEXT
) STRICT;
CREATE INDEX versions_of ON versions (source, id);

-- Names that no feed may call dangerous without a person.
CREATE TABLE protected (
    host TEXT PRIMARY KEY,
    why TEXT NOT NULL,
    author TEXT NOT NULL,
    added INTEGER NOT NULL
) STRICT;

-- What feeds call dangerous at or below a protected name: for triage.
CREATE TABLE conflicts (
    pattern TEXT NOT NULL,
    source TEXT NOT NULL,
    protected TEXT NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (pattern, source)
) STRICT;

-- Senders that may carry links to their own hosts and to no other.
CREATE TABLE senders (
    sender TEXT PRIMARY KEY,
    hosts TEXT NOT NULL,
    author TEXT NOT NULL,
    added INTEGER NOT NULL
) STRICT;

-- What is wrong now and somebody should look at.
CREATE TABLE alarms (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;

-- Small facts: what the snapshot in force was built from.
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
