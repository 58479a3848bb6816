//! Populations: tables of people and of aliases in files beside the site, as CSV or as one JSON object a line.
//!
//! Each row becomes a record of the same form as one written in the site, with the place of every cell; the values are
//! judged by the same code as those of the site (`decode`). Knows which columns there are (`columns`) and nothing about
//! users. Start at [`read`].

mod columns;
mod csv;
mod json;
mod jsonl;
mod plain;

use postkiln_findings::Code;
use serde::{Deserialize, Serialize};

use crate::answer::{Node, Span, Value};
use crate::codes;

#[cfg(test)]
pub(crate) use columns::USERS;
pub(crate) use columns::{Column, Table, known};
pub(crate) use json::answer;
pub(crate) use plain::addresses;

/// The form of a file of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Format {
    /// A header and rows of cells (RFC 4180); cells are separated by commas, semicolons or tabs, as the header shows.
    Csv,
    /// A JSON object on each line.
    JsonLines,
}

/// One row of a file, as a record of the site's form.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The value of the column `name`.
    pub(crate) key: String,
    /// The place of that value.
    pub(crate) place: Span,
    /// The other columns, in the form in which a site gives the same thing.
    pub(crate) node: Node,
}

/// A mistake in the form of a file, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    #[serde(with = "by_name")]
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) span: Span,
    pub(crate) hint: Option<String>,
}

/// Takes rows and faults in the order of the file.
pub(crate) type Each<'a> = dyn FnMut(Result<Record, Fault>) + 'a;

impl Format {
    /// The format that a file's name ends in.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// A code by its name.
mod by_name {
    use postkiln_findings::{Code, codes};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(code: &Code, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(code.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
        codes::find(<&str>::deserialize(from)?).ok_or_else(|| D::Error::custom("there is no such code"))
    }
}

/// Reads a file of rows of a table. All spans count in file 0.
pub(crate) fn read(bytes: &[u8], format: Format, table: Table, each: &mut Each<'_>) {
    let columns = table.columns();
    let text = match text(bytes) {
        Ok(text) => text,
        Err(fault) => return each(Err(fault)),
    };
    let (mut values, mut is_full) = (0, false);
    let mut counted = |row: Result<Record, Fault>| {
        values += row.as_ref().map_or(0, |record| size(&record.node));
        match &row {
            _ if is_full => {}
            Ok(record) if values > MOST_VALUES => {
                is_full = true;
                let message = format!("the file has more than {MOST_VALUES} values");
                each(Err(Fault { span: record.place, ..fault(codes::TOO_LARGE, message, 0..0) }));
            }
            _ => each(row),
        }
    };
    match format {
        Format::Csv => csv::read(text, columns, &mut counted),
        Format::JsonLines => jsonl::read(text, columns, &mut counted),
    }
}

/// How many values a node holds, itself among them.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Record(entries) => 1 + entries.iter().map(|entry| size(&entry.node)).sum::<usize>(),
        _ => 1,
    }
}

/// The content of a file as it may be shown: in a population, `*` stands for every character of a column that is not
/// known to be harmless. An unknown column may hold passwords.
#[must_use]
pub fn shown(path: &str, text: String) -> String {
    if Format::of(path) != Some(Format::Csv) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for range in csv::confidential(&text) {
        shown.push_str(text.get(at..range.start).unwrap_or_default());
        let hidden = text.get(range.clone()).unwrap_or_default().chars();
        shown.extend(hidden.map(|c| if matches!(c, '\n' | '\r') { c } else { '*' }));
        at = range.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

/// The bytes as text, when they are text.
fn text(bytes: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let hint = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            "the file is in UTF-16; save it as UTF-8"
        } else {
            "save the file as UTF-8"
        };
        fault(codes::NOT_TEXT, "the file is not UTF-8 text", error.valid_up_to()..error.valid_up_to()).hint(hint)
    })?;
    match text.find('\0') {
        Some(at) => {
            let hint = "save the file as plain text in UTF-8";
            Err(fault(codes::NOT_TEXT, "the file has a NUL character", at..at + 1).hint(hint))
        }
        None => Ok(text),
    }
}

/// A span of file 0.
fn span(range: std::ops::Range<usize>) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { file: 0, start: offset(range.start), end: offset(range.end) }
}

fn fault(code: Code, message: impl Into<String>, range: std::ops::Range<usize>) -> Fault {
    Fault { code, message: message.into(), span: span(range), hint: None }
}

impl Fault {
    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Gives a row's values in the places that the site's form has for them. One of them names the row.
fn record(row: Span, values: Vec<(&'static Column, Node)>, each: &mut Each<'_>) {
    let mut key = None;
    let mut node = Node { span: Some(row), value: Value::Record(Vec::new()) };
    let present: Vec<&'static Column> = values.iter().map(|(column, _)| *column).collect();
    for (column, value) in values {
        if column.is_key() {
            key = Some(value);
        } else if let Some(hint) = column.misses(&present) {
            let message = format!("`{}` says nothing by itself", column.name);
            each(Err(
                Fault { span: value.span.unwrap_or(row), ..fault(codes::REFINES_NOTHING, message, 0..0) }.hint(hint)
            ));
        } else {
            columns::put(&mut node, column.path, value);
        }
    }
    if let Some(Node { span, value: Value::Text(key) }) = key {
        each(Ok(Record { key, place: span.unwrap_or(row), node }));
    }
}

/// The byte order mark that spreadsheets write; it is no part of the first name.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The largest number of rows: more people than one machine serves.
const MOST_ROWS: usize = 1_000_000;
/// The largest number of values in a file: each takes a hundred octets of memory, however few it takes in the file.
const MOST_VALUES: usize = 4_000_000;
/// The largest cell, in octets: longer than any meant value.
const LONGEST_CELL: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(shown("a.csv", text.to_owned()), expected);
    }

    #[test]
    fn cells_with_hashes_are_never_shown() {
        check(
            "name,full_name,password_hash,quota\nada,\u{c9}da,s\u{e9}cret,5\n\"a\nb\",c,\"se\ncret\",6,also\n",
            "name,full_name,password_hash,quota\nada,\u{c9}da,******,5\n\"a\nb\",c,***\n*****,6,****\n",
        );
        check("name,pass\nada,secret\n", "name,pass\nada,******\n");
        check("name,password_hash\nada,sec\"ret\nb,c\n", "name,password_hash\n***********\nb,*\n");
        check("name,quota\nada,5 \"GiB\n", "name,quota\nada,5 \"GiB\n");
        check("", "");
    }
    #[test]
    fn a_file_has_only_so_many_values() {
        let row = |name: usize| format!("u{name},{}\n", "a ".repeat(LONGEST_CELL / 2));
        let rows: String = (0..=MOST_VALUES / (LONGEST_CELL / 2)).map(row).collect();
        let (mut good, mut wrong) = (0, Vec::new());
        read(format!("name,aliases\n{rows}").as_bytes(), Format::Csv, Table::Users, &mut |row| match row {
            Ok(_) => good += 1,
            Err(fault) => wrong.push(fault.code),
        });
        assert_eq!((good, wrong), (MOST_VALUES / (LONGEST_CELL / 2), vec![codes::TOO_LARGE]));
    }
}
