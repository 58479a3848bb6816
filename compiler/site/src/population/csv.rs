//! CSV (RFC 4180) with the place of every cell. Written here because no reader at hand tells where a cell stands,
//! quotes and all, or goes on after a mistake in quoting. Start at [`read`]; [`Rows`] is the grammar.

use std::borrow::Cow;
use std::ops::Range;

use super::{BYTE_ORDER_MARK, Column, Each, Fault, LONGEST_CELL, MOST_ROWS, columns, fault, record, span};
use crate::answer::Node;
use crate::{codes, suggest};

/// A cell: its value, and the bytes it takes in the file, quotes included.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) range: Range<usize>,
}

/// An iterator over rows of cells. Blank lines are skipped.
pub(crate) struct Rows<'a> {
    text: &'a str,
    at: usize,
    separator: u8,
}

/// Reads a header and the rows below it.
pub(super) fn read(text: &str, columns: &'static [Column], each: &mut Each<'_>) {
    let mut rows = Rows::new(text);
    let head = match rows.next() {
        Some(Ok(head)) => head,
        Some(Err((fault, _))) => return each(Err(fault)),
        None => Vec::new(),
    };
    let Some(known) = header(&head, columns, each) else { return };
    for (number, row) in rows.enumerate() {
        let mut cells = match row {
            Ok(cells) => cells,
            Err((fault, _)) => {
                each(Err(fault));
                continue;
            }
        };
        if is_blank(&cells) {
            continue;
        }
        let whole = extent(&cells);
        if number == MOST_ROWS {
            return each(Err(fault(codes::TOO_LARGE, format!("the file has more than {MOST_ROWS} rows"), whole)));
        }
        // A spreadsheet writes as many cells as its widest row has.
        while cells.len() > known.len() && cells.last().is_some_and(|cell| cell.text.is_empty()) {
            cells.pop();
        }
        if cells.len() != known.len() {
            let message = format!("the row has {}, the header {}", plural(cells.len()), known.len());
            let hint = "a value with the separator in it stands in double quotes; an empty value keeps its place";
            each(Err(fault(codes::CELLS, message, whole).hint(hint)));
            continue;
        }
        if whole.len() > LONGEST_ROW {
            let message = format!("the row is longer than {} KiB", LONGEST_ROW >> 10);
            each(Err(fault(codes::TOO_LARGE, message, whole.start..whole.start + 1)));
            continue;
        }
        let mut pairs = cells.iter().zip(&head);
        if let Some((stray, _)) = pairs.find(|(cell, name)| name.text.is_empty() && !cell.text.is_empty()) {
            let hint = "name the column in the first line, or empty the cell";
            let message = "the value stands in a column without a name";
            each(Err(fault(codes::CELLS, message, stray.range.clone()).hint(hint)));
        }
        row_values(&cells, &known, columns, each);
    }
}

/// The bytes of confidential cells: all cells of columns that are not known to be harmless.
pub(super) fn confidential(text: &str) -> Vec<Range<usize>> {
    let mut rows = Rows::new(text);
    let Some(Ok(head)) = rows.next() else { return Vec::new() };
    let harmless = |name: &str| columns::harmless().any(|column| column.is_called(name));
    let harmless: Vec<bool> = head.iter().map(|cell| harmless(&cell.text)).collect();
    let mut found = Vec::new();
    if harmless.iter().all(|harmless| *harmless) {
        return found;
    }
    for row in rows {
        match row {
            Ok(cells) => {
                let cells = cells.into_iter().enumerate();
                let hidden = cells.filter(|(index, _)| harmless.get(*index) != Some(&true));
                found.extend(hidden.map(|(_, cell)| cell.range));
            }
            // Without cells, nobody knows which text stands in which column.
            Err((_, line)) => found.push(line),
        }
    }
    found
}

