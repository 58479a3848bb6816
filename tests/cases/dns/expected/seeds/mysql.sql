-- Made by postkiln from the site. Confidential: holds password hashes. May be run again; see the manual on ownership.
SET NAMES utf8mb4;
SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';
-- The tables of the user database for MariaDB 10.11 or newer. README.md says what each column means and who writes it.
-- Every statement may be run again: each seed begins with this file.
--
-- utf8mb4_nopad_bin: names are compared octet by octet, a space at the end counts.

CREATE TABLE IF NOT EXISTS meta (
    name  VARCHAR(32)  NOT NULL PRIMARY KEY,
    value BIGINT       NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
INSERT IGNORE INTO meta (name, value) VALUES ('schema', 2), ('generation', 0);

CREATE TABLE IF NOT EXISTS domains (
    domain                 VARCHAR(253) NOT NULL PRIMARY KEY,
    postmaster             VARCHAR(64)  NOT NULL,
    managed                VARCHAR(16)  NOT NULL DEFAULT 'declared' CHECK (managed IN ('declared', 'delegated')),
    catch_all              VARCHAR(320) NOT NULL DEFAULT 'bounce-no-mailbox',
    max_users              BIGINT       CHECK (max_users >= 0),
    max_aliases            BIGINT       CHECK (max_aliases >= 0),
    max_forwards           BIGINT       CHECK (max_forwards >= 0),
    max_autoresponders     BIGINT       CHECK (max_autoresponders >= 0),
    max_lists              BIGINT       CHECK (max_lists >= 0),
    quota                  BIGINT       CHECK (quota >= 0),
    default_quota          BIGINT       CHECK (default_quota >= 0),
    default_quota_messages BIGINT       CHECK (default_quota_messages >= 0),
    deny_pop3              TINYINT      NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1)),
    deny_imap              TINYINT      NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1)),
    deny_webmail           TINYINT      NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1)),
    deny_submission        TINYINT      NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1)),
    deny_password_change   TINYINT      NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1))
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS alias_domains (
    alias  VARCHAR(253) NOT NULL PRIMARY KEY,
    domain VARCHAR(253) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS accounts (
    id                   CHAR(16)     NOT NULL PRIMARY KEY,
    domain               VARCHAR(253) NOT NULL,
    local                VARCHAR(64)  NOT NULL,
    home                 VARCHAR(253) NOT NULL,
    name                 TEXT         NOT NULL DEFAULT '',
    quota                BIGINT       CHECK (quota >= 0),
    quota_messages       BIGINT       CHECK (quota_messages >= 0),
    password             TEXT,
    password_owner       VARCHAR(16)  NOT NULL DEFAULT 'declared' CHECK (password_owner IN ('declared', 'own')),
    password_reset       BIGINT       NOT NULL DEFAULT 0,
    deny_pop3            TINYINT      NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1)),
    deny_imap            TINYINT      NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1)),
    deny_webmail         TINYINT      NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1)),
    deny_submission      TINYINT      NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1)),
    deny_password_change TINYINT      NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1)),
    admin                TINYINT      NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
    disabled             TINYINT      NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    owner                VARCHAR(16)  NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    enabled              TINYINT      NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created              BIGINT       NOT NULL,
    removed              BIGINT       CHECK (removed IS NULL OR enabled = 0),
    -- One account at a time has an address: rows with NULL here are no duplicates of one another.
    active               TINYINT      AS (IF(removed IS NULL, 1, NULL)) VIRTUAL,
    UNIQUE INDEX accounts_address (domain, local, active)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS aliases (
    domain   VARCHAR(253) NOT NULL,
    local    VARCHAR(255) NOT NULL,
    position INT          NOT NULL,
    line     TEXT         NOT NULL,
    owner    VARCHAR(16)  NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    PRIMARY KEY (domain, local, position)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS logins (
    account CHAR(16)     NOT NULL PRIMARY KEY,
    at      BIGINT       NOT NULL,
    peer    VARCHAR(64)  NOT NULL,
    service VARCHAR(16)  NOT NULL,
    FOREIGN KEY (account) REFERENCES accounts (id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
-- vpopmail's tables (5.4, one table for all domains) as views of ours, for MariaDB: for programs that read them. README.md
-- says what each column is made from. Every statement may be run again: each seed runs this file.

-- pw_gid, vpopmail's flags: 1 no password change, 2 no POP3, 4 no webmail, 8 no IMAP, 16 mail bounces, 2048 no
-- submission, 4096 administers the domain. 2078: all that a disabled account has.
CREATE VIEW IF NOT EXISTS vpopmail AS
SELECT
    a.local AS pw_name,
    a.domain AS pw_domain,
    coalesce(a.password, '*') AS pw_passwd,
    0 AS pw_uid,
    CASE WHEN a.disabled = 1 OR a.enabled = 0 THEN 2078 ELSE 0 END
        | a.deny_password_change | a.deny_pop3 * 2 | a.deny_webmail * 4 | a.deny_imap * 8 | a.deny_submission * 2048
        | a.admin * 4096 AS pw_gid,
    a.name AS pw_gecos,
    CONCAT('/data/mail/', a.home, '/', substr(a.id, 1, 2), '/', a.id) AS pw_dir,
    coalesce(nullif(concat_ws(',', CONCAT(nullif(a.quota, 0), 'S'), CONCAT(nullif(a.quota_messages, 0), 'C')), ''), 'NOQUOTA') AS pw_shell
FROM accounts AS a
WHERE a.removed IS NULL;

-- The line for a user's own mailbox names the Maildir: vpopmail knows no other in this table.
CREATE VIEW IF NOT EXISTS valias AS
SELECT
    v.local AS alias,
    v.domain AS domain,
    CASE WHEN v.line LIKE '|vdelivermail %' AND a.id IS NOT NULL THEN CONCAT('/data/mail/', a.home, '/', substr(a.id, 1, 2), '/', a.id, '/Maildir/') ELSE v.line END AS valias_line
FROM aliases AS v
LEFT JOIN accounts AS a ON a.domain = v.domain AND a.local = v.local AND a.removed IS NULL;

-- perm_*: 7 forbids a domain's administrators to create, modify and delete; what the site declares is its own.
CREATE VIEW IF NOT EXISTS limits AS
SELECT
    d.domain AS domain,
    coalesce(d.max_users, -1) AS maxpopaccounts,
    coalesce(d.max_aliases, -1) AS maxaliases,
    coalesce(d.max_forwards, -1) AS maxforwards,
    coalesce(d.max_autoresponders, -1) AS maxautoresponders,
    coalesce(d.max_lists, -1) AS maxmailinglists,
    coalesce(d.quota DIV 1048576, 0) AS diskquota,
    0 AS maxmsgcount,
    coalesce(d.default_quota, 0) AS defaultquota,
    coalesce(d.default_quota_messages, 0) AS defaultmaxmsgcount,
    d.deny_pop3 AS disable_pop,
    d.deny_imap AS disable_imap,
    0 AS disable_dialup,
    d.deny_password_change AS disable_passwordchanging,
    d.deny_webmail AS disable_webmail,
    1 AS disable_relay,
    d.deny_submission AS disable_smtp,
    0 AS disable_spamassassin,
    0 AS delete_spam,
    0 AS disable_maildrop,
    CASE d.managed WHEN 'delegated' THEN 0 ELSE 7 END AS perm_account,
    7 AS perm_alias,
    7 AS perm_forward,
    7 AS perm_autoresponder,
    7 AS perm_maillist,
    CASE d.managed WHEN 'delegated' THEN 0 ELSE 7 END AS perm_quota,
    7 AS perm_defaultquota
FROM domains AS d;

-- An account nobody logged in to shows its creation, as vpopmail does.
CREATE VIEW IF NOT EXISTS lastauth AS
SELECT
    a.local AS `user`,
    a.domain AS domain,
    coalesce(l.peer, '0.0.0.0') AS remote_ip,
    coalesce(l.at, a.created) AS `timestamp`
FROM accounts AS a
LEFT JOIN logins AS l ON l.account = a.id
WHERE a.removed IS NULL;

CREATE VIEW IF NOT EXISTS aliasdomains AS
SELECT alias, domain FROM alias_domains;

START TRANSACTION;
UPDATE meta SET value = value WHERE name = 'generation';
SET @schema = (SELECT value FROM meta WHERE name = 'schema');
SET @generation = (SELECT value FROM meta WHERE name = 'generation');
EXECUTE IMMEDIATE IF(@schema <> 2,
    'SIGNAL SQLSTATE ''45000'' SET MESSAGE_TEXT = ''this seed is for version 2 of the tables and the database has another''', 'DO 0');
EXECUTE IMMEDIATE IF(@generation > 0,
    'SIGNAL SQLSTATE ''45000'' SET MESSAGE_TEXT = ''the database is of a newer generation than this seed, which has 0''', 'DO 0');

DROP TEMPORARY TABLE IF EXISTS seed_domains;
CREATE TEMPORARY TABLE seed_domains (PRIMARY KEY (domain)) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin AS SELECT domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change FROM domains LIMIT 0;
INSERT INTO seed_domains (domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change) VALUES
('example.org', 'ada', 'declared', 'bounce-no-mailbox', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0),
('lists.example.org', 'grace', 'declared', 'bounce-no-mailbox', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, 0, 0, 0),
('silent.example', 'linus', 'declared', 'bounce-no-mailbox', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0);
DROP TEMPORARY TABLE IF EXISTS seed_alias_domains;
CREATE TEMPORARY TABLE seed_alias_domains (PRIMARY KEY (alias)) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin AS SELECT alias, domain FROM alias_domains LIMIT 0;
INSERT INTO seed_alias_domains (alias, domain) VALUES
('example.com', 'example.org');
DROP TEMPORARY TABLE IF EXISTS seed_accounts;
CREATE TEMPORARY TABLE seed_accounts (PRIMARY KEY (domain, local)) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin AS SELECT domain, local, password, password_reset, name, quota, quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change, admin, disabled FROM accounts LIMIT 0;
INSERT INTO seed_accounts (domain, local, password, password_reset, name, quota, quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change, admin, disabled) VALUES
('example.org', 'ada', '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54', 0, '', NULL, NULL, 0, 0, 0, 0, 0, 0, 0),
('lists.example.org', 'grace', '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54', 0, '', NULL, NULL, 1, 0, 0, 0, 0, 0, 0),
('silent.example', 'linus', '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54', 0, '', NULL, NULL, 0, 0, 0, 0, 0, 0, 0);
DROP TEMPORARY TABLE IF EXISTS seed_aliases;
CREATE TEMPORARY TABLE seed_aliases (PRIMARY KEY (domain, local, position)) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin AS SELECT domain, local, position, line FROM aliases LIMIT 0;
INSERT INTO seed_aliases (domain, local, position, line) VALUES
('example.org', 'postmaster', 1, '&ada@example.org'),
('lists.example.org', 'postmaster', 1, '&grace@lists.example.org'),
('silent.example', 'postmaster', 1, '&linus@silent.example');

-- Domains and alias domains: the site is the truth.
DELETE FROM domains WHERE NOT EXISTS (SELECT 1 FROM seed_domains AS s WHERE s.domain = domains.domain);
INSERT INTO domains (domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change) SELECT domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change FROM seed_domains
    ON DUPLICATE KEY UPDATE postmaster = VALUES(postmaster), managed = VALUES(managed), catch_all = VALUES(catch_all), max_users = VALUES(max_users), max_aliases = VALUES(max_aliases), max_forwards = VALUES(max_forwards), max_autoresponders = VALUES(max_autoresponders), max_lists = VALUES(max_lists), quota = VALUES(quota), default_quota = VALUES(default_quota), default_quota_messages = VALUES(default_quota_messages), deny_pop3 = VALUES(deny_pop3), deny_imap = VALUES(deny_imap), deny_webmail = VALUES(deny_webmail), deny_submission = VALUES(deny_submission), deny_password_change = VALUES(deny_password_change);
DELETE FROM alias_domains WHERE NOT EXISTS (SELECT 1 FROM seed_alias_domains AS s WHERE s.alias = alias_domains.alias);
INSERT INTO alias_domains (alias, domain) SELECT alias, domain FROM seed_alias_domains
    ON DUPLICATE KEY UPDATE domain = VALUES(domain);

-- Addresses: of those the site declares it is the truth; others made on the node stay.
DELETE FROM aliases WHERE owner <> 'declared'
    AND EXISTS (SELECT 1 FROM seed_aliases AS s WHERE s.domain = aliases.domain AND s.local = aliases.local);
DELETE FROM aliases WHERE owner = 'declared' AND NOT EXISTS (SELECT 1 FROM seed_aliases AS s WHERE s.domain = aliases.domain AND s.local = aliases.local AND s.position = aliases.position);
INSERT INTO aliases (domain, local, position, line) SELECT domain, local, position, line FROM seed_aliases
    ON DUPLICATE KEY UPDATE line = VALUES(line);

-- Gone from the site: no login and no delivery any more; row, mail and id stay.
UPDATE accounts SET enabled = 0, removed = unix_timestamp()
WHERE owner = 'declared' AND removed IS NULL
    AND NOT EXISTS (SELECT 1 FROM seed_accounts AS s WHERE s.domain = accounts.domain AND s.local = accounts.local);

-- Made on the node and declared now: the account is the site's, its password the person's.
UPDATE accounts JOIN seed_accounts AS s ON s.domain = accounts.domain AND s.local = accounts.local AND accounts.removed IS NULL
SET accounts.owner = 'declared', accounts.password_owner = 'own'
WHERE accounts.owner = 'runtime';

-- A password while it is the site's, or when the site raised `password.reset`.
UPDATE accounts JOIN seed_accounts AS s ON s.domain = accounts.domain AND s.local = accounts.local AND accounts.removed IS NULL
SET accounts.password = s.password
WHERE (accounts.password_owner = 'declared' OR s.password_reset > accounts.password_reset) AND NOT (accounts.password <=> s.password);
UPDATE accounts JOIN seed_accounts AS s ON s.domain = accounts.domain AND s.local = accounts.local AND accounts.removed IS NULL
SET accounts.password_owner = 'declared', accounts.password_reset = s.password_reset
WHERE s.password_reset > accounts.password_reset;

-- Still there: what the site declares.
UPDATE accounts JOIN seed_accounts AS s ON s.domain = accounts.domain AND s.local = accounts.local AND accounts.removed IS NULL
SET accounts.name = s.name, accounts.quota = s.quota, accounts.quota_messages = s.quota_messages, accounts.deny_pop3 = s.deny_pop3, accounts.deny_imap = s.deny_imap, accounts.deny_webmail = s.deny_webmail, accounts.deny_submission = s.deny_submission, accounts.deny_password_change = s.deny_password_change, accounts.admin = s.admin, accounts.disabled = s.disabled
WHERE (NOT (accounts.name <=> s.name) OR NOT (accounts.quota <=> s.quota) OR NOT (accounts.quota_messages <=> s.quota_messages) OR NOT (accounts.deny_pop3 <=> s.deny_pop3) OR NOT (accounts.deny_imap <=> s.deny_imap) OR NOT (accounts.deny_webmail <=> s.deny_webmail) OR NOT (accounts.deny_submission <=> s.deny_submission) OR NOT (accounts.deny_password_change <=> s.deny_password_change) OR NOT (accounts.admin <=> s.admin) OR NOT (accounts.disabled <=> s.disabled));

-- New, or back after it was gone: a new account with a new id.
INSERT INTO accounts (id, home, created, domain, local, password, password_reset, name, quota, quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change, admin, disabled)
SELECT lower(hex(random_bytes(8))), s.domain, unix_timestamp(), s.domain, s.local, s.password, s.password_reset, s.name, s.quota, s.quota_messages, s.deny_pop3, s.deny_imap, s.deny_webmail, s.deny_submission, s.deny_password_change, s.admin, s.disabled
FROM seed_accounts AS s
WHERE NOT EXISTS (SELECT 1 FROM accounts AS a WHERE s.domain = a.domain AND s.local = a.local AND a.removed IS NULL);

UPDATE meta SET value = 0 WHERE name = 'generation' AND value < 0;
DROP TEMPORARY TABLE seed_domains;
DROP TEMPORARY TABLE seed_alias_domains;
DROP TEMPORARY TABLE seed_accounts;
DROP TEMPORARY TABLE seed_aliases;
COMMIT;
