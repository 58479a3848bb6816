-- The tables of the user database for PostgreSQL 15 or newer. README.md says what each column means and who writes it.
-- Every statement may be run again: each seed begins with this file.

CREATE TABLE IF NOT EXISTS meta (
    name  text     NOT NULL PRIMARY KEY,
    value bigint   NOT NULL
);
INSERT INTO meta (name, value) VALUES ('schema', 2), ('generation', 0) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS domains (
    domain                 text     NOT NULL PRIMARY KEY,
    postmaster             text     NOT NULL,
    managed                text     NOT NULL DEFAULT 'declared' CHECK (managed IN ('declared', 'delegated')),
    catch_all              text     NOT NULL DEFAULT 'bounce-no-mailbox',
    max_users              bigint   CHECK (max_users >= 0),
    max_aliases            bigint   CHECK (max_aliases >= 0),
    max_forwards           bigint   CHECK (max_forwards >= 0),
    max_autoresponders     bigint   CHECK (max_autoresponders >= 0),
    max_lists              bigint   CHECK (max_lists >= 0),
    quota                  bigint   CHECK (quota >= 0),
    default_quota          bigint   CHECK (default_quota >= 0),
    default_quota_messages bigint   CHECK (default_quota_messages >= 0),
    deny_pop3              smallint NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1)),
    deny_imap              smallint NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1)),
    deny_webmail           smallint NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1)),
    deny_submission        smallint NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1)),
    deny_password_change   smallint NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1))
);

CREATE TABLE IF NOT EXISTS alias_domains (
    alias  text     NOT NULL PRIMARY KEY,
    domain text     NOT NULL
);

CREATE TABLE IF NOT EXISTS accounts (
    id                   text     NOT NULL PRIMARY KEY,
    domain               text     NOT NULL,
    local                text     NOT NULL,
    home                 text     NOT NULL,
    name                 text     NOT NULL DEFAULT '',
    quota                bigint   CHECK (quota >= 0),
    quota_messages       bigint   CHECK (quota_messages >= 0),
    password             text,
    password_owner       text     NOT NULL DEFAULT 'declared' CHECK (password_owner IN ('declared', 'own')),
    password_reset       bigint   NOT NULL DEFAULT 0,
    deny_pop3            smallint NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1)),
    deny_imap            smallint NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1)),
    deny_webmail         smallint NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1)),
    deny_submission      smallint NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1)),
    deny_password_change smallint NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1)),
    admin                smallint NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
    disabled             smallint NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    owner                text     NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    enabled              smallint NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created              bigint   NOT NULL,
    removed              bigint   CHECK (removed IS NULL OR enabled = 0)
);

-- One account at a time has an address.
CREATE UNIQUE INDEX IF NOT EXISTS accounts_address ON accounts (domain, local) WHERE removed IS NULL;

CREATE TABLE IF NOT EXISTS aliases (
    domain   text     NOT NULL,
    local    text     NOT NULL,
    position integer  NOT NULL,
    line     text     NOT NULL,
    owner    text     NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    PRIMARY KEY (domain, local, position)
);

CREATE TABLE IF NOT EXISTS logins (
    account text     NOT NULL PRIMARY KEY REFERENCES accounts (id),
    at      bigint   NOT NULL,
    peer    text     NOT NULL,
    service text     NOT NULL
);
