//! From TOML to the same tree that evaluated files become, with places. Knows nothing about what the values mean.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value as Toml};

use crate::answer::{Entry, Node, Span, Value};

/// The tree of a TOML text, or what is wrong with it and where. The text is file 0.
pub(crate) fn node(text: &str) -> Result<Node, (String, Span)> {
    match Document::parse(text) {
        Ok(document) => Ok(Node { span: span(Some(0..0)), value: record(document.as_table()) }),
        Err(error) => {
            let beginning = Span { file: 0, start: 0, end: 0 };
            // One line: the rest of the parser's text quotes the source once more.
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            Err((message, span(error.span()).unwrap_or(beginning)))
        }
    }
}

fn record(table: &dyn TableLike) -> Value {
    let entries = table.iter().map(|(name, item)| Entry {
        name: name.to_owned().into(),
        span: table.get_key_value(name).and_then(|(key, _)| span(key.span())),
        node: item_node(item),
    });
    Value::Record(entries.collect())
}

fn item_node(item: &Item) -> Node {
    let value = match item {
        Item::None => Value::Null,
        Item::Value(value) => return value_node(value),
        Item::Table(table) => record(table),
        Item::ArrayOfTables(tables) => {
            let tables = tables.iter().map(|table| Node { span: span(table.span()), value: record(table) });
            Value::List(tables.collect())
        }
    };
    Node { span: span(item.span()), value }
}

fn value_node(toml: &Toml) -> Node {
    let value = match toml {
        Toml::String(text) => Value::Text(text.value().clone()),
        Toml::Integer(number) => Value::Integer(i128::from(*number.value())),
        Toml::Float(number) => Value::Fraction(number.value().to_string()),
        Toml::Boolean(value) => Value::Bool(*value.value()),
        Toml::Datetime(_) => Value::Other("date".to_owned()),
        Toml::Array(items) => Value::List(items.iter().map(value_node).collect()),
        Toml::InlineTable(table) => record(table),
    };
    Node { span: span(toml.span()), value }
}

fn span(range: Option<Range<usize>>) -> Option<Span> {
    let range = range?;
    Some(Span { file: 0, start: u32::try_from(range.start).ok()?, end: u32::try_from(range.end).ok()? })
}
