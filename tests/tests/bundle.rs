//! A bundle's files are read by other people's programs: tinycdb here, BIND in `dns.rs`, databases in `seeds.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use postkiln_tests::{Site, binary, finish, repository};
use tempfile::TempDir;

const EXAMPLES: [&str; 2] = ["minimal", "small-office"];

fn compiled(site: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut compile = Command::new(binary("postkiln"));
    // Without a number, a site in a repository has the time of a commit.
    compile.arg("compile").arg(site).args(["--serial", "1", "-o"]).arg(folder.path().join("bundle"));
    let _ = finish(&mut compile, Duration::from_secs(60)).success();
    folder
}

fn example(name: &str) -> TempDir {
    compiled(&repository().join("examples").join(name))
}

fn listed(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

/// The output of `cdb -d -m`: one line per record, key and value.
fn cdb_dump(file: &Path) -> String {
    finish(Command::new("cdb").args(["-d", "-m"]).arg(file), Duration::from_secs(20)).success().output
}

fn cdb_get(file: &Path, key: &[u8]) -> Option<Vec<u8>> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let output =
        Command::new("cdb").arg("-q").arg(file).arg(OsStr::from_bytes(key)).stderr(Stdio::inherit()).output().unwrap();
    output.status.success().then_some(output.stdout)
}

#[test]
fn tinycdb_reads_the_databases() {
    for name in EXAMPLES {
        let bundle = example(name);
        let bundle = bundle.path().join("bundle");
        let users = bundle.join("users/cdb");
        for line in fs::read_to_string(bundle.join("users/assign")).unwrap().lines().filter(|line| *line != ".") {
            // As in qmail-newu, the key is `!` and the name; a wildcard's key is the name without its `-`… and no NUL
            // at the end.
            let (name, rest) = line.split_at(1);
            let fields: Vec<&str> = rest.split(':').collect();
            let mut key = format!("!{}", fields[0]);
            if name == "=" {
                key.push('\0');
            }
            if name == "=" {
                continue; // A NUL cannot be an argument; exact names are compared through the dump.
            }
            let value = cdb_get(&users, key.as_bytes()).unwrap_or_else(|| panic!("{key:?} is not in users/cdb"));
            let value: Vec<String> =
                value.split(|byte| *byte == 0).map(|field| String::from_utf8_lossy(field).into_owned()).collect();
            assert_eq!(value[..4], fields[1..5], "{line}");
        }
        let databases = listed(&bundle.join("tcp"), ".cdb");
        assert!(!databases.is_empty());
        for database in databases {
            let rules = fs::read_to_string(database.with_extension("")).unwrap();
            let dump = cdb_dump(&database);
            let count = rules.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
            assert!(dump.lines().count() >= count, "{}: {rules}\n{dump}", database.display());
        }
    }
}

#[test]
fn many_aliases_are_one_table_that_tinycdb_reads() {
    let site = Site::many_aliases();
    let out = compiled(site.path());
    let domain = out.path().join("bundle/domains/example.org");
    let names = |folder: &Path| {
        let mut names: Vec<String> = listed(folder, "").iter().map(|path| path.display().to_string()).collect();
        names.sort();
        names.iter().map(|name| name.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&domain), [".qmail-default", "aliases.cdb"]);
    let last = fs::read_to_string(domain.join(".qmail-default")).unwrap();
    assert_eq!(last, "|fastforward -dp aliases.cdb\n|vdelivermail '' bounce-no-mailbox\n");
    let record = |local: &str| {
        let found = cdb_get(&domain.join("aliases.cdb"), format!(":{local}@").as_bytes())?;
        Some(String::from_utf8(found).unwrap())
    };
    assert_eq!(record("alias7").as_deref(), Some("&person7@example.org\0"));
    assert_eq!(record("other.7").as_deref(), Some("&person7@example.org\0"));
    let both = "&person9@elsewhere.example\0|vdelivermail '' bounce-no-mailbox\0";
    assert_eq!(record("person9").as_deref(), Some(both));
    assert_eq!(record("person7"), None);
    assert_eq!(cdb_dump(&domain.join("aliases.cdb")).matches("&person7@example.org").count(), 2);
}

#[test]
fn an_address_in_a_table_is_explained_as_any_other() {
    let site = Site::many_aliases();
    let explain = |what: &str| {
        let mut explain = Command::new(binary("postkiln"));
        finish(explain.arg("explain").arg(site.path()).arg(what), Duration::from_secs(60)).success().output
    };
    let way = explain("alias7+x@example.org");
    assert!(way.contains("alias7@example.org leads to person7@example.org") && way.contains("people.csv:9:"), "{way}");
    assert!(
        way.contains("domains/example.org/aliases.cdb") && way.ends_with("=> the mailbox of person7@example.org\n")
    );
    let way = explain("person9@example.org");
    assert!(way.contains("=> the mailbox of person9@example.org"), "{way}");
    assert!(way.contains("=> person9@elsewhere.example, on another server"), "{way}");
    assert!(explain("nobody@example.org").contains("is not declared"));
}

#[test]
fn the_same_site_gives_the_same_bytes() {
    let site = Site::small_office();
    let (one, two) = (compiled(site.path()), compiled(&repository().join("examples/small-office")));
    let same = Command::new("diff").arg("-r").arg(one.path()).arg(two.path()).output().unwrap();
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
}

#[test]
fn a_bundle_holds_no_password_outside_the_seed() {
    let bundle = example("small-office");
    let mut found = Command::new("grep");
    found.args(["-rlE", r"\$[a-z0-9]+\$[A-Za-z0-9./+=,$-]{20}"]).arg(bundle.path().join("bundle"));
    let ended = finish(&mut found, Duration::from_secs(20));
    let files: Vec<&str> = ended.output.lines().filter(|line| !line.contains("/seeds/")).collect();
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn the_examples_pass_check() {
    for name in EXAMPLES {
        let mut check = Command::new(binary("postkiln"));
        check.arg("check").arg(repository().join("examples").join(name));
        // The repository around the examples may be one without its history.
        check.args(["--serial", "1"]);
        if name != "minimal" {
            // A site of ten lines cannot say the public address, and gets a warning about that.
            check.args(["--deny", "warnings"]);
        }
        let ended = finish(&mut check, Duration::from_secs(60));
        assert_eq!(ended.code(), 0, "{name}\n{}{}", ended.output, ended.errors);
    }
}

#[test]
fn a_new_site_passes_check() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("mine");
    let postkiln = || Command::new(binary("postkiln"));
    let limit = Duration::from_secs(60);
    let _ = finish(postkiln().arg("new").arg(&site).args(["--domain", "example.com"]), limit).success();
    let ended = finish(postkiln().arg("check").arg(&site), limit);
    assert_eq!(ended.code(), 0, "{}{}", ended.output, ended.errors);
    // An existing folder is not overwritten.
    assert_ne!(finish(postkiln().arg("new").arg(&site).args(["--domain", "example.com"]), limit).code(), 0);
}
