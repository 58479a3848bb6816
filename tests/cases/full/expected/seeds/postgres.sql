-- Made by postkiln from the site. Confidential: holds password hashes. May be run again; see the manual on ownership.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL client_encoding = 'UTF8';
SET LOCAL standard_conforming_strings = on;
DO $$ BEGIN PERFORM pg_advisory_xact_lock(7867651128352272); END $$;
DO $$ BEGIN
    IF to_regclass('meta') IS NOT NULL THEN
        IF (SELECT value FROM meta WHERE name = 'schema') <> 2 THEN RAISE EXCEPTION 'this seed is for version 2 of the tables and the database has another'; END IF;
        IF (SELECT value FROM meta WHERE name = 'generation') > 1 THEN RAISE EXCEPTION 'the database is of a newer generation than this seed, which has 1'; END IF;
    END IF;
END $$;
-- schemas/database/tables.postgres.sql stands here
-- schemas/database/views.postgres.sql stands here

CREATE TEMP TABLE seed_domains ON COMMIT DROP AS SELECT domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change FROM domains LIMIT 0;
INSERT INTO seed_domains (domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change) VALUES
('club.example', 'emmy', 'delegated', 'bounce-no-mailbox', 200, 100, 0, NULL, 3, NULL, 524288000, NULL, 1, 0, 0, 1, 1),
('example.org', 'ada', 'declared', 'bounce-no-mailbox', 50, 40, 10, 5, 10, 536870912000, 5368709120, 50000, 0, 0, 0, 0, 0),
('press.example', 'postmaster', 'declared', 'delete', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 1, 1, 1, 0),
('shop.example', 'counter', 'declared', 'counter@shop.example', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0);
CREATE UNIQUE INDEX ON seed_domains (domain);
ANALYZE seed_domains;
CREATE TEMP TABLE seed_alias_domains ON COMMIT DROP AS SELECT alias, domain FROM alias_domains LIMIT 0;
INSERT INTO seed_alias_domains (alias, domain) VALUES
('example.net', 'example.org');
CREATE UNIQUE INDEX ON seed_alias_domains (alias);
ANALYZE seed_alias_domains;
CREATE TEMP TABLE seed_accounts ON COMMIT DROP AS SELECT domain, local, password, password_reset, name, quota, quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change, admin, disabled FROM accounts LIMIT 0;
INSERT INTO seed_accounts (domain, local, password, password_reset, name, quota, quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change, admin, disabled) VALUES
('club.example', 'emmy', '$6$emmy$tUi5I4HCXlzZidKAztYwrO9wXIpQXPL7ZVQrroeUQapNvbjYFRdSsnpXKfi3Y54ecc2uzQecSKzsEZ7uP7sxx.', 0, 'Emmy Noether', 524288000, NULL, 1, 0, 0, 1, 1, 1, 0),
('club.example', 'sofya', '$6$sofya$Xey3E/KqwsQHhwHBFWdL4VrgKE0TAmCvMxiMbwezhG.ouR7KKSZr1Fg9z6hu9Lcv7NNBJKs8L6M0SRie/t77a/', 0, 'Sofya Kovalevskaya', 524288000, NULL, 1, 0, 0, 1, 1, 0, 0),
('example.org', 'ada', '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54', 0, 'Ada Lovelace', 21474836480, 200000, 0, 0, 0, 0, 0, 1, 0),
('example.org', 'alan', NULL, 0, 'Alan Turing', 5368709120, 50000, 0, 0, 0, 0, 0, 0, 0),
('example.org', 'annie', '$6$annie$CUxIleQNKiQUZQ6XdX7.NpwjuMztLfKfc5eJYRp7PRIK6BS4LK9sUSNWSnkPeVizo8uXPzPQYokmR6JSIxmW01', 0, 'Annie Easley', 5368709120, 50000, 1, 0, 1, 0, 0, 0, 0),
('example.org', 'dorothy', '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54', 0, 'Dorothy Vaughan', 5368709120, 50000, 0, 0, 0, 1, 0, 0, 0),
('example.org', 'edsger', '$6$edsger$..6fWy7bEi9B.g9chhBfIZfUFAe8MsUkK524n9DvKkCpdxl01GqVIJ0KfsAMawIo9ZM6OPFaaqdXPimqNZRam1', 0, 'Edsger Dijkstra', 5368709120, 50000, 0, 0, 0, 0, 0, 0, 1),
('example.org', 'grace', NULL, 1, 'Grace Hopper', 5368709120, 50000, 0, 0, 0, 0, 0, 0, 0),
('example.org', 'hedy', '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54', 0, 'Hedy Lamarr', 5368709120, 50000, 0, 0, 0, 0, 0, 0, 1),
('example.org', 'joan', '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54', 0, 'Joan Clarke', 5368709120, 50000, 1, 1, 1, 0, 1, 0, 0),
('example.org', 'katherine', '$6$katherine$2y.nJj/lVzP6lQRSg2W.TtTqlwWiWpN5VP3wWIq6oXzR2r9sAEFW/wNMaP3Nel6bR97dO/Tq9FPylVLa1Elvy1', 1, 'Katherine Johnson', 10737418240, 100000, 0, 0, 0, 0, 0, 1, 0),
('example.org', 'kathleen', NULL, 0, 'Booth, Kathleen', 1073741824, 50000, 0, 0, 0, 0, 0, 0, 0),
('example.org', 'mary', '$6$mary$QZuMcJfgtVKzv1UxC.H.WyxlxqWCdDvIMY1nrs.HsGummh0C4.y1lR/7P//.nUBUV89yKTBTYJ22yVHiKQ93f/', 0, 'Mary Jackson', 5368709120, 50000, 0, 0, 0, 0, 0, 0, 0),
('press.example', 'postmaster', NULL, 0, '', NULL, NULL, 1, 1, 1, 1, 0, 0, 0),
('shop.example', 'counter', '$argon2id$v=19$m=19456,t=2,p=1$TlJqZzRCa0RpNW95cEFhbA$oybq1IPU7Fjox7DpuLbCdhDHpCJujGcUHldN/t/Xt54', 0, 'The counter', NULL, NULL, 0, 0, 0, 0, 0, 0, 0);
CREATE UNIQUE INDEX ON seed_accounts (domain, local);
ANALYZE seed_accounts;
CREATE TEMP TABLE seed_aliases ON COMMIT DROP AS SELECT domain, local, position, line FROM aliases LIMIT 0;
INSERT INTO seed_aliases (domain, local, position, line) VALUES
('club.example', 'postmaster', 1, '&emmy@club.example'),
('club.example', 'sonya', 1, '&sofya@club.example'),
('example.org', 'abuse', 1, '&ada@example.org'),
('example.org', 'accounts', 1, '&mary@example.org'),
('example.org', 'admiral', 1, '&grace@example.org'),
('example.org', 'alan', 1, '&alan@bletchley.example'),
('example.org', 'alan', 2, '&joan@example.org'),
('example.org', 'announce', 1, '|ezmlm-send lists/example.org/announce'),
('example.org', 'announce-owner', 1, '&grace@example.org'),
('example.org', 'circular', 1, '|ezmlm-send lists/example.org/circular'),
('example.org', 'countess', 1, '&ada@example.org'),
('example.org', 'dorothy', 1, '|autorespond 86400 1 robots/example.org/dorothy robots/example.org/dorothy.d'),
('example.org', 'dorothy', 2, '&dorothy@langley.example'),
('example.org', 'dorothy', 3, '|vdelivermail '''' bounce-no-mailbox'),
('example.org', 'editor', 1, '&katherine@example.org'),
('example.org', 'grace.murray', 1, '&grace@example.org'),
('example.org', 'hostmaster', 1, '&ada@example.org'),
('example.org', 'hostmaster', 2, '&grace@example.org'),
('example.org', 'info', 1, '|autorespond 43200 2 robots/example.org/info robots/example.org/info.d'),
('example.org', 'k.johnson', 1, '&katherine@example.org'),
('example.org', 'mary', 1, '&mary@langley.example'),
('example.org', 'mary', 2, '|vdelivermail '''' bounce-no-mailbox'),
('example.org', 'postmaster', 1, '&ada@example.org'),
('example.org', 'printer', 1, '&orders@printer.example'),
('example.org', 'readers', 1, '|ezmlm-send lists/example.org/readers'),
('example.org', 'reading.room', 1, '&annie@example.org'),
('example.org', 'reading.room', 2, '&kathleen@example.org'),
('example.org', 'reading.room', 3, '&reader@archive.example'),
('example.org', 'reviewers', 1, '|ezmlm-send lists/example.org/reviewers'),
('example.org', 'rights', 1, '&grace@example.org'),
('example.org', 'rights', 2, '&katherine@example.org'),
('example.org', 'sales', 1, '&ada@example.org'),
('example.org', 'sales', 2, '&grace@example.org'),
('press.example', 'postmaster', 1, '&ada@example.org'),
('shop.example', 'announce', 1, '|ezmlm-send lists/shop.example/announce'),
('shop.example', 'offers', 1, '|ezmlm-send lists/shop.example/offers'),
('shop.example', 'postmaster', 1, '&counter@shop.example');
CREATE UNIQUE INDEX ON seed_aliases (domain, local, position);
ANALYZE seed_aliases;

