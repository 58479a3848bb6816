//! Rewriting a site of an older version of the language into the newest: names change where they stand in the text, and
//! comments and layout stay. Start at [`migrate`].

use std::collections::BTreeMap;
use std::path::Path;

use crate::answer::Span;
use crate::beneath::Beneath;
use crate::evaluate::{self, Named, Names};
use crate::lines::Lines;
use crate::read::{finding, locate};
use crate::{Diagnostic, Place, VERSION};

/// The changes that a migration would make to a site.
#[derive(Debug)]
pub struct Migration {
    /// The version the site was written in.
    pub from: u32,
    /// New contents of the files that change, by path below the site's root.
    pub files: BTreeMap<String, String>,
    /// Each change with its place, as a sentence.
    pub changes: Vec<(Place, String)>,
}

/// Finds what has to change in the site at `path` for the newest version of the language. Nothing is written.
///
/// # Errors
/// With the findings that keep the site from being read or rewritten.
pub fn migrate(path: &Path) -> Result<Migration, Vec<Diagnostic>> {
    let (root, entry) = locate(path)?;
    let beneath = Beneath::open(&root).map_err(|error| crate::child::unreadable(&root, &error).troubles);
    let names = beneath.and_then(|beneath| evaluate::names(&beneath, &entry)).map_err(|troubles| {
        let lines = Lines::new(&[(entry.clone(), Vec::new())]);
        troubles.iter().map(|trouble| finding(trouble, &lines)).collect::<Vec<_>>()
    })?;
    Ok(moved(&names, STEPS, VERSION))
}

/// The changes from one version of the language to the next.
struct Step {
    /// The version that this step leads to.
    to: u32,
    /// Fields and their new names. `*` stands for any name.
    renamed: &'static [(&'static [&'static str], &'static str)],
}

/// The changes of all versions. Version 1 is the first.
const STEPS: &[Step] = &[];

fn moved(names: &Names, steps: &[Step], newest: u32) -> Migration {
    let lines = Lines::new(&names.files);
    let stated = names.fields.iter().find(|field| field.path == ["version"]);
    let written = stated.and_then(|field| field.value).and_then(|span| text(names, span)?.trim().parse().ok());
    let from = written.unwrap_or(1);
    let mut edits = Vec::new();
    for step in steps.iter().filter(|step| step.to > from && step.to <= newest) {
        for (path, new) in step.renamed {
            let found = names.fields.iter().filter(|field| matches(&field.path, path));
            edits.extend(found.map(|field| Edit {
                span: field.name,
                new: (*new).to_owned(),
                why: format!("`{}` is called `{new}` now", field.path.last().map_or("", String::as_str)),
            }));
        }
    }
    if stated.is_none() || from < newest {
        edits.extend(version(names, stated, newest));
    }
    // A field that is reached in two ways is rewritten once.
    edits.sort_by(|one, other| (one.span, &one.new).cmp(&(other.span, &other.new)));
    edits.dedup_by(|one, other| one.span == other.span);
    let changes = edits.iter().map(|edit| (lines.place(edit.span), edit.why.clone())).collect();
    Migration { from, files: rewritten(names, &edits), changes }
}

/// One replacement in the text.
struct Edit {
    span: Span,
    new: String,
    why: String,
}

/// The edit that states the newest version: in its place, or before the first field of the outer record.
fn version(names: &Names, stated: Option<&Named>, newest: u32) -> Option<Edit> {
    let why = format!("the site says that it is of version {newest}");
    if let Some(span) = stated.and_then(|field| field.value) {
        return Some(Edit { span, new: newest.to_string(), why });
    }
    let root = *names.roots.first()?;
    let within = text(names, root)?.strip_prefix('{')?;
    // New text is indented like the first line of the record.
    let blank = within.len() - within.trim_start().len();
    let gap = within.get(..blank)?;
    let indent = gap.rsplit_once('\n').map(|(_, indent)| indent);
    let new = match indent {
        Some(indent) => format!("\n{indent}version = {newest},"),
        None => format!(" version = {newest},"),
    };
    let at = root.start + 1;
    Some(Edit { span: Span { start: at, end: at, ..root }, new, why })
}

