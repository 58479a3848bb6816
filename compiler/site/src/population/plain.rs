//! Plain files with one address a line; `#` begins a comment. Start at [`addresses`].

use super::{BYTE_ORDER_MARK, Fault, LONGEST_CELL, MOST_ROWS, fault, span, text};
use crate::answer::{Node, Value};
use crate::codes;

/// Each address as it is written, in the order of the file; the caller judges whether it is valid.
pub(crate) fn addresses(bytes: &[u8], each: &mut dyn FnMut(Result<Node, Fault>)) {
    let text = match text(bytes) {
        Ok(text) => text,
        Err(fault) => return each(Err(fault)),
    };
    let mut at = 0;
    let mut number = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.split('#').next().unwrap_or_default();
        let address = content.trim_start_matches(BYTE_ORDER_MARK).trim();
        if address.is_empty() {
            continue;
        }
        // The offset of the text after the spaces that were cut off.
        let start = start + content.find(address).unwrap_or(0);
        number += 1;
        if number > MOST_ROWS || address.len() > LONGEST_CELL {
            return each(Err(fault(codes::TOO_LARGE, "the file is no list of addresses", start..start + 1)));
        }
        let span = span(start..start + address.len());
        each(Ok(Node { span: Some(span), value: Value::Text(address.to_owned()) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, u32)]) {
        let mut found = Vec::new();
        addresses(text.as_bytes(), &mut |line| {
            let Ok(Node { span: Some(span), value: Value::Text(text) }) = line else { panic!("{line:?}") };
            found.push((text, span.start));
        });
        let found: Vec<(&str, u32)> = found.iter().map(|(text, start)| (text.as_str(), *start)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn addresses_stand_on_lines() {
        check("", &[]);
        check(
            "\u{feff}ada\r\n\n# nobody\n  grace@navy.example # a guest\n#\nlin",
            &[("ada", 3), ("grace@navy.example", 20), ("lin", 51)],
        );
    }
}
