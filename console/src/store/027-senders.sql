-- Messages to phones by the name that sent them and the registrable domain of a link that was not dangerous, over all days: whose hosts are
-- used most. `days` are those on which there was one, `last` the newest (since 1970, UTC).
CREATE TABLE census_senders (
    sender TEXT NOT NULL,
    domain TEXT NOT NULL,
    messages INTEGER NOT NULL,
    days INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (sender, domain)
) STRICT, WITHOUT ROWID;