-- Renamed: id, mail and password stay.
UPDATE accounts SET domain = 'example.org', local = 'grace'
WHERE domain = 'example.org' AND local = 'grace.murray' AND removed IS NULL AND owner = 'declared'
    AND 'example.org' NOT IN (SELECT taken.domain FROM (SELECT DISTINCT a.domain FROM accounts AS a WHERE a.local = 'grace' AND a.removed IS NULL) AS taken);
UPDATE accounts SET domain = 'shop.example'
WHERE domain = 'books.example' AND removed IS NULL
    AND local NOT IN (SELECT taken.local FROM (SELECT DISTINCT a.local FROM accounts AS a WHERE a.domain = 'shop.example' AND a.removed IS NULL) AS taken);
UPDATE aliases SET domain = 'shop.example'
WHERE domain = 'books.example' AND owner = 'runtime'
    AND local NOT IN (SELECT taken.local FROM (SELECT DISTINCT a.local FROM aliases AS a WHERE a.domain = 'shop.example') AS taken);
UPDATE accounts SET domain = 'example.org', local = 'grace'
WHERE domain = 'example.org' AND local = 'grace.murray' AND removed IS NULL AND owner = 'declared'
    AND 'example.org' NOT IN (SELECT taken.domain FROM (SELECT DISTINCT a.domain FROM accounts AS a WHERE a.local = 'grace' AND a.removed IS NULL) AS taken);

