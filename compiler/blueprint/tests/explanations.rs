//! The examples in the explanations of all codes are true: the wrong one gives its finding, the right one does not.

#![allow(clippy::unwrap_used, reason = "a failure here is the failure of a test")]

use std::collections::BTreeSet;
use std::path::Path;

use postkiln_blueprint::lower;
use postkiln_findings::{Code, Diagnostic, Silence, codes, is_wrong, silenced};
use postkiln_site::read_unconfined;

/// Examples that cannot be run here, with the reason.
const NOT_RUN: &[(Code, &str)] = &[
    (codes::NESTING, "the evaluator ends by the limits of its process"),
    (codes::TIME, "the evaluator ends by the limits of its process"),
    (codes::MEMORY, "the evaluator ends by the limits of its process"),
    (codes::EVALUATOR, "there is no such site"),
    (codes::TOO_LARGE, "its file would be longer than this one"),
    (codes::SERIALS, "the repository around the site decides"),
    (codes::SHALLOW, "the repository around the site decides"),
    (codes::NOT_YET, "what the node obeys changes with each version"),
];

#[test]
fn wrong_examples_are_found_and_right_ones_pass() {
    let mut failures = Vec::new();
    for code in codes::all().into_iter().filter(|code| !is_left_out(*code)) {
        let wrong = findings(&code.wrong());
        if !wrong.iter().any(|finding| finding.code == code) {
            failures.push(format!("{code}: the wrong example gives {}", said(&wrong)));
        }
        let right = findings(&code.right());
        if is_wrong(&right) || right.iter().any(|finding| finding.code == code) {
            failures.push(format!("{code}: the right example gives {}", said(&right)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn is_left_out(code: Code) -> bool {
    // The findings of plans come from other commands than `check`.
    let elsewhere = ["E05", "W05"].iter().any(|range| code.name().starts_with(range));
    elsewhere || NOT_RUN.iter().any(|(left_out, _)| *left_out == code)
}

fn said(found: &[Diagnostic]) -> String {
    let each: BTreeSet<String> = found.iter().map(|finding| format!("{}: {}", finding.code, finding.message)).collect();
    if each.is_empty() { "nothing".to_owned() } else { each.into_iter().collect::<Vec<_>>().join("; ") }
}

/// The findings of `check` for an example.
fn findings(example: &str) -> Vec<Diagnostic> {
    let folder = tempfile::tempdir().unwrap();
    let mut parts = example.replace("\"$6$…\"", &format!("{HASH:?}")).replace("\\0", "\0");
    let files = parts.split_off(parts.find("\n-- ").unwrap_or(parts.len()));
    let network = if parts.contains("network") { "" } else { NETWORK };
    let site = if parts.starts_with(['{', 'l']) { parts } else { format!("{BEFORE}{network}{parts}{AFTER}") };
    let site = site.replace("HASH", &format!("{HASH:?}"));
    std::fs::write(folder.path().join("site.ncl"), &site).unwrap();
    for file in files.split("\n-- ").skip(1) {
        let (name, content) = file.split_once('\n').unwrap_or((file, ""));
        let path = folder.path().join(name.trim());
        std::fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new("."))).unwrap();
        std::fs::write(path, format!("{content}\n")).unwrap();
    }
    let (complete, found) = match read_unconfined(folder.path()) {
        Err(unsound) => (false, unsound.findings),
        Ok((site, mut found)) => {
            found.extend(lower(&site).map_or_else(|found| found, |(_, found)| found));
            (!is_wrong(&found), found)
        }
    };
    silenced(found, &Silence { everywhere: Vec::new(), files: vec![("site.ncl", &site)], complete })
}

/// The text before an example that is a part of a site. The example's values win over these defaults.
const BEFORE: &str = r#"let pk = import "postkiln/site.ncl" in
{
  appliance.hostname = "mail.example.org",
  domains."example.org" = {
    postmaster | default = "ada",
    users = {
      ada.password | default = { hash = HASH },
      grace.password | default = { hash = HASH },
    },
  },
"#;
/// A network, for examples that are not about it.
const NETWORK: &str = r#"
  appliance.network = { address = "192.0.2.25/24", gateway = "192.0.2.1", resolvers = ["192.0.2.53"] },
"#;
const AFTER: &str = "\n} | pk.Site\n";
const HASH: &str = "$6$salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
