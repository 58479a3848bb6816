//! The promises of every finding to the person who sees it: its places exist, and nothing in it reaches the terminal
//! raw.

use postkiln_findings::{Diagnostic, Layout, finding_json, is_wrong};

/// Gives the content of a file of the site.
pub(crate) type Source<'a> = &'a dyn Fn(&str) -> Vec<u8>;

/// Checks a refusal: one of its findings is an error.
pub(crate) fn check_refusal(source: Source<'_>, findings: &[Diagnostic]) {
    assert!(is_wrong(findings), "refused without a reason");
    findings.iter().for_each(|finding| check(source, finding));
}

/// Checks one finding, error or warning.
pub(crate) fn check(source: Source<'_>, finding: &Diagnostic) {
    let text = |file: &str| String::from_utf8_lossy(&source(file)).into_owned();
    let places = finding.place.iter().chain(finding.related.iter().map(|(place, _)| place));
    for place in places {
        let text = text(&place.file);
        for (line, column) in [(place.line, place.column), (place.end_line, place.end_column)] {
            let (line, column) = (usize::try_from(line).expect("small"), usize::try_from(column).expect("small"));
            let lines: Vec<&str> = text.split('\n').collect();
            let within = lines.get(line.wrapping_sub(1)).map(|line| line.chars().count() + 1);
            // The end of a range of whole lines may be the beginning of the next one.
            assert!(within.is_some_and(|within| (1..=within).contains(&column)), "{finding:?} is not in its file");
        }
        assert!((place.line, place.column) <= (place.end_line, place.end_column), "{finding:?} ends before it begins");
    }
    let shown = |file: &str| Some(postkiln_site::shown(file, text(file)).into());
    let shown = Layout { prefix: "", colour: false, source: &shown }.text(finding);
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?} would reach a terminal");
    let _ = finding_json(finding);
}