-- Domains and alias domains: the site is the truth.
DELETE FROM domains WHERE NOT EXISTS (SELECT 1 FROM seed_domains AS s WHERE s.domain = domains.domain);
INSERT INTO domains (domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change) SELECT domain, postmaster, managed, catch_all, max_users, max_aliases, max_forwards, max_autoresponders, max_lists, quota, default_quota, default_quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change FROM seed_domains WHERE true
    ON CONFLICT (domain) DO UPDATE SET postmaster = excluded.postmaster, managed = excluded.managed, catch_all = excluded.catch_all, max_users = excluded.max_users, max_aliases = excluded.max_aliases, max_forwards = excluded.max_forwards, max_autoresponders = excluded.max_autoresponders, max_lists = excluded.max_lists, quota = excluded.quota, default_quota = excluded.default_quota, default_quota_messages = excluded.default_quota_messages, deny_pop3 = excluded.deny_pop3, deny_imap = excluded.deny_imap, deny_webmail = excluded.deny_webmail, deny_submission = excluded.deny_submission, deny_password_change = excluded.deny_password_change
    WHERE domains.postmaster IS DISTINCT FROM excluded.postmaster OR domains.managed IS DISTINCT FROM excluded.managed OR domains.catch_all IS DISTINCT FROM excluded.catch_all OR domains.max_users IS DISTINCT FROM excluded.max_users OR domains.max_aliases IS DISTINCT FROM excluded.max_aliases OR domains.max_forwards IS DISTINCT FROM excluded.max_forwards OR domains.max_autoresponders IS DISTINCT FROM excluded.max_autoresponders OR domains.max_lists IS DISTINCT FROM excluded.max_lists OR domains.quota IS DISTINCT FROM excluded.quota OR domains.default_quota IS DISTINCT FROM excluded.default_quota OR domains.default_quota_messages IS DISTINCT FROM excluded.default_quota_messages OR domains.deny_pop3 IS DISTINCT FROM excluded.deny_pop3 OR domains.deny_imap IS DISTINCT FROM excluded.deny_imap OR domains.deny_webmail IS DISTINCT FROM excluded.deny_webmail OR domains.deny_submission IS DISTINCT FROM excluded.deny_submission OR domains.deny_password_change IS DISTINCT FROM excluded.deny_password_change;
DELETE FROM alias_domains WHERE NOT EXISTS (SELECT 1 FROM seed_alias_domains AS s WHERE s.alias = alias_domains.alias);
INSERT INTO alias_domains (alias, domain) SELECT alias, domain FROM seed_alias_domains WHERE true
    ON CONFLICT (alias) DO UPDATE SET domain = excluded.domain
    WHERE alias_domains.domain IS DISTINCT FROM excluded.domain;

