-- Made by postkiln from the site. Confidential: holds password hashes. May be run again; see the manual on ownership.
SET NAMES utf8mb4;
SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';
-- schemas/database/tables.mysql.sql stands here
-- schemas/database/views.mysql.sql stands here

START TRANSACTION;
UPDATE meta SET value = value WHERE name = 'generation';
DROP TEMPORARY TABLE IF EXISTS seed_refusal;
CREATE TEMPORARY TABLE seed_refusal (
    name VARCHAR(32), value BIGINT,
    CONSTRAINT `this seed is for version 2 of the tables, the database is not`
        CHECK (name <> 'schema' OR value = 2),
    CONSTRAINT `the database is of a newer generation than this seed`
        CHECK (name <> 'generation' OR value <= 0)
);
INSERT INTO seed_refusal (name, value) SELECT name, value FROM meta;
DROP TEMPORARY TABLE seed_refusal;

DROP TEMPORARY TABLE IF EXISTS seed_domains;
CREATE TEMPORARY TABLE seed_domains (PRIMARY KEY (domain)) AS SELECT domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change FROM domains LIMIT 0;
INSERT INTO seed_domains (domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change) VALUES
('example.org', 'ada', 'declared', 'bounce-no-mailbox', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0);
DROP TEMPORARY TABLE IF EXISTS seed_alias_domains;
CREATE TEMPORARY TABLE seed_alias_domains (PRIMARY KEY (alias)) AS SELECT alias, domain FROM alias_domains LIMIT 0;
DROP TEMPORARY TABLE IF EXISTS seed_accounts;
CREATE TEMPORARY TABLE seed_accounts (PRIMARY KEY (domain, local)) AS SELECT domain, local, password, password_reset, name, quota, quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change, admin, disabled FROM accounts LIMIT 0;
INSERT INTO seed_accounts (domain, local, password, password_reset, name, quota, quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change, admin, disabled) VALUES
('example.org', 'ada', '$argon2id$v=19$m=19456,t=2,p=1$YnF2YzFWOTRMUTR4VEIyMg$B4xzOGKwcL6TeKBTuQo+GmOfU4u2cslhSDMmVTUXGnc', 0, 'Ada Lovelace', NULL, NULL, 0, 0, 0, 0, 0, 0, 0);
DROP TEMPORARY TABLE IF EXISTS seed_aliases;
CREATE TEMPORARY TABLE seed_aliases (PRIMARY KEY (domain, local, position)) AS SELECT domain, local, position, line FROM aliases LIMIT 0;
INSERT INTO seed_aliases (domain, local, position, line) VALUES
('example.org', 'postmaster', 1, '&ada@example.org');

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
