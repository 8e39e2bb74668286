-- Messages that look alike: their masked texts have sums (SimHash) of at most three bits' distance. Four quarters of the sum are the index:
-- of two that differ in three bits, one quarter is the same.
CREATE TABLE campaigns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    simhash INTEGER NOT NULL,
    q0 INTEGER NOT NULL,
    q1 INTEGER NOT NULL,
    q2 INTEGER NOT NULL,
    q3 INTEGER NOT NULL,
    sketch TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;
CREATE INDEX campaigns_q0 ON campaigns (q0);
CREATE INDEX campaigns_q1 ON campaigns (q1);
CREATE INDEX campaigns_q2 ON campaigns (q2);
CREATE INDEX campaigns_q3 ON campaigns (q3);
CREATE INDEX campaigns_by_age ON campaigns (last);

-- Unknown hosts in them; campaign 0 is of texts that say too little.
CREATE TABLE triage (
    host TEXT NOT NULL,
    campaign INTEGER NOT NULL,
    domain TEXT NOT NULL,
    platform INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    -- 1 a name, 2 a short code, 4 a number, 8 from a phone; added up.
    kinds INTEGER NOT NULL,
    -- Different deliveries, a sketch.
    deliveries BLOB NOT NULL,
    -- Links with how often each, JSON.
    links TEXT NOT NULL,
    -- Decided by this decision; put off until then.
    decision INTEGER REFERENCES decisions (id),
    later INTEGER,
    PRIMARY KEY (host, campaign)
) STRICT, WITHOUT ROWID;
CREATE INDEX triage_by_age ON triage (last);
CREATE INDEX triage_by_campaign ON triage (campaign);

-- Messages by the hour (since 1970); host '' is the whole campaign.
CREATE TABLE triage_hours (
    host TEXT NOT NULL,
    campaign INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (host, campaign, hour)
) STRICT, WITHOUT ROWID;
