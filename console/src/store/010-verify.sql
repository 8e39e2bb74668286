-- Names that somebody says are safe, the evidence, and who agreed.
CREATE TABLE proposals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    registrable TEXT NOT NULL,
    -- What is below the name is covered too.
    below INTEGER NOT NULL,
    senders TEXT NOT NULL,
    category TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    proposed INTEGER NOT NULL,
    -- Its owner shows it as ztsms-verify=TOKEN.
    token TEXT NOT NULL,
    -- How long a verdict holds, in seconds.
    holds INTEGER NOT NULL,
    -- open, verified, suspended, rejected, ended
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    changed INTEGER NOT NULL,
    -- The evidence that it was verified by.
    baseline INTEGER REFERENCES evidence (id),
    -- When the network was last asked, and since when it has not answered.
    looked INTEGER,
    silent INTEGER
) STRICT;
CREATE UNIQUE INDEX proposals_standing ON proposals (host) WHERE state IN ('open', 'verified', 'suspended');

CREATE TABLE evidence (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    proposal INTEGER NOT NULL REFERENCES proposals (id),
    collected INTEGER NOT NULL,
    found TEXT NOT NULL
) STRICT;
CREATE INDEX evidence_of ON evidence (proposal, id);

-- Who agreed, since it was last opened. One who agrees twice is one.
CREATE TABLE approvals (
    proposal INTEGER NOT NULL REFERENCES proposals (id),
    author TEXT NOT NULL,
    approved INTEGER NOT NULL,
    reason TEXT NOT NULL,
    evidence INTEGER NOT NULL REFERENCES evidence (id),
    PRIMARY KEY (proposal, author)
) STRICT;

-- The decisions that a verification made.
CREATE TABLE verified (
    decision INTEGER PRIMARY KEY REFERENCES decisions (id),
    proposal INTEGER NOT NULL REFERENCES proposals (id)
) STRICT;
CREATE INDEX verified_by ON verified (proposal);
