//! The schema's defaults, put where a site leaves a field out. Where all is well the evaluation does this
//! by the schema's contracts; when one of them failed they were left out, and this takes their place.
//! Start at [`Defaults::fill`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::answer::{Entry, Node, Value};
use crate::shape::{Field, Outline, Presence, Shape};
use crate::{Section, evaluate, outline};

/// The schema with its defaults as values.
pub(crate) struct Defaults {
    outline: Outline,
    /// Values by the text that the schema has for them.
    values: BTreeMap<String, Node>,
}

impl Defaults {
    /// Reads the embedded schema.
    pub(crate) fn new() -> Self {
        // That the schema can be read, and its defaults are values, is tested.
        Self { outline: outline::outline().unwrap_or_default(), values: BTreeMap::new() }
    }

    /// A section as it is for a site that does not mention it.
    pub(super) fn section(&mut self, section: Section) -> Node {
        let entries = match section {
            Section::Appliance => vec![entry("hostname", Value::Text(NO_HOST.to_owned()))],
            Section::Moved | Section::Expect | Section::Silence => return node(Value::List(Vec::new())),
            _ => Vec::new(),
        };
        self.filled(entries, definition(section))
    }

    /// A record of the contract called `name`.
    pub(super) fn filled(&mut self, entries: Vec<Entry>, name: &str) -> Node {
        let mut node = node(Value::Record(entries));
        self.fill(&mut node, name);
        node
    }

    /// Gives the record `node`, and the records in it, the defaults of the contract called `name`.
    pub(crate) fn fill(&mut self, node: &mut Node, name: &str) {
        if let Some(shape) = self.outline.get(name).map(|definition| definition.shape.clone()) {
            self.of_shape(node, &shape);
        }
    }

    fn of_shape(&mut self, node: &mut Node, shape: &Shape) {
        match (shape, &mut node.value) {
            (Shape::Named(name), _) => self.fill(node, name),
            (Shape::Record(fields), Value::Record(entries)) => {
                fields.iter().for_each(|field| self.field(entries, field));
            }
            (Shape::Map(inner), Value::Record(entries)) => {
                entries.iter_mut().for_each(|entry| self.of_shape(&mut entry.node, inner));
            }
            (Shape::List(inner), Value::List(items)) => items.iter_mut().for_each(|item| self.of_shape(item, inner)),
            (Shape::Choice(tags), Value::Tag(tag, Some(argument))) => {
                if let Some((_, Some(shape))) = tags.iter().find(|(name, _)| name == tag) {
                    self.of_shape(argument, shape);
                }
            }
            (Shape::Either(any), _) => any.iter().for_each(|shape| self.of_shape(node, shape)),
            _ => {}
        }
    }

    fn field(&mut self, entries: &mut Vec<Entry>, field: &Field) {
        let known = entries.iter().position(|entry| entry.name == field.name);
        let at = known.or_else(|| {
            let Presence::Default(text) = &field.presence else { return None };
            let value = self.value(text)?;
            entries.push(Entry { name: Cow::Owned(field.name.clone()), span: None, node: value });
            Some(entries.len() - 1)
        });
        if let Some(entry) = at.and_then(|at| entries.get_mut(at)) {
            self.of_shape(&mut entry.node, &field.shape);
        }
    }

    fn value(&mut self, text: &str) -> Option<Node> {
        if let Some(known) = self.values.get(text) {
            return Some(known.clone());
        }
        let value = evaluate::literal(text)?;
        self.values.insert(text.to_owned(), value.clone());
        Some(value)
    }
}

const fn node(value: Value) -> Node {
    Node { span: None, value }
}

/// A field that no person wrote.
pub(super) const fn entry(name: &'static str, value: Value) -> Entry {
    Entry { name: Cow::Borrowed(name), span: None, node: node(value) }
}

/// The contract of a section.
const fn definition(section: Section) -> &'static str {
    match section {
        Section::Appliance => "Appliance",
        Section::Dns => "Dns",
        Section::Smtp => "Smtp",
        Section::Tls => "Tls",
        Section::Antivirus => "Antivirus",
        Section::Web => "Web",
        Section::Ldap => "Ldap",
        Section::Storage => "Storage",
        Section::Retention => "Retention",
        // Each is a map or a list, without fields that could have defaults.
        Section::Domains
        | Section::Control
        | Section::Moved
        | Section::Expect
        | Section::Silence
        | Section::Secrets => "",
    }
}

/// The name of a machine whose name is not known (RFC 2606 §2).
const NO_HOST: &str = "appliance.invalid";

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value() {
        for (name, definition) in outline::outline().unwrap() {
            let Shape::Record(fields) = definition.shape else { continue };
            for field in &fields {
                if let Presence::Default(text) = &field.presence {
                    assert!(evaluate::literal(text).is_some(), "{name}.{}: {text} is not written out", field.name);
                }
            }
        }
    }
}
