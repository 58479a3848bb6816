-- People's accounts. See README.md for who writes which column.
-- Every statement may be run again: the seed of each bundle begins with this file.

CREATE TABLE IF NOT EXISTS accounts (
    -- Sixteen lower-case hexadecimal digits, random, never used again: names the mail directory.
    id             TEXT    NOT NULL PRIMARY KEY,
    -- Lower case, as the keys of addresses are compared.
    domain         TEXT    NOT NULL,
    local          TEXT    NOT NULL,
    -- The person's name.
    name           TEXT    NOT NULL DEFAULT '',
    -- Octets of mail; NULL without a limit.
    quota          INTEGER CHECK (quota >= 0),
    -- A hash in crypt form; NULL: nobody can log in.
    password       TEXT,
    -- 'declared': the site's first value stands. 'own': the person changed it, no seed touches it.
    password_owner TEXT    NOT NULL DEFAULT 'declared' CHECK (password_owner IN ('declared', 'own')),
    -- 'declared': the site is the truth. 'runtime': made on the node, no seed removes it.
    owner          TEXT    NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    -- 0: no login, no delivery.
    enabled        INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    -- Unix seconds.
    created        INTEGER NOT NULL,
    -- Unix seconds when the address went out of the site; the row and the mail stay, the address is free.
    removed        INTEGER CHECK (removed IS NULL OR enabled = 0)
) STRICT;

-- One account at a time has an address.
CREATE UNIQUE INDEX IF NOT EXISTS accounts_address ON accounts (domain, local) WHERE removed IS NULL;

-- The last successful login (vpopmail's lastauth), one row per account.
CREATE TABLE IF NOT EXISTS lastauth (
    account TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id),
    -- Unix seconds.
    at      INTEGER NOT NULL,
    -- The client's address in text form.
    peer    TEXT    NOT NULL,
    -- 'submission', 'imap', 'pop3'.
    service TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
