-- Made by postkiln from the site. Confidential: holds password hashes. May be run again: see the site's manual on ownership.
PRAGMA temp_store = MEMORY;
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

BEGIN IMMEDIATE;
CREATE TEMP TABLE seed (
    domain TEXT NOT NULL, local TEXT NOT NULL, name TEXT NOT NULL, quota INTEGER, password TEXT,
    PRIMARY KEY (domain, local)
) WITHOUT ROWID;
INSERT INTO temp.seed VALUES
('example.org', 'ada', '', NULL, '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54'),
('lists.example.org', 'grace', '', NULL, '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54'),
('silent.example', 'linus', '', NULL, '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54');

-- Gone from the site: no login and no delivery any more; row, mail and id stay.
UPDATE accounts SET enabled = 0, removed = unixepoch()
WHERE owner = 'declared' AND removed IS NULL
    AND NOT EXISTS (SELECT 1 FROM temp.seed AS s WHERE s.domain = accounts.domain AND s.local = accounts.local);

-- Still there: what the site declares; a password only while it is the site's.
UPDATE accounts SET
    name = s.name,
    quota = s.quota,
    password = CASE WHEN accounts.owner = 'declared' AND accounts.password_owner = 'declared'
        THEN s.password ELSE accounts.password END,
    password_owner = CASE WHEN accounts.owner = 'declared' THEN accounts.password_owner ELSE 'own' END,
    owner = 'declared'
FROM temp.seed AS s
WHERE accounts.domain = s.domain AND accounts.local = s.local AND accounts.removed IS NULL
    AND (accounts.name IS NOT s.name OR accounts.quota IS NOT s.quota OR accounts.owner <> 'declared'
        OR (accounts.password_owner = 'declared' AND accounts.password IS NOT s.password));

-- New, or back after it was gone: a new account with a new id.
INSERT INTO accounts (id, domain, local, name, quota, password, created)
SELECT lower(hex(randomblob(8))), s.domain, s.local, s.name, s.quota, s.password, unixepoch()
FROM temp.seed AS s
WHERE NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.domain = s.domain AND a.local = s.local AND a.removed IS NULL);

DROP TABLE temp.seed;
COMMIT;
