//! Ten thousand users that site.ncl imports as JSON: the largest population meant for the evaluator. Each mistake is
//! reported at its line and column of the file. Smaller populations, and CSV and JSON lines, are in `tests/rejects` and
//! `tests/cases`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{binary, finish};
use serde_json::Value;
use tempfile::TempDir;

const USERS: usize = 10_000;

/// A file with each user on a line of its own: user `number` is in line `number + 2`.
fn users(other: &[(usize, &str)]) -> String {
    let mut text = "{\n".to_owned();
    for number in 0..USERS {
        let own = other.iter().find(|(at, _)| *at == number);
        let rest = own.map_or(r#""quota": "1 GiB", "password": { "secret": "first" }"#, |(_, rest)| rest);
        let comma = if number + 1 < USERS { "," } else { "" };
        writeln!(text, r#"  "person{number:04}": {{ "name": "Łucja 明", {rest} }}{comma}"#).unwrap();
    }
    text + "}\n"
}

fn site(users: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("site.ncl"), SITE).unwrap();
    fs::write(folder.path().join("users.json"), users).unwrap();
    folder
}

/// The lines and columns of the errors of a check, and its exit code.
fn errors(users: &str) -> (Vec<(String, u64, u64)>, i32) {
    let folder = site(users);
    let mut check = Command::new(binary("postkiln"));
    let ended = finish(check.args(["check", "--json"]).arg(folder.path()), Duration::from_secs(120));
    let report: Value = serde_json::from_str(&ended.output).unwrap_or_else(|_| panic!("{}", ended.errors));
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "error");
    let place = |finding: &Value| {
        let number = |name: &str| finding[name].as_u64().unwrap();
        assert_eq!(finding["file"], "users.json", "{finding}");
        (finding["code"].as_str().unwrap().to_owned(), number("line"), number("column"))
    };
    (findings.map(place).collect(), ended.code())
}

#[test]
fn ten_thousand_users_of_a_json_file_are_taken() {
    assert_eq!(errors(&users(&[])), (Vec::new(), 0));
}

#[test]
fn mistakes_in_a_large_json_file_have_their_line_and_column() {
    let wrong = users(&[
        (0, r#""quota": "1 XB""#),
        (5000, r#""alias": ["x"]"#),
        (9999, r#""forward": { "to": ["ada@elsewhere.example", "nobody@@elsewhere.example"] }"#),
    ]);
    let column = |number: usize, what: &str| {
        let before = wrong.lines().nth(number + 1).unwrap().split(what).next().unwrap();
        u64::try_from(before.chars().count()).unwrap() + 1
    };
    let expected = [
        ("E0204".to_owned(), 2, column(0, "\"1 XB\"")),
        ("E0203".to_owned(), 5002, column(5000, "\"alias\"")),
        ("E0204".to_owned(), 10_001, column(9999, "\"nobody@@")),
    ];
    assert_eq!(errors(&wrong), (expected.to_vec(), 1));
}

#[test]
fn a_large_json_file_that_breaks_off_is_refused_where_it_does() {
    let whole = users(&[]);
    let lines: Vec<&str> = whole.lines().take(9000).collect();
    let broken = lines.join("\n");
    let (found, code) = errors(&broken);
    assert_eq!(code, 1);
    let [(_, line, _)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(*line, 9000);
}

const SITE: &str = r#"let pk = import "postkiln/site.ncl" in
{
  appliance.hostname = "mail.example.org",
  dns.address = "192.0.2.25",
  domains."example.org" = { postmaster = "person0000", users = import "users.json" },
} | pk.Site
"#;
