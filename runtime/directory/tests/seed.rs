//! The seed of a bundle, as the compiler writes it, and a database that has users: the state after a refused seed and
//! after one that was cut off. For other databases, and for each statement's effect, see `tests/tests/seeds.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::error::Error;
use std::fs;
use std::io::{Seek, Write};
use std::path::Path;

use postkiln_directory::{Directory, DirectoryError, Seed};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

/// The site of six users, without a generation of its own.
const SEED: &str = include_str!("../../../tests/cases/small-office/expected/seeds/sqlite.sql");

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The seed of the same site with this `generation`, and with this user's name in place of alan's.
fn seed(generation: u32, name: &str) -> String {
    let number = |condition: &str, number: u32| format!("name = 'generation' AND value {condition} {number}");
    let mut text = SEED.replace("'alan'", &format!("'{name}'"));
    for condition in [">", "<"] {
        assert!(text.contains(&number(condition, 0)), "the seed compares generations otherwise");
        text = text.replace(&number(condition, 0), &number(condition, generation));
    }
    text.replace("UPDATE meta SET value = 0 ", &format!("UPDATE meta SET value = {generation} "))
}

/// A seed's text as the bundle has it.
fn file(text: &str) -> Seed {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    Seed::open(file).unwrap()
}

async fn apply(directory: &Directory, text: &str) -> Result<(), DirectoryError> {
    directory.begin(Some(file(text))).await?.commit().await
}

/// The people of these two who have an account.
async fn users(directory: &Directory) -> Vec<&'static str> {
    let mut found = Vec::new();
    for name in ["alan", "emmy"] {
        if directory.account("example.org", name).await.unwrap().is_some() {
            found.push(name);
        }
    }
    found
}

#[test]
fn a_seed_of_an_earlier_generation_is_refused_and_the_users_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    block_on(async {
        let directory = Directory::open(&path).await.unwrap();
        assert!(!directory.has_accounts().await);
        apply(&directory, &seed(2, "emmy")).await.unwrap();
        let refused = apply(&directory, &seed(1, "alan")).await.unwrap_err();
        let reason = refused.source().unwrap().to_string();
        assert!(reason.contains("the database is of a newer generation than this seed"), "{reason}");
        // The second database is opened as by a node that starts with the earlier bundle.
        for directory in [&directory, &Directory::open(&path).await.unwrap()] {
            assert!(directory.has_accounts().await);
            assert_eq!(users(directory).await, ["emmy"]);
        }
        // The refusal does not hinder the next seed.
        apply(&directory, &seed(2, "alan")).await.unwrap();
        assert_eq!(users(&directory).await, ["alan"]);
    });
}

#[test]
fn a_seed_is_known_again_until_another_one_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let directory = Directory::open(&folder.path().join("db.sqlite")).await.unwrap();
        let (one, other) = (seed(1, "alan"), seed(1, "emmy"));
        let known =
            async || [directory.has_seed(file(&one).digest()).await, directory.has_seed(file(&other).digest()).await];
        assert_eq!(known().await, [false, false]);
        apply(&directory, &one).await.unwrap();
        assert_eq!(known().await, [true, false]);
        // A refused or abandoned seed does not change that.
        apply(&directory, &seed(0, "emmy")).await.unwrap_err();
        directory.begin(Some(file(&other))).await.unwrap().abandon().await;
        assert_eq!((known().await, users(&directory).await), ([true, false], vec!["alan"]));
        apply(&directory, &other).await.unwrap();
        assert_eq!((known().await, users(&directory).await), ([false, true], vec!["emmy"]));
    });
}

#[test]
fn the_hash_of_a_secret_is_written_where_the_site_has_the_password_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    block_on(async {
        let directory = Directory::open(&path).await.unwrap();
        apply(&directory, &seed(1, "alan")).await.unwrap();
        let set = async |owner: &str, hash: Option<&str>| {
            let mut seeding = directory.begin(None).await.unwrap();
            seeding.set_password("example.org", "alan", hash).await.unwrap();
            seeding.commit().await.unwrap();
            let found = directory.credentials("example.org", "alan").await.unwrap().unwrap().hash;
            assert_eq!(found.as_deref(), hash, "{owner}");
        };
        set("the site's", Some("$argon2id$one")).await;
        set("the site's, taken away", None).await;
        set("the site's", Some("$argon2id$two")).await;
        let mut person = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        let own = "UPDATE accounts SET password = 'theirs', password_owner = 'own' WHERE local = 'alan'";
        person.execute(own).await.unwrap();
        let mut seeding = directory.begin(None).await.unwrap();
        seeding.set_password("example.org", "alan", Some("$argon2id$three")).await.unwrap();
        seeding.commit().await.unwrap();
        let found = directory.credentials("example.org", "alan").await.unwrap().unwrap().hash;
        assert_eq!(found.as_deref(), Some("theirs"));
        // The seed is still the one that was applied.
        assert!(directory.has_seed(file(&seed(1, "alan")).digest()).await);
    });
}

#[test]
fn nobody_sees_a_seed_before_it_counts_and_logins_go_on() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let directory = Directory::open(&folder.path().join("db.sqlite")).await.unwrap();
        apply(&directory, &seed(1, "alan")).await.unwrap();
        let seeding = directory.begin(Some(file(&seed(2, "emmy")))).await.unwrap();
        assert_eq!(users(&directory).await, ["alan"]);
        directory.freeze().await.unwrap();
        seeding.commit().await.unwrap();
        assert_eq!(users(&directory).await, ["alan"]);
        directory.thaw().await.unwrap();
        assert_eq!(users(&directory).await, ["emmy"]);
    });
}

#[test]
fn a_seed_that_is_cut_off_half_way_changes_nothing_and_the_next_one_finishes() {
    let folder = tempfile::tempdir().unwrap();
    let copied = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    block_on(async {
        let directory = Directory::open(&path).await.unwrap();
        apply(&directory, &seed(1, "alan")).await.unwrap();
        let before = size(&folder.path().join("db.sqlite-wal"));
        // The seed without its last word has more rows than memory holds, so that part of it is on the disk.
        let next = seed(2, "emmy");
        let more = next.replace("COMMIT;\n", &format!("{MANY}COMMIT;\n"));
        let seeding = directory.begin(Some(file(&more))).await.unwrap();
        let written = size(&folder.path().join("db.sqlite-wal")) - before;
        assert!(written > 1 << 20, "only {written} octets of the seed are on the disk");
        // A killed process leaves its files; the copies equal them, byte for byte.
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copied.path().join(entry.file_name())).unwrap();
        }
        seeding.abandon().await;
        let directory = Directory::open(&copied.path().join("db.sqlite")).await.unwrap();
        assert_eq!(users(&directory).await, ["alan"]);
        apply(&directory, &seed(1, "alan")).await.expect("the generation did not rise");
        apply(&directory, &next).await.unwrap();
        assert_eq!(users(&directory).await, ["emmy"]);
    });
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}

/// Statements that make twenty thousand accounts.
const MANY: &str = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 20000)
    INSERT INTO accounts (id, domain, local, home, created)
    SELECT printf('%016x', n), 'example.org', printf('person%d', n), 'example.org', 0 FROM number;\n";
