//! One JSON object a line: the same names as CSV's columns, lists as lists. Start at [`read`].

use super::{BYTE_ORDER_MARK, Column, Each, Fault, LONGEST_CELL, MOST_ROWS, fault, json, record, span};
use crate::answer::{Entry, Node, Span, Value};
use crate::{codes, suggest};

/// Reads the lines; `each` gets a row or a fault for every line that is not blank.
pub(super) fn read(text: &str, columns: &'static [Column], each: &mut Each<'_>) {
    let mut at = 0;
    let mut number = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = if start == 0 { line.trim_start_matches(BYTE_ORDER_MARK) } else { line };
        let start = start + line.len() - content.len();
        if content.trim().is_empty() {
            continue;
        }
        number += 1;
        if number > MOST_ROWS {
            return each(Err(fault(
                codes::TOO_LARGE,
                format!("the file has more than {MOST_ROWS} rows"),
                start..start + 1,
            )));
        }
        if content.len() > LONGEST_CELL {
            let message = format!("the line is longer than {} KiB", LONGEST_CELL >> 10);
            each(Err(
                fault(codes::TOO_LARGE, message, start..start + 1).hint("each object stands on a line of its own")
            ));
            continue;
        }
        row(content.trim_end(), start, columns, each);
    }
}

fn row(line: &str, start: usize, columns: &'static [Column], each: &mut Each<'_>) {
    let node = match json::parse(line, start) {
        Ok(node) => node,
        Err(fault) => return each(Err(fault)),
    };
    let whole = node.span.unwrap_or_else(|| span(start..start + line.len()));
    let Value::Record(entries) = node.value else {
        let hint = "write `{ \"name\": \"ada\", \"full_name\": \"Ada Lovelace\" }` on each line";
        return each(Err(
            Fault { span: whole, ..fault(codes::NOT_JSON, "the line is no JSON object", 0..0) }.hint(hint)
        ));
    };
    let mut values: Vec<(&'static Column, Node)> = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(column) = columns.iter().find(|column| column.name == entry.name) else {
            each(Err(unknown(&entry, columns, whole)));
            continue;
        };
        // Like an empty cell, null counts as absent.
        if entry.node.value == Value::Null {
            continue;
        }
        if let Some(wrong) = mistyped_name(column, &entry.node, whole) {
            return each(Err(wrong));
        }
        values.push((column, column.of_json(entry.node)));
    }
    let is_there = |column: &Column| values.iter().any(|(other, _)| other.name == column.name);
    if let Some(missing) = Column::missing(columns, is_there) {
        let message = format!("the object has no field `{}`", missing.name);
        return each(Err(Fault { span: whole, ..fault(codes::NO_COLUMN, message, 0..0) }));
    }
    record(whole, values, each);
}

fn mistyped_name(column: &Column, node: &Node, whole: Span) -> Option<Fault> {
    match &node.value {
        Value::Text(text) if !text.is_empty() => None,
        _ if column.is_key() => {
            let wrong = fault(codes::CELL, "`name` is not a string with the part of the address before the @", 0..0);
            Some(Fault { span: node.span.unwrap_or(whole), ..wrong })
        }
        _ => None,
    }
}

fn unknown(entry: &Entry, columns: &[Column], whole: Span) -> Fault {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    let hint = suggest::nearest(&entry.name, names.iter().copied())
        .map_or_else(|| format!("the fields are {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
    let shown: String = entry.name.chars().take(64).collect();
    Fault {
        span: entry.span.unwrap_or(whole),
        ..fault(codes::UNKNOWN_COLUMN, format!("unknown field `{shown}`"), 0..0)
    }
    .hint(hint)
}
