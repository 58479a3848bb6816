//! Every section of an RFC that a protocol's code cites stands in that protocol's `COVERAGE.md`.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// An RFC and a section: `("RFC 5321", "§4.1.1")`.
type Citation = (String, String);

#[test]
fn cited_sections_are_listed() {
    let protocols = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/proto");
    let mut missing = Vec::new();
    for entry in fs::read_dir(protocols).unwrap() {
        let folder = entry.unwrap().path();
        // The folder is no crate but, for example, an editor's.
        if !folder.join("Cargo.toml").exists() {
            continue;
        }
        let coverage = folder.join("COVERAGE.md");
        let Ok(table) = fs::read_to_string(&coverage) else {
            missing.push(format!("{}: no such file", coverage.display()));
            continue;
        };
        let listed: BTreeSet<Citation> = table.lines().flat_map(citations).collect();
        for file in sources(&folder.join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            for (line, cited) in text.lines().zip(1..).flat_map(|(text, line)| citations(text).map(move |c| (line, c)))
            {
                if !listed.contains(&cited) {
                    missing.push(format!("{}:{line}: {} {}", file.display(), cited.0, cited.1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "not in COVERAGE.md:\n{}", missing.join("\n"));
}

#[test]
fn citations_are_found() {
    let found: Vec<Citation> = citations("(RFC 5321 §4.1.1, §4.5.2: RFC 2034; RFC 3207 §4.2. Then §9").collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(rfc, section)| (rfc.as_str(), section.as_str())).collect();
    assert_eq!(found, [("RFC 5321", "§4.1.1"), ("RFC 5321", "§4.5.2"), ("RFC 3207", "§4.2"), ("RFC 3207", "§9")]);
}

/// The sections a line cites; each belongs to the last RFC named before it on the line.
fn citations(line: &str) -> impl Iterator<Item = Citation> {
    let mut rfc = None;
    let mut found = Vec::new();
    for (at, c) in line.char_indices() {
        let rest = &line[at..];
        if let Some(number) = rest.strip_prefix("RFC ") {
            let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
            rfc = Some(format!("RFC {digits}"));
        } else if c == '§' {
            let section: String = rest.chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
            found.extend(rfc.clone().map(|rfc| (rfc, format!("§{}", section.trim_end_matches('.')))));
        }
    }
    found.into_iter()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else {
            files.push(path);
        }
    }
    files
}
