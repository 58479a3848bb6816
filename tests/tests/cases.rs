//! Whole bundles byte for byte, and the same bytes wherever and whenever they are made.
//! `UPDATE=1` rewrites `expected/`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{Site, binary, finish, repository};

#[test]
fn bundles_are_what_is_pinned() {
    let folder = repository().join("tests/cases");
    let entries = fs::read_dir(&folder).expect("tests/cases").map(|entry| entry.expect("readable").path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 2, "only {cases:?}");
    for case in cases {
        check(&case);
    }
}

/// The bundle depends on the site alone: not on where it lies, when, as whom, or in which time zone it is compiled.
#[test]
fn the_same_site_gives_the_same_bytes() {
    for example in ["minimal", "small-office", "full"] {
        let made = [
            compile(Site::example(example).path(), "umask 022; TZ=UTC LC_ALL=C"),
            compile(
                Site::example(example).path(),
                "umask 077; cd /; TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8 HOME=/nowhere",
            ),
        ];
        let [one, other] = &made;
        assert!(one == other, "{example}: {}", difference(one, other));
    }
}

/// Confidential files are readable by their owner alone (design, section 2).
#[test]
fn files_of_a_bundle_are_private() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let out = folder.path().join("out");
    run(&repository().join("examples/small-office"), &out, "umask 0;");
    for path in walk(&out) {
        let mode = fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

fn check(case: &Path) {
    let name = case.file_name().and_then(|name| name.to_str()).expect("a plain name");
    let own = case.join("site.ncl").exists();
    let site = if own { case.to_owned() } else { repository().join("examples").join(name) };
    let made = shortened(compile(&site, ""));
    let expected = case.join("expected");
    if std::env::var_os("UPDATE").is_some() {
        let _ = fs::remove_dir_all(&expected);
        for (path, bytes) in &made {
            let path = expected.join(path);
            fs::create_dir_all(path.parent().expect("below expected/")).expect("our own folder");
            fs::write(path, bytes).expect("our own folder");
        }
        return;
    }
    let pinned = tree(&expected);
    assert!(pinned == made, "{name}: {}", difference(&pinned, &made));
}

type Tree = BTreeMap<String, Vec<u8>>;

/// Seeds with the name of each of our table files in place of its text, which stands in `schemas/database` already. The
/// hashes in the manifest are those of the whole files.
fn shortened(mut tree: Tree) -> Tree {
    for (seed, bytes) in tree.iter_mut().filter(|(name, _)| name.starts_with("seeds/")) {
        let dialect = Path::new(seed).file_stem().and_then(|stem| stem.to_str()).expect("a dialect");
        for file in ["tables", "views"].map(|part| format!("schemas/database/{part}.{dialect}.sql")) {
            let text = String::from_utf8(std::mem::take(bytes)).expect("SQL is text");
            let included = fs::read_to_string(repository().join(&file)).expect("a table file");
            assert!(text.contains(&included), "{seed} without {file}");
            *bytes = text.replace(&included, &format!("-- {file} stands here\n")).into_bytes();
        }
    }
    tree
}

/// Compiles in a shell after some preparation, and reads the resulting bundle.
fn compile(site: &Path, preparation: &str) -> Tree {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let out = folder.path().join("out");
    run(site, &out, preparation);
    tree(&out)
}

fn run(site: &Path, out: &Path, preparation: &str) {
    let script = format!("{preparation} \"$0\" compile \"$1\" -o \"$2\" --serial 2026010100");
    let mut shell = Command::new("sh");
    let _ = finish(shell.args(["-c", &script]).arg(binary("postkiln")).arg(site).arg(out), LIMIT).success();
}

fn tree(root: &Path) -> Tree {
    let files = walk(root).into_iter().filter(|path| path.is_file());
    files
        .map(|path| {
            let name = path.strip_prefix(root).expect("below the root").to_str().expect("plain names").to_owned();
            (name, fs::read(&path).expect("a readable file"))
        })
        .collect()
}

/// A folder and everything below it.
fn walk(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        at += 1;
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.extend(entries.map(|entry| entry.expect("readable").path()));
        }
    }
    found
}

/// The first file that differs, with both texts.
fn difference(one: &Tree, other: &Tree) -> String {
    let name = one.keys().chain(other.keys()).find(|name| one.get(*name) != other.get(*name));
    let Some(name) = name else { return "nothing".to_owned() };
    let text = |tree: &Tree| {
        tree.get(name).map_or_else(|| "(absent)".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    format!("{name}\n--- pinned\n{}\n--- found\n{}", text(one), text(other))
}

const LIMIT: Duration = Duration::from_secs(120);
