//! Silencing warnings where they stand: by `# postkiln: allow W0302` at the end of a line or on a line of its own
//! before it, and for the whole site by the field `silence`. A silence without effect is a finding itself, so that none
//! outlives its reason; an error cannot be silenced. Start at [`silenced`].

use crate::{Code, Diagnostic, Place, Severity, codes, nickel};

/// The site's own words about findings.
#[derive(Debug, Default)]
pub struct Silence<'a> {
    /// Codes that are silenced everywhere, with the place of each.
    pub everywhere: Vec<(Code, &'a Place)>,
    /// Names and texts of the site's Nickel files.
    pub files: Vec<(&'a str, &'a str)>,
    /// Whether all checks were made. After an error they were not, and silences without effect are not reported.
    pub complete: bool,
}

/// A code that is silenced on one line.
struct Allow {
    code: Code,
    place: Place,
    line: u32,
}

/// The findings without the silenced ones, and with those about silencing itself, in source order.
#[must_use]
pub fn silenced(findings: Vec<Diagnostic>, silence: &Silence<'_>) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    let mut allows = Vec::new();
    for (name, text) in &silence.files {
        allows.extend(written(name, text, &mut wrong));
    }
    let mut used = vec![false; allows.len()];
    let mut used_everywhere = vec![false; silence.everywhere.len()];
    let mut kept = Vec::with_capacity(findings.len());
    for finding in findings {
        let here = allows.iter().zip(&mut used).filter(|(allow, _)| allow.covers(&finding));
        let everywhere =
            silence.everywhere.iter().zip(&mut used_everywhere).filter(|((code, _), _)| *code == finding.code);
        let marks: Vec<&mut bool> = here.map(|(_, mark)| mark).chain(everywhere.map(|(_, mark)| mark)).collect();
        if marks.is_empty() || finding.severity() == Severity::Error {
            kept.push(finding);
        } else {
            marks.into_iter().for_each(|mark| *mark = true);
        }
    }
    if silence.complete && wrong.is_empty() {
        let lines =
            allows.iter().zip(used).filter(|(_, used)| !used).map(|(allow, _)| (allow.code, &allow.place, " here"));
        let everywhere = silence.everywhere.iter().zip(used_everywhere).filter(|(_, used)| !used);
        for (code, place, here) in lines.chain(everywhere.map(|((code, place), _)| (*code, *place, ""))) {
            wrong.push(in_vain(code, place, here));
        }
    }
    kept.extend(wrong);
    crate::in_order(kept)
}

/// The code that `name` silences.
///
/// # Errors
/// When there is no code of this name, or it is that of an error.
pub fn silenceable(name: &str, place: &Place) -> Result<Code, Diagnostic> {
    let Some(code) = codes::find(name) else {
        let mut finding = Diagnostic::new(codes::SILENCE_UNKNOWN, format!("there is no finding {name:?}")).at(place);
        match codes::nearest(name) {
            Some(near) => finding.hint(format!("did you mean {near}?")),
            None => finding.hint("`postkiln explain --list` shows all codes"),
        };
        return Err(finding);
    };
    if code.severity() == Severity::Error {
        let mut finding =
            Diagnostic::new(codes::SILENCE_ERROR, format!("{code} is an error, and errors cannot be silenced"))
                .at(place);
        finding.hint(format!("mend it: `postkiln explain {code}` shows how"));
        return Err(finding);
    }
    Ok(code)
}

impl Allow {
    fn covers(&self, finding: &Diagnostic) -> bool {
        let here = |place: &Place| place.file == self.place.file && place.line == self.line;
        finding.code == self.code && finding.place.as_ref().is_some_and(here)
    }
}

fn in_vain(code: Code, place: &Place, here: &str) -> Diagnostic {
    let mut finding =
        Diagnostic::new(codes::SILENCES_NOTHING, format!("{code} is silenced and not found{here}")).at(place);
    finding.hint("remove it, so that the next one is shown");
    finding
}

