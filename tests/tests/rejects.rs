//! Every site below `tests/rejects` is refused with exactly the text beside it: place, message, hint. `UPDATE=1`
//! rewrites the texts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{binary, finish, repository};

#[test]
fn every_reject_says_what_is_pinned() {
    let cases = cases();
    assert!(cases.len() >= 20, "only {} cases found", cases.len());
    // Cases that run into a limit take seconds of processor time, so two run at once, for two cores.
    let (one, other) = cases.split_at(cases.len() / 2);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let halves = [one, other]
            .map(|half| scope.spawn(|| half.iter().filter_map(|case| check(case).err()).collect::<Vec<_>>()));
        halves.into_iter().flat_map(|half| half.join().expect("a check does not panic")).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The findings of a site as JSON are the same ones, with the same places.
#[test]
fn findings_are_given_as_json() {
    let case = repository().join("tests/rejects/several-mistakes");
    let ended = finish(Command::new(binary("postkiln")).args(["check", ".", "--json"]).current_dir(&case), LIMIT);
    assert_eq!((ended.code(), ended.errors.as_str()), (1, ""));
    let report: serde_json::Value = serde_json::from_str(&ended.output).expect("JSON on stdout");
    assert_eq!(report["ok"], false);
    let findings = report["findings"].as_array().expect("a list");
    let heads: Vec<String> = findings
        .iter()
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().expect("a string").to_owned();
            let (line, column) = (&finding["line"], &finding["column"]);
            let head = format!("{}:{line}:{column}: {}[{}]", text("file"), text("severity"), text("code"));
            format!("{head}: {}", text("message"))
        })
        .collect();
    let pinned = fs::read_to_string(case.join("error.txt")).expect("the pinned text");
    let pinned: Vec<&str> = pinned.lines().filter(|line| line.starts_with("site.ncl")).collect();
    assert_eq!(heads, pinned);
}

/// A missing site is no mistake in a site, so it has exit code 4.
#[test]
fn an_absent_site_is_4() {
    let ended = finish(Command::new(binary("postkiln")).args(["check", "/nowhere/at/all"]), LIMIT);
    assert_eq!((ended.code(), ended.output.as_str()), (4, ""), "{}", ended.errors);
    assert!(ended.errors.contains("/nowhere/at/all"), "{}", ended.errors);
}

/// Usage errors have an exit code of their own, and nothing on stdout.
#[test]
fn wrong_usage_is_64() {
    for arguments in [vec!["check"], vec!["chekc", "x"], vec!["compile", "x"], vec!["check", "x", "--deny", "all"]] {
        let ended = finish(Command::new(binary("postkiln")).args(&arguments), LIMIT);
        assert_eq!((ended.code(), ended.output.as_str()), (64, ""), "{arguments:?}: {}", ended.errors);
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = repository().join("tests/rejects");
    let entries = fs::read_dir(folder).expect("tests/rejects").map(|entry| entry.expect("readable").path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn check(case: &Path) -> Result<(), String> {
    let ended = finish(Command::new(binary("postkiln")).args(["check", ".", "--serial", "1"]).current_dir(case), LIMIT);
    let name = case.file_name().unwrap_or_default().to_string_lossy();
    if ended.code() != 1 {
        return Err(format!("{name}: status {}, not 1\n{}{}", ended.status, ended.output, ended.errors));
    }
    // The first line names the place: `site.ncl:7:13: error[…`, `staff.csv:2:1: error[…`.
    if !ended
        .errors
        .lines()
        .any(|line| line.split(": error[").next().is_some_and(|place| place.split(':').count() == 3))
    {
        return Err(format!("{name}: no place\n{}", ended.errors));
    }
    let file = case.join("error.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &ended.errors).expect("our own folder");
        return Ok(());
    }
    let pinned = fs::read_to_string(&file).unwrap_or_default();
    if pinned == ended.errors {
        return Ok(());
    }
    Err(format!("{name}: not what error.txt has\n--- pinned\n{pinned}--- found\n{}", ended.errors))
}

/// The processor time of an evaluation is limited to ten seconds; on a busy machine that takes longer.
const LIMIT: Duration = Duration::from_secs(120);
