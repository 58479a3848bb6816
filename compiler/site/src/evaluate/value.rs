//! Evaluated Nickel values as plain data with their places.

use nickel_lang_core::eval::value::{Container, EnumVariantData, NickelValue, ValueContentRef};
use nickel_lang_core::position::{PosIdx, TermPos};

use crate::answer::{Entry, Node, Span, Value};

/// The node of a fully evaluated value.
///
/// `place_of` and `place_at` find the place of a value and of a field's name.
///
/// # Errors
/// With the place at which the value is nested more deeply than any site.
pub(super) fn node(
    value: &NickelValue,
    place_of: &dyn Fn(PosIdx) -> Option<Span>,
    place_at: &dyn Fn(TermPos) -> Option<Span>,
) -> Result<Node, Option<Span>> {
    Walk { place_of, place_at }.node(value, DEEPEST)
}

struct Walk<'a> {
    place_of: &'a dyn Fn(PosIdx) -> Option<Span>,
    place_at: &'a dyn Fn(TermPos) -> Option<Span>,
}

impl Walk<'_> {
    fn node(&self, value: &NickelValue, depth: usize) -> Result<Node, Option<Span>> {
        let span = (self.place_of)(value.pos_idx());
        let below = depth.checked_sub(1).ok_or(span)?;
        let value = match value.content_ref() {
            ValueContentRef::Null => Value::Null,
            ValueContentRef::Bool(value) => Value::Bool(value),
            ValueContentRef::Number(number) => number_value(&number.to_string()),
            ValueContentRef::String(text) => Value::Text(text.as_str().to_owned()),
            ValueContentRef::EnumVariant(EnumVariantData { tag, arg }) => {
                let argument = arg.as_ref().map(|argument| self.node(argument, below).map(Box::new)).transpose()?;
                Value::Tag(tag.label().to_owned(), argument)
            }
            ValueContentRef::Array(list) => {
                Value::List(list.iter().map(|item| self.node(item, below)).collect::<Result<_, _>>()?)
            }
            ValueContentRef::Record(Container::Empty) => Value::Record(Vec::new()),
            ValueContentRef::Record(Container::Alloc(record)) => {
                let mut entries = Vec::with_capacity(record.fields.len());
                for (name, field) in &record.fields {
                    if let Some(value) = field.value.as_ref().filter(|_| !field.metadata.not_exported()) {
                        let node = self.node(value, below)?;
                        let span = (self.place_at)(name.pos);
                        entries.push(Entry { name: name.label().to_owned().into(), span, node });
                    }
                }
                Value::Record(entries)
            }
            _ => Value::Other(value.type_of().unwrap_or("something unfinished").to_lowercase()),
        };
        Ok(Node { span, value })
    }
}

/// A number from the exact fraction that the interpreter prints; its own conversions to integers round silently.
pub(super) fn number_value(text: &str) -> Value {
    if let Ok(number) = text.parse() {
        return Value::Integer(number);
    }
    let decimal = text.split_once('/').and_then(|(above, below)| {
        let (above, below): (f64, f64) = (above.parse().ok()?, below.parse().ok()?);
        Some((above / below).to_string())
    });
    Value::Fraction(decimal.unwrap_or_else(|| text.chars().take(40).collect()))
}

const DEEPEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Value) {
        assert_eq!(number_value(text), expected);
    }

    #[test]
    fn numbers_are_exact() {
        check("-5", Value::Integer(-5));
        check("81/2", Value::Fraction("40.5".to_owned()));
        check(&"9".repeat(100), Value::Fraction("9".repeat(40)));
    }
}
