-- From version 1 of the tables (0001.sqlite.sql) to version 2, on a node that has them. `directoryd` runs this once, in a
-- transaction, before anything else.

ALTER TABLE accounts ADD COLUMN home TEXT NOT NULL DEFAULT '';
UPDATE accounts SET home = domain;
ALTER TABLE accounts ADD COLUMN quota_messages INTEGER CHECK (quota_messages >= 0);
ALTER TABLE accounts ADD COLUMN password_reset INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN deny_pop3 INTEGER NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1));
ALTER TABLE accounts ADD COLUMN deny_imap INTEGER NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1));
ALTER TABLE accounts ADD COLUMN deny_webmail INTEGER NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1));
ALTER TABLE accounts ADD COLUMN deny_submission INTEGER NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1));
ALTER TABLE accounts ADD COLUMN deny_password_change INTEGER NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1));
ALTER TABLE accounts ADD COLUMN admin INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1));
ALTER TABLE accounts ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));
-- vpopmail's view has this name now.
ALTER TABLE lastauth RENAME TO logins;
