//! The rows that a seed changes, and those it leaves to people.

use postkiln_tests::Database;

use super::site::{Site, accounts, dump, hash, user};

pub(crate) fn a_second_time_changes_nothing(database: &Database) {
    let forward = "grace = { forward = { to = [\"grace@navy.example\"], keep = true } }";
    let more = "domains.\"example.net\".alias_of = \"example.org\", domains.\"example.org\".aliases.sales = [\"ada\", \"grace\"], generation = 4";
    let site = Site::with(&(user("ada", 'a') + forward), more);
    let _ = database.done(site.seed(database));
    let once = dump(database);
    for expected in [
        "generation|4",
        "schema|2",
        "example.net|example.org",
        "|ada of example.org|1073741824|",
        "sales|2|&grace@example.org",
    ] {
        assert!(once.contains(expected), "{expected:?} is not in\n{once}");
    }
    let _ = database.done(site.seed(database));
    assert_eq!(dump(database), once);
    let ids = database.done("SELECT DISTINCT length(id), CASE WHEN lower(id) = id THEN 1 ELSE 0 END FROM accounts;");
    assert_eq!(ids, "16|1\n");
}

pub(crate) fn what_people_own_is_kept(database: &Database) {
    let first = [user("ada", 'a'), user("grace", 'a')].concat();
    let _ = database.done(Site::of(&first).seed(database));
    let own = format!("UPDATE accounts SET password = '{}', password_owner = 'own' WHERE local = 'ada';", hash('m'));
    let _ = database.done(&own);
    let second = [user("ada", 'b'), user("grace", 'b')].concat();
    let _ = database.done(Site::of(&second).seed(database));
    assert_eq!(accounts(database), "ada|m|own|declared|1|here\ngrace|b|declared|declared|1|here\n");
}

pub(crate) fn accounts_of_the_node_are_kept(database: &Database) {
    let site = Site::of(&user("ada", 'a'));
    let _ = database.done(site.seed(database));
    let made = format!(
        "INSERT INTO accounts (id, domain, local, home, owner, password, created) \
         VALUES ('0123456789abcdef', 'example.org', 'new', 'example.org', 'runtime', '{}', 0);\n\
         INSERT INTO aliases (domain, local, position, line, owner) VALUES ('example.org', 'team', 1, '&new@example.org', 'runtime');",
        hash('m')
    );
    let _ = database.done(&made);
    let _ = database.done(site.seed(database));
    assert_eq!(accounts(database), "ada|a|declared|declared|1|here\nnew|m|declared|runtime|1|here\n");
    let team = "SELECT position, line, owner FROM aliases WHERE local = 'team' ORDER BY 1;";
    assert_eq!(database.done(team), "1|&new@example.org|runtime\n");
    // The site declares both names. The account stays the same, with the person's password; the address is the site's.
    let more = "domains.\"example.org\".aliases.team = [\"ada\", \"new\"]";
    let _ = database.done(Site::with(&(user("ada", 'a') + &user("new", 's')), more).seed(database));
    assert_eq!(accounts(database), "ada|a|declared|declared|1|here\nnew|m|own|declared|1|here\n");
    assert_eq!(database.done("SELECT id FROM accounts WHERE local = 'new';"), "0123456789abcdef\n");
    assert_eq!(database.done(team), "1|&ada@example.org|declared\n2|&new@example.org|declared\n");
}

pub(crate) fn who_comes_back_is_somebody_new(database: &Database) {
    let both = Site::of(&(user("ada", 'a') + &user("linus", 'a')));
    let alone = Site::of(&user("ada", 'a'));
    let _ = database.done(both.seed(database));
    let before = database.done("SELECT id FROM accounts WHERE local = 'linus';");
    let _ = database.done(alone.seed(database));
    assert_eq!(accounts(database), "ada|a|declared|declared|1|here\nlinus|a|declared|declared|0|gone\n");
    let gone = dump(database);
    let _ = database.done(alone.seed(database));
    assert_eq!(dump(database), gone);
    let _ = database.done(both.seed(database));
    assert_eq!(
        database.done("SELECT enabled, count(*) FROM accounts WHERE local = 'linus' GROUP BY 1 ORDER BY 1;"),
        "0|1\n1|1\n"
    );
    assert_eq!(database.done("SELECT id FROM accounts WHERE local = 'linus' AND enabled = 0;"), before);
}

pub(crate) fn domains_and_addresses_follow_the_site(database: &Database) {
    let users = user("ada", 'a');
    let more = "domains.\"example.com\" = { postmaster = \"joan\", users.joan = {}, catch_all = 'discard }, \
                domains.\"example.net\".alias_of = \"example.org\", domains.\"example.org\".aliases.sales = [\"ada\"]";
    let _ = database.done(Site::with(&users, more).seed(database));
    let domains = "SELECT domain, postmaster, catch_all FROM domains ORDER BY 1;";
    assert_eq!(database.done(domains), "example.com|joan|delete\nexample.org|ada|bounce-no-mailbox\n");
    let more = "domains.\"example.net\" = { postmaster = \"ada@example.org\", users.eve = {}, catch_all = 'deliver_to \"eve\" }, \
                domains.\"example.edu\".alias_of = \"example.net\", domains.\"example.org\".aliases.sales = [\"eve@example.net\"]";
    let more = more.replace("postmaster = \"ada@example.org\"", "postmaster = \"eve\"");
    let _ = database.done(Site::with(&users, &more).seed(database));
    assert_eq!(database.done(domains), "example.net|eve|eve@example.net\nexample.org|ada|bounce-no-mailbox\n");
    assert_eq!(database.done("SELECT alias, domain FROM alias_domains;"), "example.edu|example.net\n");
    assert_eq!(database.done("SELECT line FROM aliases WHERE local = 'sales';"), "&eve@example.net\n");
    // Nobody gets mail in a domain that is gone; the accounts stay.
    assert_eq!(database.done("SELECT domain, local, enabled FROM accounts WHERE enabled = 0;"), "example.com|joan|0\n");
}

