-- The tables of the user database for SQLite 3.38 or newer. README.md says what each column means and who writes it.
-- Every statement may be run again: each seed begins with this file.

CREATE TABLE IF NOT EXISTS meta (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('schema', 2), ('generation', 0) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS domains (
    domain                 TEXT    NOT NULL PRIMARY KEY,
    postmaster             TEXT    NOT NULL,
    managed                TEXT    NOT NULL DEFAULT 'declared' CHECK (managed IN ('declared', 'delegated')),
    catch_all              TEXT    NOT NULL DEFAULT 'bounce-no-mailbox',
    max_users              INTEGER CHECK (max_users >= 0),
    max_aliases            INTEGER CHECK (max_aliases >= 0),
    max_forwards           INTEGER CHECK (max_forwards >= 0),
    max_autoresponders     INTEGER CHECK (max_autoresponders >= 0),
    max_lists              INTEGER CHECK (max_lists >= 0),
    quota                  INTEGER CHECK (quota >= 0),
    default_quota          INTEGER CHECK (default_quota >= 0),
    default_quota_messages INTEGER CHECK (default_quota_messages >= 0),
    deny_pop3              INTEGER NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1)),
    deny_imap              INTEGER NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1)),
    deny_webmail           INTEGER NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1)),
    deny_submission        INTEGER NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1)),
    deny_password_change   INTEGER NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS alias_domains (
    alias  TEXT NOT NULL PRIMARY KEY,
    domain TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS accounts (
    id                   TEXT    NOT NULL PRIMARY KEY,
    domain               TEXT    NOT NULL,
    local                TEXT    NOT NULL,
    home                 TEXT    NOT NULL,
    name                 TEXT    NOT NULL DEFAULT '',
    quota                INTEGER CHECK (quota >= 0),
    quota_messages       INTEGER CHECK (quota_messages >= 0),
    password             TEXT,
    password_owner       TEXT    NOT NULL DEFAULT 'declared' CHECK (password_owner IN ('declared', 'own')),
    password_reset       INTEGER NOT NULL DEFAULT 0,
    deny_pop3            INTEGER NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1)),
    deny_imap            INTEGER NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1)),
    deny_webmail         INTEGER NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1)),
    deny_submission      INTEGER NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1)),
    deny_password_change INTEGER NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1)),
    admin                INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
    disabled             INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    owner                TEXT    NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    enabled              INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created              INTEGER NOT NULL,
    removed              INTEGER CHECK (removed IS NULL OR enabled = 0)
) STRICT;

-- One account at a time has an address.
CREATE UNIQUE INDEX IF NOT EXISTS accounts_address ON accounts (domain, local) WHERE removed IS NULL;

CREATE TABLE IF NOT EXISTS aliases (
    domain   TEXT    NOT NULL,
    local    TEXT    NOT NULL,
    position INTEGER NOT NULL,
    line     TEXT    NOT NULL,
    owner    TEXT    NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    PRIMARY KEY (domain, local, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS logins (
    account TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id),
    at      INTEGER NOT NULL,
    peer    TEXT    NOT NULL,
    service TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
