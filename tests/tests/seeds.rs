//! The seeds of a bundle, loaded by the databases they are for: SQLite's shell, MariaDB, PostgreSQL. All run one list
//! of scenarios, each in a database of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

mod seeds {
    pub(crate) mod full;
    pub(crate) mod ownership;
    pub(crate) mod refusal;
    pub(crate) mod site;
    pub(crate) mod text;
    pub(crate) mod views;
}

use std::collections::BTreeSet;

use postkiln_tests::{Database, Mariadb, Postgres};

/// A name, also used for the database, and the function to run.
type Scenario = (&'static str, fn(&Database));

/// All scenarios that each database runs.
const SCENARIOS: &[Scenario] = &[
    ("a_second_time_changes_nothing", seeds::ownership::a_second_time_changes_nothing),
    ("what_people_own_is_kept", seeds::ownership::what_people_own_is_kept),
    ("accounts_of_the_node_are_kept", seeds::ownership::accounts_of_the_node_are_kept),
    ("who_comes_back_is_somebody_new", seeds::ownership::who_comes_back_is_somebody_new),
    ("domains_and_addresses_follow_the_site", seeds::ownership::domains_and_addresses_follow_the_site),
    ("a_reset_sets_the_password_once", seeds::ownership::a_reset_sets_the_password_once),
    ("a_rename_keeps_account_and_password", seeds::ownership::a_rename_keeps_account_and_password),
    ("every_column_follows_the_site", seeds::ownership::every_column_follows_the_site),
    ("an_older_generation_is_refused", seeds::refusal::an_older_generation_is_refused),
    ("other_tables_are_refused", seeds::refusal::other_tables_are_refused),
    ("a_client_that_dies_leaves_nothing", seeds::refusal::a_client_that_dies_leaves_nothing),
    ("text_arrives_as_it_was_written", seeds::text::text_arrives_as_it_was_written),
    ("everything_a_site_can_say_arrives", seeds::full::everything_a_site_can_say_arrives),
    ("vpopmail_sees_its_tables", seeds::views::vpopmail_sees_its_tables),
];

#[test]
fn sqlite_takes_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, scenario) in SCENARIOS {
        println!("{name}");
        scenario(&Database::sqlite(&folder.path().join(name)));
    }
}

#[test]
fn mariadb_takes_the_seed() {
    let server = Mariadb::start();
    for (name, scenario) in SCENARIOS {
        println!("{name}");
        scenario(&server.database(name));
    }
}

#[test]
fn postgresql_takes_the_seed() {
    let server = Postgres::start();
    for (name, scenario) in SCENARIOS {
        println!("{name}");
        scenario(&server.database(name));
    }
}

#[test]
fn the_tables_are_the_same_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (sqlite, mariadb, postgres) =
        (Database::sqlite(&folder.path().join("db")), Mariadb::start(), Postgres::start());
    let (mariadb, postgres) = (mariadb.database("same"), postgres.database("same"));
    let site = seeds::site::Site::of("ada = {}");
    for database in [&sqlite, &mariadb, &postgres] {
        let _ = database.done(site.seed(database));
    }
    let sorted = |rows: &str| rows.lines().map(ToOwned::to_owned).collect::<BTreeSet<_>>();
    let expected = sqlite.done(
        "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c WHERE m.type IN ('table', 'view');",
    );
    assert!(expected.contains("accounts|password_owner") && expected.contains("vpopmail|pw_shell"), "{expected}");
    // MariaDB needs a column for a rule that the others state in an index.
    let elsewhere = |schema: &str| {
        format!(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = {schema} AND column_name <> 'active';"
        )
    };
    assert_eq!(sorted(&mariadb.done(&elsewhere("'same'"))), sorted(&expected));
    assert_eq!(sorted(&postgres.done(&elsewhere("'public'"))), sorted(&expected));
}
