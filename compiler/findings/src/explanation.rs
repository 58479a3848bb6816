//! The registry's explanations for reading: one code on a terminal, all codes as a page. Knows nothing about findings.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{Code, Severity, codes};

/// The explanation of one code for a terminal, without a line end after the last line.
#[must_use]
pub fn text(code: Code) -> String {
    let mut text = format!("{code}  {}: {}\n\n{}\n", word(code.severity()), code.title(), code.meaning());
    for (title, example) in [("Wrong:", code.wrong()), ("Right:", code.right())] {
        let _ = write!(text, "\n{title}\n\n");
        for (name, content) in parts(&example) {
            if let Some(name) = name {
                let _ = write!(text, "\n  {name}:\n\n");
            }
            for line in content.lines() {
                let _ = writeln!(text, "{}", format!("    {line}").trim_end());
            }
        }
    }
    text.trim_end().to_owned()
}

/// The explanation of one code as an object: `code`, `severity`, `title`, `meaning`, `wrong`, `right`.
#[must_use]
pub fn object(code: Code) -> Value {
    json!({
        "code": code.name(), "severity": word(code.severity()), "title": code.title(), "meaning": code.meaning(),
        "wrong": code.wrong(), "right": code.right(),
    })
}

/// The meaning and the examples of one code in Markdown, without a heading.
#[must_use]
pub fn markdown(code: Code) -> String {
    let mut text = format!("{}\n", code.meaning());
    for (title, example) in [("Wrong:", code.wrong()), ("Right:", code.right())] {
        let _ = write!(text, "\n{title}\n");
        for (name, content) in parts(&example) {
            let language = if name.is_some() { "text" } else { "nickel" };
            let name = name.map_or_else(String::new, |name| format!("`{name}`:\n\n"));
            let _ = write!(text, "\n{name}```{language}\n{content}\n```\n");
        }
    }
    text
}

/// The page `schemas/manual/findings.md`, which `postkiln explain --list --markdown` prints.
#[must_use]
pub fn page() -> String {
    let all = codes::all();
    let mut page = String::from(PREFACE);
    for code in &all {
        let _ = writeln!(page, "| [{code}](#{}) | {} |", code.name().to_lowercase(), code.title());
    }
    for code in all {
        let _ = write!(page, "\n## {code}\n\n{}: **{}.**\n\n{}", title(code.severity()), code.title(), markdown(code));
    }
    page
}

/// An example as the part of a site and the files beside it: a line `-- staff.csv` begins one.
fn parts(example: &str) -> Vec<(Option<&str>, &str)> {
    let mut parts = example.split("\n-- ");
    let site = parts.next().unwrap_or_default();
    let files = parts.map(|part| part.split_once('\n').unwrap_or((part, "")));
    std::iter::once((None, site)).chain(files.map(|(name, content)| (Some(name), content))).collect()
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

const fn title(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    }
}

const PREFACE: &str = "\
# Findings

Everything `postkiln` may say about a site, by code: errors (`E…`) must be mended before anything is built, warnings (`W…`)
are shown and change no exit code unless you ask with `--deny warnings`. `postkiln explain E0302` prints one entry. Examples
are parts of a site whose domain `example.org` has the users `ada` and `grace`; `\"$6$…\"` stands for a password hash.

<!-- Printed by `postkiln explain --list --markdown` from compiler/findings/src/codes: change it there. -->

| code | about |
|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_reads_as_a_page() {
        let text = text(codes::UNUSED_SIGNATURES);
        assert!(text.starts_with("W0307  warning: signature files without an engine\n\nThe site names"), "{text}");
        assert!(text.contains("\nWrong:\n\n    antivirus = { engine = 'none,"), "{text}");
        assert!(text.contains("\n\n  ours.ndb:\n\n    Ours.Test:0:*"), "{text}");
        let markdown = markdown(codes::UNUSED_SIGNATURES);
        assert!(markdown.contains("\n`ours.ndb`:\n\n```text\nOurs.Test"), "{markdown}");
    }
}
