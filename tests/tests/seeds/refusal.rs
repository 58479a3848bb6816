//! Seeds that change nothing: the database is newer, or the client dies half-way.

use std::io::Write;
use std::time::Duration;

use postkiln_tests::{Database, eventually};

use super::site::{Site, accounts, dump, user};

pub(crate) fn an_older_generation_is_refused(database: &Database) {
    let of = |password, generation: &str| Site::with(&user("ada", password), generation);
    let _ = database.done(of('a', "generation = 7").seed(database));
    let before = dump(database);
    for older in ["", "generation = 6"] {
        let complaint = database.run(of('b', older).seed(database)).unwrap_err();
        assert!(complaint.contains("the database is of a newer generation than this seed"), "{complaint}");
        assert_eq!(dump(database), before, "{older:?}");
    }
    let _ = database.done(of('c', "generation = 7").seed(database));
    let _ = database.done(of('d', "generation = 8").seed(database));
    assert_eq!(accounts(database), "ada|d|declared|declared|1|here\n");
    assert!(database.run(of('e', "generation = 7").seed(database)).is_err());
}

pub(crate) fn other_tables_are_refused(database: &Database) {
    let site = Site::of(&user("ada", 'a'));
    let _ = database.done(site.seed(database));
    let _ = database.done("UPDATE meta SET value = 3 WHERE name = 'schema';");
    let before = dump(database);
    let complaint = database.run(Site::of(&user("ada", 'b')).seed(database)).unwrap_err();
    assert!(complaint.contains("this seed is for version 2 of the tables"), "{complaint}");
    assert_eq!(dump(database), before);
}

pub(crate) fn a_client_that_dies_leaves_nothing(database: &Database) {
    let _ = database.done(Site::of(&(user("ada", 'a') + &user("linus", 'a'))).seed(database));
    let before = dump(database);
    let site = Site::of(&(user("ada", 'b') + &user("grace", 'b')));
    let seed = site.seed(database);
    let folder = tempfile::tempdir().unwrap();
    // The client dies before the first change of our rows, and again just before the commit.
    for (number, cut) in ["INSERT INTO seed_accounts", "COMMIT;\n"].into_iter().enumerate() {
        let reached = folder.path().join(number.to_string());
        let mut client = database.start_client();
        let mut script = client.stdin.take().unwrap();
        let part = seed.get(..seed.rfind(cut).unwrap()).unwrap();
        script.write_all((part.to_owned() + &database.touch(&reached)).as_bytes()).unwrap();
        script.flush().unwrap();
        eventually("the client is so far", Duration::from_secs(20), || reached.exists().then_some(()));
        client.kill().unwrap();
        let _ = client.wait();
        drop(script);
        assert_eq!(dump(database), before, "{cut}");
    }
    // The next seed waits until the server has noticed the death, because of a lock that is held until then.
    let _ = database.done(seed);
    assert_eq!(
        accounts(database),
        "ada|b|declared|declared|1|here\ngrace|b|declared|declared|1|here\nlinus|a|declared|declared|0|gone\n"
    );
}
