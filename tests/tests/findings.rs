//! The forms in which people and programs get findings: explanations, SARIF.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{Ended, binary, finish, repository};
use serde_json::Value;

fn postkiln(arguments: &[&str], folder: &Path) -> Ended {
    finish(Command::new(binary("postkiln")).args(arguments).current_dir(folder), LIMIT)
}

#[test]
fn a_code_is_explained() {
    let ended = postkiln(&["explain", "e0302"], repository());
    assert_eq!((ended.code(), ended.errors.as_str()), (0, ""));
    assert!(ended.output.starts_with("E0302  error: a target does not exist\n"), "{}", ended.output);
    assert!(ended.output.contains("\nWrong:\n") && ended.output.contains("\nRight:\n"), "{}", ended.output);
    let listed = postkiln(&["explain", "--list"], repository());
    assert!(listed.output.lines().any(|line| line == "E0302  a target does not exist"), "{}", listed.output);
    let wrong = postkiln(&["explain", "E302"], repository());
    assert_eq!((wrong.code(), wrong.output.as_str()), (64, ""));
    assert!(wrong.errors.contains("there is no code \"E302\": did you mean E0302?"), "{}", wrong.errors);
}

/// The requirements of SARIF 2.1.0 on a log (the parts of its schema that we use), and those of forges besides: a place
/// in every result, paths from the top of the repository.
#[test]
fn findings_are_given_as_sarif() {
    let case = "tests/rejects/several-mistakes";
    // The test makes a repository of its own: this one may have been unpacked without its history.
    let checkout = tempfile::tempdir().expect("a folder");
    let _ = finish(Command::new("git").args(["init", "-q"]).current_dir(&checkout), LIMIT).success();
    fs::create_dir_all(checkout.path().join(case)).expect("a folder");
    let site = Path::new(case).join("site.ncl");
    let _ = fs::copy(repository().join(&site), checkout.path().join(&site)).expect("the case");
    let ended = postkiln(&["check", "--sarif", case], checkout.path());
    assert_eq!((ended.code(), ended.errors.as_str()), (1, ""));
    let log: Value = serde_json::from_str(&ended.output).expect("JSON on stdout");
    assert_eq!((&log["version"], log["runs"].as_array().expect("runs").len()), (&Value::from("2.1.0"), 1));
    let run = &log["runs"][0];
    assert_eq!(run["automationDetails"]["id"], format!("postkiln/{case}/"));
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    let pinned = fs::read_to_string(repository().join(case).join("error.txt")).expect("the pinned text");
    let pinned: Vec<&str> = pinned.lines().filter(|line| line.starts_with("site.ncl:")).collect();
    let mut heads = Vec::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().expect("a level")), "{result}");
        let location = &result["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], format!("{case}/site.ncl"));
        assert_eq!(location["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        let number = |name: &str| location["region"][name].as_u64().expect("a number from 1");
        let (start, end) = ((number("startLine"), number("startColumn")), (number("endLine"), number("endColumn")));
        assert!(start <= end && start.0 > 0 && start.1 > 0, "{location}");
        let print = result["partialFingerprints"]["primaryLocationLineHash"].as_str().expect("a fingerprint");
        assert!(print.len() > 17 && print.as_bytes()[16] == b':', "{print}");
        let message = result["message"]["text"].as_str().expect("a message").lines().next().expect("a line");
        let level = result["level"].as_str().expect("a level");
        let code = result["ruleId"].as_str().expect("a code");
        heads.push(format!("site.ncl:{}:{}: {level}[{code}]: {message}", start.0, start.1));
    }
    assert_eq!(heads, pinned);
    for rule in rules {
        for text in [&rule["shortDescription"], &rule["fullDescription"], &rule["help"]] {
            assert!(text["text"].as_str().is_some_and(|text| text.len() > 10), "{rule}");
        }
        assert!(rule["help"]["markdown"].as_str().is_some_and(|text| text.contains("```nickel")), "{rule}");
    }
}

/// Every code of the registry is used by some check, and some test shows it.
#[test]
fn every_code_is_used_and_shown() {
    let rust = |path: &Path| path.extension().is_some_and(|ending| ending == "rs");
    let sources = texts(&repository().join("compiler"), &|path| {
        rust(path) && !path.starts_with(repository().join(REGISTRY)) && !path.ends_with("tests/explanations.rs")
    });
    let mut proofs = texts(&repository().join("tests"), &|path| {
        let pinned = path.extension().is_some_and(|ending| ending == "txt" || ending == "json");
        pinned || (rust(path) && !path.ends_with("findings.rs"))
    });
    proofs.extend(sources.iter().flat_map(|(path, text)| tests_of(path, text)));
    let whole = |texts: Vec<(PathBuf, String)>| texts.into_iter().map(|(_, text)| text).collect::<String>();
    let (sources, proofs) = (whole(sources), whole(proofs));
    let registry = whole(texts(&repository().join(REGISTRY), &rust));
    let codes: Vec<(&str, &str)> = registry.lines().filter_map(entry).collect();
    assert!(codes.len() > 40, "the registry is not read rightly: {codes:?}");
    let left_out = fs::read_to_string(repository().join("compiler/blueprint/tests/explanations.rs")).expect("text");
    let mut wrong = Vec::new();
    for (constant, name) in codes {
        let uses = |text: &str| {
            let path = format!("codes::{constant}");
            let mut found = text.match_indices(&path).map(|(at, _)| text.as_bytes().get(at + path.len()));
            found.any(|next| next.is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_'))
        };
        if !uses(&sources) {
            wrong.push(format!("{name} ({constant}) is used nowhere"));
        }
        // The examples of the registry are run too, except those that `explanations.rs` leaves out.
        let elsewhere = ["E05", "W05"].iter().any(|range| name.starts_with(range));
        let is_run = !elsewhere && !left_out.contains(&format!("(codes::{constant},"));
        let is_shown = is_run || proofs.contains(name) || uses(&proofs);
        if !is_shown {
            wrong.push(format!("{name} ({constant}) is in no test"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Parses a line of the registry: `DANGLING = "E0302" {`.
fn entry(line: &str) -> Option<(&str, &str)> {
    line.strip_suffix("\" {")?.trim().split_once(" = \"").filter(|(constant, _)| !constant.starts_with('/'))
}

/// All wanted files below a folder, with their content.
fn texts(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            found.extend(texts(&path, wanted));
        } else if wanted(&path) {
            let text = fs::read_to_string(&path).unwrap_or_default();
            found.push((path, text));
        }
    }
    found
}

/// The part of a file that is test code.
fn tests_of(path: &Path, text: &str) -> Option<(PathBuf, String)> {
    let is_test = path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
    let tests = if is_test { Some(text) } else { text.split_once("#[cfg(test)]").map(|(_, tests)| tests) };
    tests.map(|tests| (path.to_owned(), tests.to_owned()))
}

const REGISTRY: &str = "compiler/findings/src/codes";
const LIMIT: Duration = Duration::from_secs(120);
