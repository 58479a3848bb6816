//! How findings are given to people and programs: explanations, SARIF.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::path::Path;
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

/// What SARIF 2.1.0 asks of a log (the parts of its schema that ours has), and what forges ask besides: a place in every
/// result, paths from the top of the repository.
#[test]
fn findings_are_given_as_sarif() {
    let case = "tests/rejects/several-mistakes";
    let ended = postkiln(&["check", "--sarif", case], repository());
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

const LIMIT: Duration = Duration::from_secs(120);