/// The column of each cell of the header, `None` for a stranger; nothing when the rows cannot be understood.
fn header(head: &[Cell<'_>], columns: &'static [Column], each: &mut Each<'_>) -> Option<Vec<Option<&'static Column>>> {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let mut known: Vec<Option<&'static Column>> = Vec::with_capacity(head.len());
    let find = |cell: &Cell<'_>| columns.iter().find(|column| column.is_called(&cell.text));
    // A missing header is reported once, not for each name in it.
    let is_header = head.iter().any(|cell| find(cell).is_some());
    for cell in head.iter().filter(|_| is_header) {
        let found = find(cell);
        if let Some(column) = found.filter(|column| known.iter().flatten().any(|other| other.name == column.name)) {
            let message = format!("the column `{}` stands here twice", column.name);
            each(Err(fault(codes::COLUMN_TWICE, message, cell.range.clone()).hint("keep one of the two")));
        } else if found.is_none() && !cell.text.is_empty() {
            let hint = suggest::nearest(&cell.text, names.iter().copied()).map_or_else(
                || format!("the columns are {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let shown: String = cell.text.chars().take(64).collect();
            each(Err(fault(codes::UNKNOWN_COLUMN, format!("unknown column `{shown}`"), cell.range.clone()).hint(hint)));
        }
        known.push(found);
    }
    let Some(missing) =
        Column::missing(columns, |column| known.iter().flatten().any(|other| other.name == column.name))
    else {
        return Some(known);
    };
    let hint = format!("the first line names the columns: {}", names.join(", "));
    each(Err(fault(codes::NO_COLUMN, format!("the column `{}` is missing", missing.name), extent(head)).hint(hint)));
    None
}

fn row_values(cells: &[Cell<'_>], known: &[Option<&'static Column>], columns: &'static [Column], each: &mut Each<'_>) {
    let whole = extent(cells);
    let mut values: Vec<(&'static Column, Node)> = Vec::with_capacity(cells.len());
    // An empty cell counts as absent.
    let filled = |column: &Column| {
        let mut pairs = cells.iter().zip(known);
        pairs.any(|(cell, known)| !cell.text.is_empty() && known.is_some_and(|known| known.name == column.name))
    };
    if let Some(missing) = Column::missing(columns, filled) {
        return each(Err(fault(codes::NO_COLUMN, format!("the row has no `{}`", missing.name), whole)));
    }
    for (cell, column) in cells.iter().zip(known).filter(|(cell, _)| !cell.text.is_empty()) {
        let Some(column) = column else { continue };
        match column.value(&cell.text, |part| span(cell.part(part))) {
            Ok(value) => values.push((*column, Node { span: Some(span(cell.range.clone())), value })),
            Err(expected) => {
                let shown: String = cell.text.chars().take(64).collect();
                let message = format!("{shown:?} is not {expected}, which `{}` wants", column.name);
                each(Err(fault(codes::CELL, message, cell.range.clone())));
            }
        }
    }
    record(span(whole), values, each);
}

/// Whether nothing stands in a row: what was deleted in a spreadsheet stays as separators.
fn is_blank(cells: &[Cell<'_>]) -> bool {
    cells.iter().all(|cell| cell.text.is_empty())
}

fn extent(cells: &[Cell<'_>]) -> Range<usize> {
    match (cells.first(), cells.last()) {
        (Some(first), Some(last)) => first.range.start..last.range.end,
        _ => 0..0,
    }
}

fn plural(cells: usize) -> String {
    format!("{cells} cell{}", if cells == 1 { "" } else { "s" })
}

impl<'a> Cell<'a> {
    /// The byte range in the file of a part of the value.
    fn part(&self, part: Range<usize>) -> Range<usize> {
        match self.range.len().checked_sub(self.text.len()) {
            Some(0) => self.range.start + part.start..self.range.start + part.end,
            // The cell is the value in one pair of quotes.
            Some(2) => self.range.start + 1 + part.start..self.range.start + 1 + part.end,
            // Quotes within the value were doubled: the range of the whole cell is near enough.
            _ => self.range.clone(),
        }
    }
}

impl<'a> Rows<'a> {
    /// The separator is the first of comma, semicolon and tab in the first line.
    pub(crate) fn new(text: &'a str) -> Self {
        let at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let first = text.trim_start_matches(BYTE_ORDER_MARK).trim_start().lines().next().unwrap_or_default();
        let separator = first.bytes().find(|byte| b",;\t".contains(byte)).unwrap_or(b',');
        Self { text, at, separator }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn skip_spaces(&mut self) {
        let separator = self.separator;
        self.skip_while(|byte| byte != separator && matches!(byte, b' ' | b'\t'));
    }

    /// A line end: `CRLF` or a bare line feed.
    fn line_end(&mut self) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
        self.at += length;
        length > 0
    }

    /// `field = (escaped / non-escaped)`; spaces around it do not count.
    fn cell(&mut self) -> Result<Cell<'a>, Fault> {
        self.skip_spaces();
        let cell = if self.peek() == Some(b'"') { self.quoted()? } else { self.plain()? };
        if cell.range.len() > LONGEST_CELL {
            let message = format!("the cell is longer than {} KiB", LONGEST_CELL >> 10);
            return Err(fault(codes::TOO_LARGE, message, cell.range.start..cell.range.start + 1)
                .hint("look for a quote that is not closed"));
        }
        Ok(cell)
    }

    /// `non-escaped = *TEXTDATA`.
    fn plain(&mut self) -> Result<Cell<'a>, Fault> {
        let (start, separator) = (self.at, self.separator);
        self.skip_while(|byte| byte != separator && byte != b'\n');
        let text = self.text.get(start..self.at).unwrap_or_default();
        if text.ends_with('\r') && self.peek() == Some(b'\n') {
            self.at -= 1;
        }
        let text = text.trim_end_matches([' ', '\t', '\r']);
        if let Some(at) = text.find('"') {
            let hint = "put the whole value in double quotes, and write those within twice: \"the \"\"Countess\"\"\"";
            return Err(fault(codes::QUOTING, "a quote within a value", start + at..start + at + 1).hint(hint));
        }
        if let Some(at) = text.find('\r') {
            let hint = "end lines with a line feed, or with carriage return and line feed";
            return Err(
                fault(codes::QUOTING, "a carriage return within a value", start + at..start + at + 1).hint(hint)
            );
        }
        Ok(Cell { text: Cow::Borrowed(text), range: start..start + text.len() })
    }

    /// `escaped = DQUOTE *(TEXTDATA / COMMA / CR / LF / 2DQUOTE) DQUOTE`.
    fn quoted(&mut self) -> Result<Cell<'a>, Fault> {
        let start = self.at;
        self.at += 1;
        let mut is_doubled = false;
        let end = loop {
            self.skip_while(|byte| byte != b'"');
            if self.peek().is_none() {
                let hint = "close it with another; the rest of the file was not read";
                return Err(fault(codes::QUOTING, "a quote is opened and never closed", start..start + 1).hint(hint));
            }
            self.at += 1;
            if self.peek() != Some(b'"') {
                break self.at;
            }
            self.at += 1;
            is_doubled = true;
        };
        self.skip_spaces();
        let at = self.at;
        if self.peek().is_some_and(|byte| byte != self.separator) && !self.line_end() {
            let hint = "put the whole value in double quotes, and write those within twice: \"the \"\"Countess\"\"\"";
            return Err(fault(codes::QUOTING, "text after the closing quote of a value", at..at + 1).hint(hint));
        }
        self.at = at;
        let inner = self.text.get(start + 1..end - 1).unwrap_or_default();
        let text = if is_doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
        Ok(Cell { text, range: start..end })
    }
}

impl<'a> Iterator for Rows<'a> {
    /// The cells of a row, or a fault and the bytes that were skipped because of it.
    type Item = Result<Vec<Cell<'a>>, (Fault, Range<usize>)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip_while(|byte| byte == b' ');
            if !self.line_end() {
                break;
            }
        }
        self.peek()?;
        let start = self.at;
        let mut cells = Vec::new();
        loop {
            match self.cell() {
                Ok(cell) if cells.len() < MOST_CELLS => cells.push(cell),
                Ok(_) => {
                    self.skip_while(|byte| byte != b'\n');
                    self.line_end();
                    let message = format!("the row has more than {MOST_CELLS} cells");
                    return Some(Err((fault(codes::TOO_LARGE, message, start..start + 1), start..self.at)));
                }
                Err(fault) => {
                    self.skip_while(|byte| byte != b'\n');
                    self.line_end();
                    return Some(Err((fault, start..self.at)));
                }
            }
            if self.peek() == Some(self.separator) {
                self.at += 1;
            } else {
                self.line_end();
                return Some(Ok(cells));
            }
        }
    }
}

/// Far more than there are columns; a row is taken apart before it is compared with the header.
const MOST_CELLS: usize = 1000;
/// A row is kept in memory many times as large as it is written.
const LONGEST_ROW: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected` has for each row its cells as `text@start-end`, or the code and place of the fault.
    fn check(text: &str, expected: &[&str]) {
        let rows: Vec<String> = Rows::new(text)
            .map(|row| match row {
                Ok(cells) => cells
                    .iter()
                    .map(|cell| format!("{}@{}-{}", cell.text, cell.range.start, cell.range.end))
                    .collect::<Vec<_>>()
                    .join("|"),
                Err((fault, _)) => format!("{} {}", fault.code, fault.span.start),
            })
            .collect();
        assert_eq!(rows, expected, "{text:?}");
    }

    #[test]
    fn cells_have_their_places() {
        check("", &[]);
        check("\u{feff}a,b\r\n1,2\r\n", &["a@3-4|b@5-6", "1@8-9|2@10-11"]);
        check("a;b,c\n", &["a@0-1|b,c@2-5"]);
        check("a\tb c\n\n  \n1\t\n", &["a@0-1|b c@2-5", "1@10-11|@12-12"]);
        check(" a , b \n", &["a@1-2|b@5-6"]);
        check("a,\"b, \"\"c\"\"\nd\" ,e", &["a@0-1|b, \"c\"\nd@2-14|e@16-17"]);
        check("\"\",\n", &["@0-2|@3-3"]);
    }

    #[test]
    fn mistakes_in_quoting_end_their_line() {
        check("a\nx\"y,\nb\n", &["a@0-1", "E0255 3", "b@7-8"]);
        check("\"a\"b\nc\n", &["E0255 3", "c@5-6"]);
        check("a,\"b\nc\n", &["E0255 2"]);
        check("a\rb\n", &["E0255 1"]);
        check(&format!("a\n{}\nb\n", "x".repeat(LONGEST_CELL + 1)), &["a@0-1", "E0258 2", "b@65540-65541"]);
        check(&format!("a\n{}\nb\n", ",".repeat(100_000)), &["a@0-1", "E0258 2", "b@100003-100004"]);
    }
    /// `expected` has the names in a file with the columns of users, and the codes of its faults.
    fn check_rows(text: &str, expected: &[&str]) {
        let mut said = Vec::new();
        read(text, super::super::USERS, &mut |row| {
            said.push(row.map_or_else(|fault| format!("{} {}", fault.code, fault.message), |record| record.key));
        });
        assert_eq!(said, expected, "{text:?}");
    }

    #[test]
    fn what_spreadsheets_leave_behind_is_blank() {
        check_rows("name,full_name,,\nada,Ada,,\n,,,\ngrace,,,\n", &["ada", "grace"]);
        check_rows("name,full_name\nada,Ada,,,\n;\n", &["ada", "E0254 the row has 1 cell, the header 2"]);
        check_rows("name;quota\n;\n\"\";\nada;\n", &["ada"]);
        let stray = "E0254 the value stands in a column without a name";
        check_rows("name,,quota\nada,5 GiB,\n", &[stray, "ada"]);
    }

    #[test]
    fn a_header_may_be_in_other_letters() {
        check_rows("Name,Full_Name,QUOTA\nada,Ada,1 GiB\n", &["ada"]);
        check_rows("Name,NAME\n", &["E0252 the column `name` stands here twice"]);
    }

    #[test]
    fn a_row_has_a_length() {
        let cell = "x".repeat(LONGEST_CELL);
        let row = format!("ada,{}", [cell.as_str(); 5].join(","));
        check_rows(
            &format!("name,full_name,quota,aliases,forward,deny\n{row}\ngrace,,,,,\n"),
            &["E0258 the row is longer than 256 KiB", "grace"],
        );
    }
}
