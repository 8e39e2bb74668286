-- Rules of filters' policies that only observe until somebody lets them act again.
CREATE TABLE suspended_rules (
    name TEXT PRIMARY KEY,
    why TEXT NOT NULL,
    author TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;
