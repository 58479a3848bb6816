//! Findings as SARIF 2.1.0 (OASIS), the form in which forges show them beside the lines of a change. Knows nothing
//! about repositories: the caller says where the site lies in its own. Start at [`sarif`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Code, Diagnostic, Place, Severity, confidential, explanation};

/// The facts in a log besides the findings.
pub struct Run<'a> {
    /// The version of `postkiln` that runs.
    pub version: &'a str,
    /// The site's folder, from the top of its repository: `sites/example/`, or empty when it is the top itself.
    pub prefix: &'a str,
    /// The site's main file, to which findings without a place are attached.
    pub entry: &'a str,
    /// Whether the command failed because of the findings.
    pub failed: bool,
    /// Gives the text of a file of the site.
    pub source: &'a dyn Fn(&str) -> Option<String>,
}

/// One log with one run. Rules are those of the codes found, with their explanations; fingerprints hold
/// when lines move.
#[must_use]
pub fn sarif(findings: &[Diagnostic], run: &Run<'_>) -> Value {
    let mut codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
    codes.sort();
    codes.dedup();
    let mut prints = Fingerprints { source: run.source, files: BTreeMap::new(), masked: None, seen: BTreeMap::new() };
    let results: Vec<Value> = findings.iter().map(|finding| run.result(finding, &codes, &mut prints)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "postkiln",
                "version": run.version,
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            // This id tells several sites of one repository apart.
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
    fn result(&self, finding: &Diagnostic, codes: &[Code], prints: &mut Fingerprints<'_>) -> Value {
        let mut text = finding.message.clone();
        if let Some(hint) = &finding.hint {
            let _ = write!(text, "\nhint: {hint}");
        }
        let mut result = json!({
            "ruleId": finding.code.name(),
            "ruleIndex": codes.iter().position(|code| *code == finding.code),
            "level": level(finding.code.severity()),
            "message": { "text": text },
            "locations": [{ "physicalLocation": self.location(finding.place.as_ref()) }],
            "partialFingerprints": { "primaryLocationLineHash": prints.of(finding) },
        });
        if !finding.related.is_empty() {
            let related = finding.related.iter().zip(1..).map(|((place, note), id)| {
                json!({ "id": id, "message": { "text": note }, "physicalLocation": self.location(Some(place)) })
            });
            result["relatedLocations"] = related.collect();
        }
        result
    }

    /// The location of a finding. Without a place it is the site's first line, since forges leave out findings without
    /// one.
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
}

/// Fingerprints, by which forges recognise a finding from one version of a site to the next.
struct Fingerprints<'a> {
    source: &'a dyn Fn(&str) -> Option<String>,
    /// The lines of each file.
    files: BTreeMap<String, Vec<String>>,
    /// The last line that was looked at, by file and number, without confidential parts. Kept because a file may be one
    /// long line.
    masked: Option<(String, usize, String)>,
    /// The number of findings so far with the same hash.
    seen: BTreeMap<String, usize>,
}

impl Fingerprints<'_> {
    /// Half of a hash over the parts that stay the same when lines before the finding come or go: code, file, and the
    /// text of the line without confidential parts that somebody could search for; then the number among those with the
    /// same hash.
    fn of(&mut self, finding: &Diagnostic) -> String {
        let mut hash = Sha256::new();
        hash.update(finding.code.name());
        if let Some(place) = &finding.place {
            hash.update(format!("\0{}\0", place.file));
            if confidential::is_about(finding.code) {
                let length = self.line(place).trim().chars().count();
                hash.update("*".repeat(length));
            } else {
                hash.update(self.masked(place));
            }
        }
        let alike: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let count = self.seen.entry(alike.clone()).or_insert(0);
        *count += 1;
        format!("{alike}:{count}")
    }

    fn masked(&mut self, place: &Place) -> &str {
        let number = index(place.line);
        let is_last = |(file, line, _): &(String, usize, String)| **file == *place.file && *line == number;
        if !self.masked.as_ref().is_some_and(is_last) {
            let mut line: Vec<char> = self.line(place).trim().chars().collect();
            confidential::mask(&mut line, None);
            self.masked = Some((place.file.to_string(), number, line.into_iter().collect()));
        }
        self.masked.as_ref().map_or("", |(.., text)| text)
    }

    /// The first line of a place; empty when there is no such line.
    fn line(&mut self, place: &Place) -> &str {
        let lines = self.files.entry(place.file.to_string()).or_insert_with(|| {
            let text = (self.source)(&place.file).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        });
        lines.get(index(place.line)).map_or("", String::as_str)
    }
}

/// A line from 1 as an index from 0.
fn index(line: u32) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1)
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
