//! vpopmail's tables, made from ours: every column is checked with values.

use postkiln_tests::{Database, Engine};

use super::site::{Site, hash, user};

pub(crate) fn vpopmail_sees_its_tables(database: &Database) {
    let grace = format!(
        "grace = {{ password.hash = \"{}\", forward = {{ to = [\"grace@navy.example\"], keep = true }} }}",
        hash('g')
    );
    let more = "domains.\"example.net\".alias_of = \"example.org\", domains.\"example.org\".aliases.sales = [\"ada\", \"grace\"]";
    let _ = database.done(Site::with(&(user("ada", 'a') + &grace), more).seed(database));
    let _ = database.done(
        "UPDATE accounts SET id = '0123456789abcdef', created = 1000 WHERE local = 'ada';\n\
         UPDATE accounts SET id = 'fedcba9876543210', created = 2000 WHERE local = 'grace';\n\
         INSERT INTO logins (account, at, peer, service) VALUES ('fedcba9876543210', 3000, '2001:db8::1', 'imap');",
    );
    people(database);
    flags_and_quotas(database);
    let (user, time) =
        if database.engine() == Engine::Mariadb { ("`user`", "`timestamp`") } else { ("\"user\"", "\"timestamp\"") };
    assert_eq!(
        database.done(&format!("SELECT {user}, domain, remote_ip, {time} FROM lastauth ORDER BY 1;")),
        "ada|example.org|0.0.0.0|1000\ngrace|example.org|2001:db8::1|3000\n"
    );
    assert_eq!(
        database.done("SELECT alias, domain, valias_line FROM valias WHERE alias IN ('sales', 'grace') ORDER BY 1, 3;"),
        "grace|example.org|&grace@navy.example\n\
         grace|example.org|/data/mail/example.org/fe/fedcba9876543210/Maildir/\n\
         sales|example.org|&ada@example.org\nsales|example.org|&grace@example.org\n"
    );
    assert_eq!(database.done("SELECT alias, domain FROM aliasdomains;"), "example.net|example.org\n");
    limits(database);
    // A removed user is in none of the views.
    let _ = database.done("UPDATE accounts SET enabled = 0, removed = 1 WHERE local = 'grace';");
    assert_eq!(database.done("SELECT pw_name FROM vpopmail;"), "ada\n");
    assert_eq!(database.done("SELECT count(*) FROM lastauth;"), "1\n");
}

fn people(database: &Database) {
    let columns = "pw_name, pw_domain, pw_passwd, pw_uid, pw_gid, pw_gecos, pw_dir, pw_shell";
    assert_eq!(
        database.done(&format!("SELECT {columns} FROM vpopmail ORDER BY 1;")),
        format!(
            "ada|example.org|{}|0|0|ada of example.org|/data/mail/example.org/01/0123456789abcdef|1073741824S\n\
             grace|example.org|{}|0|0||/data/mail/example.org/fe/fedcba9876543210|NOQUOTA\n",
            hash('a'),
            hash('g')
        )
    );
    let none = database.done("UPDATE accounts SET password = NULL WHERE local = 'grace'; SELECT pw_passwd FROM vpopmail WHERE pw_name = 'grace';");
    assert_eq!(none, "*\n");
}

fn flags_and_quotas(database: &Database) {
    let check = |set: &str, flags: u32, quota: &str| {
        let clear = "deny_password_change = 0, deny_pop3 = 0, deny_webmail = 0, deny_imap = 0, deny_submission = 0, admin = 0, disabled = 0, enabled = 1, quota = NULL, quota_messages = NULL";
        let found = database.done(&format!(
            "UPDATE accounts SET {clear} WHERE local = 'ada'; UPDATE accounts SET {set} WHERE local = 'ada';\n\
             SELECT pw_gid, pw_shell FROM vpopmail WHERE pw_name = 'ada';"
        ));
        assert_eq!(found, format!("{flags}|{quota}\n"), "{set}");
    };
    check("admin = 0", 0, "NOQUOTA");
    check("deny_password_change = 1", 0x01, "NOQUOTA");
    check("deny_pop3 = 1, quota = 52428800", 0x02, "52428800S");
    check("deny_webmail = 1, quota_messages = 1000", 0x04, "1000C");
    check("deny_imap = 1, quota = 52428800, quota_messages = 1000", 0x08, "52428800S,1000C");
    check("deny_submission = 1, quota = 0, quota_messages = 0", 0x800, "NOQUOTA");
    check("admin = 1, quota = 9223372036854775807", 0x1000, "9223372036854775807S");
    check("admin = 1, deny_pop3 = 1, deny_imap = 1", 0x100a, "NOQUOTA");
    check("disabled = 1, deny_imap = 1, deny_password_change = 1", 0x81f, "NOQUOTA");
    check("enabled = 0", 0x81e, "NOQUOTA");
}

fn limits(database: &Database) {
    let check = |set: &str, expected: &str| {
        let found = database.done(&format!(
            "UPDATE domains SET {set};\n\
             SELECT domain, maxpopaccounts, maxaliases, maxforwards, maxautoresponders, maxmailinglists, diskquota, maxmsgcount, defaultquota, \
             defaultmaxmsgcount, disable_pop, disable_imap, disable_dialup, disable_passwordchanging, disable_webmail, disable_relay, disable_smtp, \
             disable_spamassassin, delete_spam, disable_maildrop, perm_account, perm_alias, perm_forward, perm_autoresponder, perm_maillist, \
             perm_quota, perm_defaultquota FROM limits;"
        ));
        assert_eq!(found, format!("{expected}\n"), "{set}");
    };
    check("max_users = NULL", "example.org|-1|-1|-1|-1|-1|0|0|0|0|0|0|0|0|0|1|0|0|0|0|7|7|7|7|7|7|7");
    check(
        "max_users = 1, max_aliases = 2, max_forwards = 3, max_autoresponders = 4, max_lists = 5, quota = 7340033, default_quota = 8, default_quota_messages = 9",
        "example.org|1|2|3|4|5|7|0|8|9|0|0|0|0|0|1|0|0|0|0|7|7|7|7|7|7|7",
    );
    check(
        "deny_pop3 = 1, deny_imap = 1, deny_webmail = 1, deny_submission = 1, deny_password_change = 1, managed = 'delegated'",
        "example.org|1|2|3|4|5|7|0|8|9|1|1|0|1|1|1|1|0|0|0|0|7|7|7|7|0|7",
    );
}
