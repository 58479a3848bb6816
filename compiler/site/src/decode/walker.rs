//! Walking the tree: places of values, their types, and the findings about them.

use std::cell::{OnceCell, RefCell, RefMut};
use std::collections::BTreeMap;
use std::fmt::Display;

use postkiln_findings::{Code, Severity};

use crate::answer::{Entry, Node, Span, Value};
use crate::beneath::BeneathError;
use crate::decode::defaults::Defaults;
use crate::decode::meant::Wanted;
use crate::files::Files;
use crate::lines::Lines;
use crate::population::{Each, Fault, Format, Table};
use crate::{Diagnostic, Gap, Gaps, Place, Placed, codes, suggest};

/// The findings so far, and everything needed to place new ones.
pub(super) struct Walker<'a> {
    lines: &'a Lines,
    /// The site's folder, for reading further files; `None` when there is none to read.
    files: Option<&'a Files>,
    findings: RefCell<Vec<Diagnostic>>,
    /// The largest number of findings of one code that is kept.
    most: usize,
    /// The number of findings of each code so far, kept or not.
    counts: RefCell<BTreeMap<Code, usize>>,
    /// Files that were read besides those of the evaluation, for `source/`.
    pub(super) read: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Where password hashes stand: they are blanked in `source/`.
    confidential: RefCell<Vec<Span>>,
    /// The parts that could not be read.
    gaps: RefCell<Gaps>,
    /// The schema's defaults, read when they are needed for the first time.
    defaults: OnceCell<RefCell<Defaults>>,
}

/// The outcome of a walk.
pub(super) struct Finished {
    pub(super) findings: Vec<Diagnostic>,
    /// The files that were read besides those of the evaluation, without password hashes.
    pub(super) read: BTreeMap<String, Vec<u8>>,
    /// Where password hashes stand.
    pub(super) hidden: Vec<Span>,
    pub(super) gaps: Gaps,
}

/// A value with the place for reports about it: its own, else that of its name, else that of the value around it.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub(super) node: &'a Node,
    pub(super) place: Place,
    /// Whether a person wrote the value: it, or its name, stands in a file of the site.
    pub(super) is_written: bool,
}

