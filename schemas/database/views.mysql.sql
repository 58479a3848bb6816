-- vpopmail's tables (5.4, one table for all domains) as views of ours, for MariaDB and MySQL: for programs that read them. README.md
-- says what each column is made from. Every statement may be run again: each seed runs this file.

-- pw_gid, vpopmail's flags: 1 no password change, 2 no POP3, 4 no webmail, 8 no IMAP, 16 mail bounces, 2048 no
-- submission, 4096 administers the domain. 2078: all that a disabled account has.
CREATE OR REPLACE VIEW vpopmail AS
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
CREATE OR REPLACE VIEW valias AS
SELECT
    v.local AS alias,
    v.domain AS domain,
    CASE WHEN v.line LIKE '|vdelivermail %' AND a.id IS NOT NULL THEN CONCAT('/data/mail/', a.home, '/', substr(a.id, 1, 2), '/', a.id, '/Maildir/') ELSE v.line END AS valias_line
FROM aliases AS v
LEFT JOIN accounts AS a ON a.domain = v.domain AND a.local = v.local AND a.removed IS NULL;

-- perm_*: 7 forbids a domain's administrators to create, modify and delete; what the site declares is its own.
CREATE OR REPLACE VIEW limits AS
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
CREATE OR REPLACE VIEW lastauth AS
SELECT
    a.local AS `user`,
    a.domain AS domain,
    coalesce(l.peer, '0.0.0.0') AS remote_ip,
    coalesce(l.at, a.created) AS `timestamp`
FROM accounts AS a
LEFT JOIN logins AS l ON l.account = a.id
WHERE a.removed IS NULL;

CREATE OR REPLACE VIEW aliasdomains AS
SELECT alias, domain FROM alias_domains;