pub(crate) fn a_reset_sets_the_password_once(database: &Database) {
    let ada = |password, reset: u32| {
        Site::of(&format!("ada.password = {{ hash = \"{}\", reset = {reset} }}", hash(password)))
    };
    let own = format!("UPDATE accounts SET password = '{}', password_owner = 'own';", hash('m'));
    let check = |site: &Site, expected: &str| {
        let _ = database.done(site.seed(database));
        assert_eq!(accounts(database), format!("ada|{expected}|declared|1|here\n"));
    };
    check(&ada('a', 0), "a|declared");
    let _ = database.done(&own);
    check(&ada('b', 1), "b|declared");
    check(&ada('b', 1), "b|declared");
    let _ = database.done(&own);
    check(&ada('c', 1), "m|own");
    check(&ada('c', 0), "m|own");
    check(&ada('c', 1), "m|own");
    check(&ada('c', 3), "c|declared");
}

pub(crate) fn a_rename_keeps_account_and_password(database: &Database) {
    let before = "domains.\"example.com\" = { postmaster = \"joan\", users.joan = {} }";
    let _ = database.done(Site::with(&(user("ada", 'a') + &user("linus", 'a')), before).seed(database));
    let own = format!(
        "UPDATE accounts SET password = '{}', password_owner = 'own' WHERE local IN ('ada', 'joan');",
        hash('m')
    );
    let _ = database.done(&own);
    let ids = "SELECT id, home FROM accounts WHERE removed IS NULL ORDER BY id;";
    let same = database.done(ids);
    let renamed = "domains.\"example.net\" = { postmaster = \"joan\", users.joan = {} }, moved = [ \
        { from = \"user/ada@example.org\", to = \"user/king@example.org\" }, { from = \"domain/example.com\", to = \"domain/example.net\" } ]";
    let users = user("king", 'k') + &user("linus", 'a');
    let site = Site::compiled(&format!(
        "domains.\"example.org\" = {{ postmaster = \"king\", users = {{ {users} }} }}, {renamed}"
    ));
    for _ in 0..2 {
        let _ = database.done(site.seed(database));
        assert_eq!(
            accounts(database),
            "joan|m|own|declared|1|here\nking|m|own|declared|1|here\nlinus|a|declared|declared|1|here\n"
        );
        assert_eq!(database.done(ids), same);
        assert_eq!(
            database.done("SELECT domain, home FROM accounts WHERE local = 'joan';"),
            "example.net|example.com\n"
        );
    }
}

pub(crate) fn every_column_follows_the_site(database: &Database) {
    let all = "['pop3, 'imap, 'webmail, 'submission, 'password_change]";
    let users = format!(
        "eve = {{ name = \"Eve\", quota = \"1 GiB\", quota_messages = 9, deny = {all}, admin = true, disabled = true }}, ada = {{}}"
    );
    let limits = "users = 10, aliases = 11, forwards = 12, autoresponders = 13, lists = 14, quota = \"1 MiB\", overcommit = true, default_quota_messages = 15";
    let full = format!("domains.\"example.org\" = {{ managed = 'delegated, limits = {{ {limits} }}, deny = ['pop3] }}");
    let account = "SELECT local, name, coalesce(quota, -1), coalesce(quota_messages, -1), deny_pop3, deny_imap, deny_webmail, deny_submission, \
                   deny_password_change, admin, disabled FROM accounts ORDER BY local;";
    let domain = "SELECT managed, coalesce(max_users, -1), coalesce(max_aliases, -1), coalesce(max_forwards, -1), coalesce(max_autoresponders, -1), \
                  coalesce(max_lists, -1), coalesce(quota, -1), coalesce(default_quota, -1), coalesce(default_quota_messages, -1), deny_pop3, \
                  deny_imap, deny_webmail, deny_submission, deny_password_change FROM domains;";
    let check = |site: &Site, accounts: &str, domains: &str| {
        let _ = database.done(site.seed(database));
        assert_eq!((database.done(account).as_str(), database.done(domain).as_str()), (accounts, domains));
    };
    check(
        &Site::with(&users, &full),
        "ada||-1|15|1|0|0|0|0|0|0\neve|Eve|1073741824|9|1|1|1|1|1|1|1\n",
        "delegated|10|11|12|13|14|1048576|-1|15|1|0|0|0|0\n",
    );
    check(
        &Site::with(
            "ada = {}, eve = {}",
            &format!("domains.\"example.org\" = {{ deny = {all}, limits.default_quota = \"2 GiB\" }}"),
        ),
        "ada||2147483648|-1|1|1|1|1|1|0|0\neve||2147483648|-1|1|1|1|1|1|0|0\n",
        "declared|-1|-1|-1|-1|-1|-1|2147483648|-1|1|1|1|1|1\n",
    );
    check(
        &Site::of("ada = {}, eve = {}"),
        "ada||-1|-1|0|0|0|0|0|0|0\neve||-1|-1|0|0|0|0|0|0|0\n",
        "declared|-1|-1|-1|-1|-1|-1|-1|-1|0|0|0|0|0\n",
    );
}