/// The silences in the comments of a file. A comment that begins as ours and is malformed is reported.
fn written(file: &str, text: &str, wrong: &mut Vec<Diagnostic>) -> Vec<Allow> {
    let comments = nickel::comments(text);
    let mut allows = Vec::new();
    for (start, end) in &comments {
        let comment = text.get(*start..*end).unwrap_or_default();
        let Some(said) = comment.trim_start_matches('#').trim_start().strip_prefix("postkiln:") else { continue };
        let before = text.get(..*start).unwrap_or_default();
        let alone = before.rsplit('\n').next().unwrap_or_default().trim().is_empty();
        let own = line_of(before);
        let line = if alone { next_line(text, own, *end) } else { own };
        let words = said.strip_prefix([' ', '\t']).and_then(|said| said.trim_start().strip_prefix("allow "));
        let names: Vec<&str> = words.map(names).unwrap_or_default();
        if names.is_empty() {
            let place = place(file, text, *start, *end);
            let mut finding =
                Diagnostic::new(codes::SILENCE_FORM, "a comment to Postkiln that it does not understand").at(&place);
            finding.hint("write `# postkiln: allow W0302`, and after it why if you like");
            wrong.push(finding);
        }
        for name in names {
            let at = *start + comment.find(name).unwrap_or(0);
            let place = place(file, text, at, at + name.len());
            match silenceable(name, &place) {
                Ok(code) => allows.push(Allow { code, place, line }),
                Err(finding) => wrong.push(finding),
            }
        }
    }
    allows
}

/// The words at the beginning that look like codes.
fn names(words: &str) -> Vec<&str> {
    let looks = |word: &&str| {
        let mut letters = word.chars();
        let begins = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
        begins && word.len() > 1 && letters.all(|c| c.is_ascii_digit())
    };
    let words = words.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    words.map(|word| word.trim_end_matches([':', ';', '.'])).take_while(looks).collect()
}

/// The line, from 1, in which a text ends.
fn line_of(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}

/// The next line after `own` that holds more than a comment.
fn next_line(text: &str, own: u32, end: usize) -> u32 {
    let rest = text.get(end..).unwrap_or_default().lines().skip(1);
    let holds = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let skipped = rest.take_while(|line| !holds(line)).count();
    own.saturating_add(1).saturating_add(u32::try_from(skipped).unwrap_or(u32::MAX))
}

fn place(file: &str, text: &str, start: usize, end: usize) -> Place {
    let column = |at: usize| {
        let line = text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
        u32::try_from(line.chars().count()).unwrap_or(u32::MAX).saturating_add(1)
    };
    let line = line_of(text.get(..start).unwrap_or_default());
    Place { file: file.into(), line, column: column(start), end_line: line, end_column: column(end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: Code, line: u32) -> Diagnostic {
        let place = Place { file: "site.ncl".into(), line, column: 1, end_line: line, end_column: 2 };
        Diagnostic::new(code, "said").at(&place)
    }

    /// Silences in a text with `W0303` in line 3 and `E0302` in line 5, and the findings that are left.
    fn check(text: &str, everywhere: &[Code], expected: &[&str]) {
        let findings = vec![found(codes::NO_PASSWORD, 3), found(codes::DANGLING, 5)];
        let top = Place { file: "site.ncl".into(), line: 9, column: 1, end_line: 9, end_column: 2 };
        let everywhere = everywhere.iter().map(|code| (*code, &top)).collect();
        let silence = Silence { everywhere, files: vec![("site.ncl", text)], complete: true };
        let left = silenced(findings, &silence);
        let said: Vec<String> = left
            .iter()
            .map(|finding| format!("{}:{}", finding.place.as_ref().map_or(0, |place| place.line), finding.code))
            .collect();
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn warnings_are_silenced_where_they_stand() {
        check("1\n2\n3 # postkiln: allow W0303\n", &[], &["5:E0302"]);
        check("1\n# postkiln: allow W0303: she reads on paper\n3", &[], &["5:E0302"]);
        check("# postkiln: allow W0303, W0303\n# more\n3", &[], &["5:E0302"]);
        check("\"# postkiln: allow W0303\"\n2\n3", &[], &["3:W0303", "5:E0302"]);
        check("1", &[codes::NO_PASSWORD], &["5:E0302"]);
    }

    #[test]
    fn silencing_is_looked_at_itself() {
        check("1\n2 # postkiln: allow W0303\n3", &[codes::NO_PASSWORD], &["2:W0230", "5:E0302"]);
        check("1\n2\n3 # postkiln: allow W0303, W0302", &[], &["3:W0230", "5:E0302"]);
        check("1", &[codes::EMPTY_LIST], &["3:W0303", "5:E0302", "9:W0230"]);
        check("1\n2\n3\n4\n5 # postkiln: allow E0302", &[], &["3:W0303", "5:E0302", "5:E0230"]);
        check("1 # postkiln: allow W9999", &[], &["1:E0231", "3:W0303", "5:E0302"]);
        check("1 # postkiln: alow W0303", &[], &["1:E0232", "3:W0303", "5:E0302"]);
        check("1 # postkiln is what we allow", &[], &["3:W0303", "5:E0302"]);
    }
}