fn matches(path: &[String], pattern: &[&str]) -> bool {
    path.len() == pattern.len() && path.iter().zip(pattern).all(|(name, wanted)| *wanted == "*" || name == wanted)
}

fn text(names: &Names, span: Span) -> Option<&str> {
    let (_, bytes) = names.files.get(usize::try_from(span.file).ok()?)?;
    let range = usize::try_from(span.start).ok()?..usize::try_from(span.end).ok()?;
    std::str::from_utf8(bytes.get(range)?).ok()
}

/// The changed files after all edits. `edits` are sorted and do not overlap.
fn rewritten(names: &Names, edits: &[Edit]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (index, (path, bytes)) in names.files.iter().enumerate() {
        let Ok(whole) = std::str::from_utf8(bytes) else { continue };
        let mine: Vec<&Edit> = edits.iter().filter(|edit| usize::try_from(edit.span.file) == Ok(index)).collect();
        if mine.is_empty() {
            continue;
        }
        let mut new = whole.to_owned();
        for edit in mine.iter().rev() {
            let (Ok(start), Ok(end)) = (usize::try_from(edit.span.start), usize::try_from(edit.span.end)) else {
                continue;
            };
            if whole.get(start..end).is_some() {
                new.replace_range(start..end, &edit.new);
            }
        }
        files.insert(path.clone(), new);
    }
    files
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;

    /// A version that never existed, for the tests.
    const LATER: &[Step] = &[
        Step { to: 2, renamed: &[(&["domains", "*", "catch_all"], "unknown"), (&["dns", "address"], "ipv4")] },
        Step { to: 3, renamed: &[(&["domains", "*", "users", "*", "quota"], "size")] },
    ];

    fn check(files: &[(&str, &str)], newest: u32, expected: &[(&str, &str)]) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let beneath = Beneath::open(folder.path()).unwrap();
        let names = evaluate::names(&beneath, "site.ncl").unwrap_or_else(|_| unreachable!("the site is read"));
        let migration = moved(&names, LATER, newest);
        let got: Vec<(&str, &str)> = migration.files.iter().map(|(path, new)| (path.as_str(), new.as_str())).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn names_change_and_comments_stay() {
        let before = "\
# The office.
let pk = import \"postkiln/site.ncl\" in
{
  domains.\"example.org\" = {
    # nobody else
    catch_all = 'reject, # yet
    users.ada = { quota = \"1 GiB\" },
  },
  dns = { address = \"192.0.2.1\" },
} | pk.Site
";
        let after = "\
# The office.
let pk = import \"postkiln/site.ncl\" in
{
  version = 2,
  domains.\"example.org\" = {
    # nobody else
    unknown = 'reject, # yet
    users.ada = { quota = \"1 GiB\" },
  },
  dns = { ipv4 = \"192.0.2.1\" },
} | pk.Site
";
        check(&[("site.ncl", before)], 2, &[("site.ncl", after)]);
        let newest = after.replace("version = 2", "version = 3").replace("quota", "size");
        check(&[("site.ncl", before)], 3, &[("site.ncl", &newest)]);
        check(&[("site.ncl", after)], 2, &[]);
        check(&[("site.ncl", after)], 3, &[("site.ncl", &newest)]);
    }

    #[test]
    fn parts_are_followed_where_they_stand() {
        let site = "let pk = import \"postkiln/site.ncl\" in\nlet org = import \"org.ncl\" in\n\
            ({ version = 1, domains.\"example.org\" = org } & (import \"dns.ncl\")) | pk.Site\n";
        let files = [
            ("site.ncl", site),
            ("org.ncl", "{ catch_all = 'reject }"),
            ("dns.ncl", "# ours\n{ dns.address = \"192.0.2.1\" }"),
        ];
        let moved = site.replace("version = 1", "version = 2");
        let expected = [
            ("dns.ncl", "# ours\n{ dns.ipv4 = \"192.0.2.1\" }"),
            ("org.ncl", "{ unknown = 'reject }"),
            ("site.ncl", &moved),
        ];
        check(&files, 2, &expected);
    }
}
