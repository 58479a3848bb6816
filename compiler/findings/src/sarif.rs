//! Findings as SARIF 2.1.0 (OASIS), the form in which forges show them beside the lines of a change. Knows nothing about
//! repositories: the caller says where in its own the site lies. Start at [`sarif`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Code, Diagnostic, Place, Severity, confidential, explanation};

/// What a log says besides the findings.
pub struct Run<'a> {
    /// The version of `postkiln`.
    pub version: &'a str,
    /// The site's folder, from the top of its repository: `sites/example/`, or nothing when it is the top itself.
    pub prefix: &'a str,
    /// The site's main file: what a finding without a place is about.
    pub entry: &'a str,
    /// Whether the findings ended the command.
    pub failed: bool,
    /// The text of a file of the site.
    pub source: &'a dyn Fn(&str) -> Option<String>,
}

/// One log with one run. Rules are those of the codes found, with their explanations; fingerprints hold when lines move.
#[must_use]
pub fn sarif(findings: &[Diagnostic], run: &Run<'_>) -> Value {
    let mut codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
    codes.sort();
    codes.dedup();
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = findings.iter().map(|finding| run.result(finding, &codes, &mut seen)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "postkiln",
                "version": run.version,
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            // Several sites of one repository are told apart by this.
            "automationDetails": { "id": format!("postkiln/{}", run.prefix) },
            "invocations": [{ "executionSuccessful": !run.failed }],
            "originalUriBaseIds": { ROOT: { "description": { "text": "the top folder of the repository" } } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.name(),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": code.meaning() },
        "help": { "text": explanation::text(code), "markdown": explanation::markdown(code) },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

impl Run<'_> {
    /// One finding. `seen` counts those that are alike.
    fn result(&self, finding: &Diagnostic, codes: &[Code], seen: &mut BTreeMap<String, usize>) -> Value {
        let mut text = finding.message.clone();
        if let Some(hint) = &finding.hint {
            let _ = write!(text, "\nhint: {hint}");
        }
        let alike = self.fingerprint(finding);
        let count = seen.entry(alike.clone()).or_insert(0);
        *count += 1;
        let mut result = json!({
            "ruleId": finding.code.name(),
            "ruleIndex": codes.iter().position(|code| *code == finding.code),
            "level": level(finding.code.severity()),
            "message": { "text": text },
            "locations": [{ "physicalLocation": self.location(finding.place.as_ref()) }],
            "partialFingerprints": { "primaryLocationLineHash": format!("{alike}:{count}") },
        });
        if !finding.related.is_empty() {
            let related = finding.related.iter().zip(1..).map(|((place, note), id)| {
                json!({ "id": id, "message": { "text": note }, "physicalLocation": self.location(Some(place)) })
            });
            result["relatedLocations"] = related.collect();
        }
        result
    }

    /// A finding without a place is about the site: its first line, since forges leave out what has none.
    fn location(&self, place: Option<&Place>) -> Value {
        let file = place.map_or(self.entry, |place| &*place.file);
        let region = place.map_or_else(
            || json!({ "startLine": 1 }),
            |place| {
                json!({
                    "startLine": place.line, "startColumn": place.column,
                    "endLine": place.end_line, "endColumn": place.end_column,
                })
            },
        );
        let uri = escaped(&format!("{}{file}", self.prefix));
        json!({ "artifactLocation": { "uri": uri, "uriBaseId": ROOT }, "region": region })
    }

    /// Half of a hash over what stays the same when lines before it come or go: code, file, and the text of the line, in
    /// which nothing confidential is left that somebody could search for.
    fn fingerprint(&self, finding: &Diagnostic) -> String {
        let mut hash = Sha256::new();
        hash.update(finding.code.name());
        if let Some(place) = &finding.place {
            let source = (self.source)(&place.file).unwrap_or_default();
            let number = usize::try_from(place.line).unwrap_or(usize::MAX).saturating_sub(1);
            let mut line: Vec<char> = source.lines().nth(number).unwrap_or_default().trim().chars().collect();
            let whole = finding.code.is_confidential().then_some(0..line.len());
            confidential::mask(&mut line, whole);
            hash.update(format!("\0{}\0{}", place.file, line.iter().collect::<String>()));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A path as a relative reference (RFC 3986 §4.2).
fn escaped(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    path.bytes().fold(String::new(), |mut text, byte| {
        if plain(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// The usual name of the folder that paths are relative to.
const ROOT: &str = "%SRCROOT%";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes;

    fn place(line: u32) -> Place {
        Place { file: "site.ncl".into(), line, column: 3, end_line: line, end_column: 9 }
    }

    fn log(text: &str, line: u32) -> Value {
        let mut finding = Diagnostic::new(codes::UNKNOWN_FIELD, "unknown field `quotta`").at(&place(line));
        finding.hint("did you mean `quota`?").related(&place(1), "here");
        let source = |_: &str| Some(text.to_owned());
        let run = Run { version: "1", prefix: "my sites/", entry: "site.ncl", failed: true, source: &source };
        sarif(&[finding.clone(), Diagnostic::new(codes::NO_DOMAIN, "none"), finding], &run)
    }

    #[test]
    fn a_result_says_what_and_where() {
        let log = log("a\n{ quotta = 1 }\n", 2);
        let results = &log["runs"][0]["results"];
        assert_eq!(results[0]["ruleId"], "E0203");
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][0]["id"], "E0203");
        assert_eq!(results[0]["ruleIndex"], 0);
        assert_eq!(results[0]["message"]["text"], "unknown field `quotta`\nhint: did you mean `quota`?");
        let location = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"], json!({ "uri": "my%20sites/site.ncl", "uriBaseId": "%SRCROOT%" }));
        assert_eq!(location["region"], json!({ "startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 9 }));
        assert_eq!(results[0]["relatedLocations"][0]["message"]["text"], "here");
        assert_eq!(results[1]["locations"][0]["physicalLocation"]["region"], json!({ "startLine": 1 }));
    }

    #[test]
    fn fingerprints_hold_when_lines_move_and_tell_the_same_apart() {
        let print = |log: &Value, index: usize| {
            log["runs"][0]["results"][index]["partialFingerprints"]["primaryLocationLineHash"].clone()
        };
        let (before, after) = (log("a\n{ quotta = 1 }\n", 2), log("a\nb\n  { quotta = 1 }\n", 3));
        assert_eq!(print(&before, 0), print(&after, 0));
        assert_ne!(print(&before, 0), print(&before, 2));
        assert_ne!(print(&before, 0), print(&log("a\n{ quotta = 2 }\n", 2), 0));
        let hashed = |hash: &str| print(&log(&format!("a\npassword.hash = \"{hash}\"\n"), 2), 0);
        assert_eq!(hashed("$6$one"), hashed("$6$two"), "a fingerprint tells nothing about a password");
    }
}
