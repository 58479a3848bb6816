//! The seed of a bundle, as the compiler writes it, and a database that has users: what a refused seed and one that was cut
//! off leave there. The other databases, and what each statement changes: `tests/tests/seeds.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::error::Error;
use std::fs;
use std::path::Path;

use postkiln_directory::Directory;

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

/// Who of these two has an account.
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
    let file = folder.path().join("db.sqlite");
    block_on(async {
        let directory = Directory::open(&file).await.unwrap();
        assert!(!directory.has_accounts().await);
        directory.apply_seed(&seed(2, "emmy")).await.unwrap();
        let refused = directory.apply_seed(&seed(1, "alan")).await.unwrap_err();
        let reason = refused.source().unwrap().to_string();
        assert!(reason.contains("the database is of a newer generation than this seed"), "{reason}");
        // As a node that starts with the earlier bundle finds it.
        for directory in [&directory, &Directory::open(&file).await.unwrap()] {
            assert!(directory.has_accounts().await);
            assert_eq!(users(directory).await, ["emmy"]);
        }
        // The refusal left nothing in the way of the next one.
        directory.apply_seed(&seed(2, "alan")).await.unwrap();
        assert_eq!(users(&directory).await, ["alan"]);
    });
}

#[test]
fn a_seed_that_is_cut_off_half_way_changes_nothing_and_the_next_one_finishes() {
    let folder = tempfile::tempdir().unwrap();
    let copied = tempfile::tempdir().unwrap();
    let file = folder.path().join("db.sqlite");
    block_on(async {
        let directory = Directory::open(&file).await.unwrap();
        directory.apply_seed(&seed(1, "alan")).await.unwrap();
        let before = size(&folder.path().join("db.sqlite-wal"));
        // Everything but the last word, and more rows than memory holds: part of it is on the disk.
        let next = seed(2, "emmy");
        let half = next.strip_suffix("COMMIT;\n").expect("the seed is one transaction").to_owned() + MANY;
        directory.apply_seed(&half).await.unwrap();
        let written = size(&folder.path().join("db.sqlite-wal")) - before;
        assert!(written > 1 << 20, "only {written} octets of the seed are on the disk");
        // What a killed process leaves are its files; the copies are those, byte for byte.
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copied.path().join(entry.file_name())).unwrap();
        }
        let directory = Directory::open(&copied.path().join("db.sqlite")).await.unwrap();
        assert_eq!(users(&directory).await, ["alan"]);
        directory.apply_seed(&seed(1, "alan")).await.expect("the generation did not rise");
        directory.apply_seed(&next).await.unwrap();
        assert_eq!(users(&directory).await, ["emmy"]);
    });
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}

/// Twenty thousand accounts.
const MANY: &str = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 20000)
    INSERT INTO accounts (id, domain, local, home, created)
    SELECT printf('%016x', n), 'example.org', printf('person%d', n), 'example.org', 0 FROM number;\n";