/// A field of a record, or an entry of a map, whose name matters.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    /// The place of the name, or else of the value.
    pub(super) place: Place,
    pub(super) value: At<'a>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(lines: &'a Lines) -> Self {
        Self {
            lines,
            files: None,
            findings: RefCell::new(Vec::new()),
            most: usize::MAX,
            counts: RefCell::new(BTreeMap::new()),
            read: RefCell::new(BTreeMap::new()),
            confidential: RefCell::new(Vec::new()),
            gaps: RefCell::default(),
            defaults: OnceCell::new(),
        }
    }

    /// Gives this walker the folder from which further files are read.
    pub(super) fn with_files(self, files: &'a Files) -> Self {
        Self { files: Some(files), ..self }
    }

    /// A walker for another file, which keeps at most `most` findings of each code.
    pub(super) fn beside<'b>(&'b self, lines: &'b Lines, most: usize) -> Walker<'b> {
        Walker { most, ..Walker::new(lines) }
    }

    /// A walker whose findings are not told.
    pub(super) fn silent(&self) -> Walker<'_> {
        Walker::new(self.lines)
    }

    /// Takes over the findings of a walker of another file, and says how many of them were not kept.
    pub(super) fn absorb(&self, other: Walker<'_>) {
        let mut findings = other.findings.into_inner();
        let counts = other.counts.into_inner().into_iter();
        for (code, count) in counts.filter(|(code, _)| code.severity() == Severity::Error) {
            let Some(more) = count.checked_sub(other.most).filter(|more| *more > 0) else { continue };
            let Some(last) = findings.iter().rfind(|finding| finding.code == code) else { continue };
            let message = format!("{more} more findings like this one in the file are not shown");
            findings.push(Diagnostic { code: codes::MORE, message, hint: None, related: Vec::new(), ..last.clone() });
        }
        self.findings.borrow_mut().extend(findings);
        self.gaps.borrow_mut().extend(other.gaps.into_inner());
    }

    /// Everything that was found besides the value itself.
    pub(super) fn finish(self) -> Finished {
        Finished {
            findings: self.findings.into_inner(),
            read: self.read.into_inner(),
            hidden: self.confidential.into_inner(),
            gaps: self.gaps.into_inner(),
        }
    }

    /// Remembers that a part could not be read.
    pub(super) fn gap(&self, gap: Gap) {
        self.gaps.borrow_mut().add(gap);
    }

    /// Whether a part could not be read, as far as the walk has come.
    pub(super) fn has_gap(&self, gap: &Gap) -> bool {
        self.gaps.borrow().lack(gap)
    }

    /// The value, or `otherwise` with a gap.
    pub(super) fn or_gap<T>(&self, value: Option<T>, gap: impl FnOnce() -> Gap, otherwise: impl FnOnce() -> T) -> T {
        value.unwrap_or_else(|| {
            self.gap(gap());
            otherwise()
        })
    }

    /// The schema's defaults.
    pub(super) fn defaults(&self) -> RefMut<'_, Defaults> {
        self.defaults.get_or_init(|| RefCell::new(Defaults::new())).borrow_mut()
    }

    /// The value that stands for one that cannot be read, decoded from `node`; whatever is found in it is not told.
    pub(super) fn stand_in<T>(
        &self,
        node: &Node,
        place: &Place,
        decode: impl FnOnce(&Walker<'_>, &At<'_>) -> Option<T>,
    ) -> Option<T> {
        let at = At { node, place: place.clone(), is_written: false };
        decode(&self.silent(), &at)
    }

    /// Reads a file beside the site.
    pub(super) fn content(&self, path: &str) -> Result<Vec<u8>, BeneathError> {
        self.files.map_or(Err(BeneathError::Absent), |files| files.read(path))
    }

    /// Gives `each` the rows of the file whose content was read last.
    pub(super) fn rows(&self, bytes: &[u8], format: Format, table: Table, each: &mut Each<'_>) {
        if let Some(files) = self.files {
            files.rows(bytes, format, table, each);
        }
    }

    /// Gives `each` the addresses in the file whose content was read last.
    pub(super) fn addresses(&self, bytes: &[u8], each: &mut dyn FnMut(Result<Node, Fault>)) {
        if let Some(files) = self.files {
            files.addresses(bytes, each);
        }
    }

    /// The place of a span, as line and column.
    pub(super) fn place(&self, span: Span) -> Place {
        self.lines.place(span)
    }

    /// The root of the tree, with its place.
    pub(super) fn root<'n>(&self, node: &'n Node) -> At<'n> {
        let place = node.span.map_or_else(|| self.lines.beginning(), |span| self.lines.place(span));
        At { node, place, is_written: true }
    }

    /// The value of one entry of the record `outer`.
    pub(super) fn entry<'n>(&self, outer: &At<'_>, entry: &'n Entry) -> At<'n> {
        self.within(outer, &entry.node, Some(entry))
    }

    /// A value within `outer`, with its name when it is an entry.
    fn within<'n>(&self, outer: &At<'_>, node: &'n Node, name: Option<&Entry>) -> At<'n> {
        // A contract for `'tag value` makes the tag anew; the value keeps its place.
        let argument = || if let Value::Tag(_, Some(argument)) = &node.value { argument.span } else { None };
        let span = node.span.or_else(|| name.and_then(|entry| entry.span)).or_else(argument);
        let place = span.map_or_else(|| outer.place.clone(), |span| self.lines.place(span));
        At { node, place, is_written: span.is_some() }
    }

    /// Records a finding with this code at this place.
    pub(super) fn report(&self, code: Code, message: impl Into<String>, place: &Place, hint: Option<&str>) {
        self.keep(Diagnostic { hint: hint.map(str::to_owned), ..Diagnostic::new(code, message).at(place) });
    }

    /// Remembers that a value is confidential.
    pub(super) fn hide(&self, at: &At<'_>) {
        self.confidential.borrow_mut().extend(at.node.span);
    }

    /// Where confidential values stand.
    pub(super) fn hidden(&self) -> Vec<Span> {
        self.confidential.borrow().clone()
    }

    /// Records that something is declared a second time.
    pub(super) fn twice(&self, message: String, place: &Place, first: &Place, hint: Option<&str>) {
        let mut finding = Diagnostic::new(codes::TWICE, message).at(place);
        finding.related(first, "first declared here");
        finding.hint = hint.map(str::to_owned);
        self.keep(finding);
    }

    fn keep(&self, finding: Diagnostic) {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(finding.code).or_default();
        *count += 1;
        if *count <= self.most || finding.severity() == Severity::Warning {
            self.findings.borrow_mut().push(finding);
        }
    }

    /// Records that a value has the wrong type.
    pub(super) fn mistyped(&self, at: &At<'_>, expected: &str, hint: Option<&str>) {
        let found = type_name(&at.node.value);
        self.report(codes::TYPE, format!("expected {expected}, found {found}"), &at.place, hint);
    }

    /// The entries of a record used as a map.
    pub(super) fn entries<'n>(&self, at: &At<'n>, what: &str) -> Option<Vec<Named<'n>>> {
        let Value::Record(entries) = &at.node.value else {
            let list = matches!(at.node.value, Value::List(_));
            let hint = "each has a name and stands in braces: `{ name = … }`";
            self.mistyped(at, &format!("{what} (a record)"), list.then_some(hint));
            return None;
        };
        let named = entries.iter().map(|entry| {
            let value = self.within(at, &entry.node, Some(entry));
            let place = entry.span.map_or_else(|| value.place.clone(), |span| self.lines.place(span));
            Named { name: &entry.name, place, value }
        });
        Some(named.collect())
    }

    /// The elements of a list.
    pub(super) fn list<'n>(&self, at: &At<'n>, what: &str) -> Option<Vec<At<'n>>> {
        let Value::List(items) = &at.node.value else {
            self.mistyped(at, &format!("a list of {what}"), Some("a list is written in brackets: `[…]`"));
            return None;
        };
        Some(items.iter().map(|item| self.within(at, item, None)).collect())
    }

    /// The text of a value that must be a string.
    pub(super) fn text<'n>(&self, at: &At<'n>, what: &str) -> Option<&'n str> {
        let Value::Text(text) = &at.node.value else {
            self.mistyped(at, &format!("{what} (a string)"), None);
            return None;
        };
        Some(text)
    }

    /// A string of one line that may go into headers and control files.
    pub(super) fn line(&self, at: &At<'_>, what: &str) -> Option<Placed<String>> {
        let text = self.text(at, what)?;
        if text.chars().any(char::is_control) {
            self.report(codes::VALUE, format!("{what} must be one line without control characters"), &at.place, None);
            return None;
        }
        Some(at.placed(text.to_owned()))
    }

    /// The value of a field that must be `true` or `false`.
    pub(super) fn boolean(&self, at: &At<'_>) -> Option<bool> {
        let Value::Bool(value) = at.node.value else {
            self.mistyped(at, "`true` or `false`", None);
            return None;
        };
        Some(value)
    }

    /// Like [`boolean`](Self::boolean), with the value's place.
    pub(super) fn switch(&self, at: &At<'_>) -> Option<Placed<bool>> {
        self.boolean(at).map(|value| at.placed(value))
    }

    /// The value behind a tag.
    pub(super) fn inside<'n>(&self, tag: &At<'_>, node: &'n Node) -> At<'n> {
        self.within(tag, node, None)
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, at: &At<'_>, least: u32, most: u32) -> Option<Placed<u32>> {
        let Value::Integer(value) = at.node.value else {
            self.mistyped(at, "a whole number", None);
            return None;
        };
        let number = u32::try_from(value).ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.report(codes::VALUE, format!("{value} is not between {least} and {most}"), &at.place, None);
        }
        number.map(|number| at.placed(number))
    }

    /// A tag without a value, one of those known.
    pub(super) fn tag<T: Copy>(&self, at: &At<'_>, known: &[(&'static str, T)]) -> Option<Placed<T>> {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let choices = names.iter().map(|name| format!("'{name}")).collect::<Vec<_>>().join(", ");
        let written = match &at.node.value {
            Value::Tag(tag, None) => tag,
            Value::Text(text) if names.contains(&text.as_str()) => {
                self.mistyped(at, &format!("one of {choices}"), Some(&format!("write '{text} without the quotes")));
                return None;
            }
            _ => {
                self.mistyped(at, &format!("one of {choices}"), None);
                return None;
            }
        };
        let found = known.iter().find(|(name, _)| name == written).map(|(_, value)| at.placed(*value));
        if found.is_none() {
            let hint = suggest::nearest(written, names).map(|near| format!("did you mean '{near}?"));
            self.report(codes::VALUE, format!("'{written} is none of {choices}"), &at.place, hint.as_deref());
        }
        found
    }

    /// Parses a string; the error's text is the message, and the hint is a suggestion that would parse.
    pub(super) fn parsed<T, E: Display>(
        &self,
        at: &At<'_>,
        what: impl Wanted,
        hint: Option<&str>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Placed<T>> {
        let text = self.text(at, what.called())?;
        self.judged(text, &at.place, &what, hint, parse).map(|value| at.placed(value))
    }

    /// The same for a text that is no value: the name of a field.
    pub(super) fn judged<T, E: Display>(
        &self,
        text: &str,
        place: &Place,
        what: &impl Wanted,
        hint: Option<&str>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let error = match parse(text) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let better = what.meant(text).filter(|better| parse(better).is_ok());
        let better = better.map(|better| format!("did you mean {better:?}?"));
        self.report(codes::VALUE, format!("not {}: {error}", what.called()), place, better.as_deref().or(hint));
        None
    }
}

impl At<'_> {
    /// The decoded value with this place.
    pub(super) fn placed<T>(&self, value: T) -> Placed<T> {
        Placed { value, place: self.place.clone() }
    }
}

/// The name of a value's type as people call it.
fn type_name(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Integer(_) => "a number".to_owned(),
        Value::Fraction(text) if text.contains('.') => format!("the fraction {text}"),
        Value::Fraction(_) => "a number that is far too large".to_owned(),
        Value::Text(_) => "a string".to_owned(),
        Value::Tag(tag, None) => format!("the tag '{tag}"),
        Value::Tag(tag, Some(_)) => format!("the tag '{tag} with a value"),
        Value::List(_) => "a list".to_owned(),
        Value::Record(_) => "a record".to_owned(),
        Value::Other(kind) => format!("a {kind}"),
    }
}
