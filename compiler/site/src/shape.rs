//! Forms of values that the language knows: contracts, their fields, and the values that those take.

use std::collections::BTreeMap;

/// The whole language: records by the name of their contract. `Site` is where a site begins.
pub type Outline = BTreeMap<String, Definition>;

/// A contract of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The contract's description, as an editor shows it.
    pub doc: String,
    /// The form of values that the contract accepts.
    pub shape: Shape,
}

/// The form of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Any string is accepted.
    Text,
    /// Any number is accepted.
    Number,
    /// `true` or `false`.
    Bool,
    /// Any value; the schema says nothing about it.
    Anything,
    /// A list whose elements have this form.
    List(Box<Shape>),
    /// A record with names of the person's choice and values of this form.
    Map(Box<Shape>),
    /// A record with these fields and no other.
    Record(Vec<Field>),
    /// One of these tags, some with a value: `'reject`, `'deliver_to "ada"`.
    Choice(Vec<(String, Option<Shape>)>),
    /// Any of these forms.
    Either(Vec<Shape>),
    /// A definition by its name.
    Named(String),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name as it is written.
    pub name: String,
    /// The field's description.
    pub doc: String,
    /// The form of the field's value.
    pub shape: Shape,
    /// Whether the field must be written.
    pub presence: Presence,
}

/// Whether a field must be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The field must be written.
    Required,
    /// The field may be left out; then it has no value.
    Optional,
    /// The field may be left out; then it has this value, as Nickel writes it.
    Default(String),
}
