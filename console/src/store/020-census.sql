-- How far each stream of the filter was read: written in one transaction with what it came to.
CREATE TABLE followed (
    stream TEXT PRIMARY KEY,
    segment TEXT NOT NULL,
    octets INTEGER NOT NULL,
    records INTEGER NOT NULL,
    -- Stretches that were no block, records that were not what they should be, segments that were gone before they were read.
    cuts INTEGER NOT NULL,
    strange INTEGER NOT NULL,
    gone INTEGER NOT NULL
) STRICT;

-- Messages to phones, a row a day (days since 1970, UTC).
CREATE TABLE census_days (
    day INTEGER PRIMARY KEY,
    messages INTEGER NOT NULL,
    safe INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    dangerous INTEGER NOT NULL,
    -- Messages from phones, copies that were left out, and rows that would have been too many.
    from_phones INTEGER NOT NULL,
    copies INTEGER NOT NULL,
    beyond INTEGER NOT NULL,
    recipients BLOB NOT NULL
) STRICT;

-- Messages by host, verdict and reason at their time.
CREATE TABLE census_hosts (
    day INTEGER NOT NULL,
    host TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    domain TEXT NOT NULL,
    messages INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (day, host, verdict, reason)
) STRICT, WITHOUT ROWID;

-- Messages that were unknown, by their hosts that were (in order, separated by spaces): one is known when all of them are.
CREATE TABLE census_open (
    day INTEGER NOT NULL,
    hosts TEXT NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (day, hosts)
) STRICT, WITHOUT ROWID;

-- Registrable domains, over all days: who got a link to one and who sent it, as sketches.
CREATE TABLE census_domains (
    domain TEXT PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    recipients BLOB NOT NULL,
    senders BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Names that somebody would have safe, in bulk: from a register or the census.
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    owner TEXT NOT NULL,
    category TEXT NOT NULL,
    senders TEXT NOT NULL,
    origin TEXT NOT NULL,
    author TEXT NOT NULL,
    proposed INTEGER NOT NULL,
    -- Who agreed first and second; two people.
    first TEXT,
    second TEXT,
    -- open, approved, refused
    state TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX candidates_open ON candidates (host) WHERE state = 'open';

-- Every time that filters were let act: with what share of unknown links, and who forced it.
CREATE TABLE gates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    author TEXT NOT NULL,
    share REAL,
    most REAL NOT NULL,
    forced TEXT
) STRICT;