-- Addresses: of those the site declares it is the truth; others made on the node stay.
DELETE FROM aliases WHERE owner <> 'declared'
    AND EXISTS (SELECT 1 FROM seed_aliases AS s WHERE s.domain = aliases.domain AND s.local = aliases.local);
DELETE FROM aliases WHERE owner = 'declared' AND NOT EXISTS (SELECT 1 FROM seed_aliases AS s WHERE s.domain = aliases.domain AND s.local = aliases.local AND s.position = aliases.position);
INSERT INTO aliases (domain, local, position, line) SELECT domain, local, position, line FROM seed_aliases WHERE true
    ON CONFLICT (domain, local, position) DO UPDATE SET line = excluded.line
    WHERE aliases.line IS DISTINCT FROM excluded.line;

-- Gone from the site: no login and no delivery any more; row, mail and id stay.
UPDATE accounts SET enabled = 0, removed = extract(epoch FROM now())::bigint
WHERE owner = 'declared' AND removed IS NULL
    AND NOT EXISTS (SELECT 1 FROM seed_accounts AS s WHERE s.domain = accounts.domain AND s.local = accounts.local);

-- Made on the node and declared now: the account is the site's, its password the person's.
UPDATE accounts SET owner = 'declared', password_owner = 'own'
FROM seed_accounts AS s
WHERE s.domain = accounts.domain AND s.local = accounts.local AND accounts.removed IS NULL
    AND accounts.owner = 'runtime';

-- A password while it is the site's, or when the site raised `password.reset`.
UPDATE accounts SET password = s.password
FROM seed_accounts AS s
WHERE s.domain = accounts.domain AND s.local = accounts.local AND accounts.removed IS NULL
    AND (accounts.password_owner = 'declared' OR s.password_reset > accounts.password_reset) AND accounts.password IS DISTINCT FROM s.password;
UPDATE accounts SET password_owner = 'declared', password_reset = s.password_reset
FROM seed_accounts AS s
WHERE s.domain = accounts.domain AND s.local = accounts.local AND accounts.removed IS NULL
    AND s.password_reset > accounts.password_reset;

-- Still there: what the site declares.
UPDATE accounts SET name = s.name, quota = s.quota, quota_messages = s.quota_messages, deny_pop3 = s.deny_pop3, deny_imap = s.deny_imap, deny_webmail = s.deny_webmail, deny_submission = s.deny_submission, deny_password_change = s.deny_password_change, admin = s.admin, disabled = s.disabled
FROM seed_accounts AS s
WHERE s.domain = accounts.domain AND s.local = accounts.local AND accounts.removed IS NULL
    AND (accounts.name IS DISTINCT FROM s.name OR accounts.quota IS DISTINCT FROM s.quota OR accounts.quota_messages IS DISTINCT FROM s.quota_messages OR accounts.deny_pop3 IS DISTINCT FROM s.deny_pop3 OR accounts.deny_imap IS DISTINCT FROM s.deny_imap OR accounts.deny_webmail IS DISTINCT FROM s.deny_webmail OR accounts.deny_submission IS DISTINCT FROM s.deny_submission OR accounts.deny_password_change IS DISTINCT FROM s.deny_password_change OR accounts.admin IS DISTINCT FROM s.admin OR accounts.disabled IS DISTINCT FROM s.disabled);

-- New, or back after it was gone: a new account with a new id.
INSERT INTO accounts (id, home, created, domain, local, password, password_reset, name, quota, quota_messages, deny_pop3, deny_imap, deny_webmail, deny_submission, deny_password_change, admin, disabled)
SELECT right(gen_random_uuid()::text, 12) || left(gen_random_uuid()::text, 4), s.domain, extract(epoch FROM now())::bigint, s.domain, s.local, s.password, s.password_reset, s.name, s.quota, s.quota_messages, s.deny_pop3, s.deny_imap, s.deny_webmail, s.deny_submission, s.deny_password_change, s.admin, s.disabled
FROM seed_accounts AS s
WHERE NOT EXISTS (SELECT 1 FROM accounts AS a WHERE s.domain = a.domain AND s.local = a.local AND a.removed IS NULL);

UPDATE meta SET value = 1 WHERE name = 'generation' AND value < 1;
COMMIT;
