//! The result of an evaluation: plain data that crosses from the evaluating process to the one that decodes it. Start
//! at [`Answer`].

use postkiln_findings::{Code, codes};
use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

/// The outcome of one evaluation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The whole value, when there is one.
    pub(crate) tree: Option<Node>,
    /// Whether the schema's contracts were left out, because they failed: then `troubles` says how, and the walker
    /// that decodes the tree will say it better.
    pub(crate) unchecked: bool,
    /// The errors that the evaluator reported.
    pub(crate) troubles: Vec<Trouble>,
    /// Path below the site's root and content of each file that was read; [`Span::file`] counts these.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Every path that was looked for, found or not.
    pub(crate) asked: Vec<String>,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Span {
    /// Index into [`Answer::files`].
    pub(crate) file: u32,
    /// Offset of the first byte.
    pub(crate) start: u32,
    /// Offset of the byte after the last.
    pub(crate) end: u32,
}

/// An evaluated value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Node {
    /// The place of the value, when it stands in a file of the site (a default of the schema does not).
    pub(crate) span: Option<Span>,
    /// The evaluated value itself.
    pub(crate) value: Value,
}

/// The forms that a fully evaluated value can have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Value {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number, as Nickel prints it.
    Fraction(String),
    /// A string, unescaped.
    Text(String),
    /// `'tag`, `'tag value`.
    Tag(String, Option<Box<Node>>),
    /// `[…]`.
    List(Vec<Node>),
    /// `{…}`, in the order written.
    Record(Vec<Entry>),
    /// Something that no site holds: a function, a contract.
    Other(String),
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The field's name; borrowed where it is the name of a column that we define.
    #[serde(deserialize_with = "name")]
    pub(crate) name: Cow<'static, str>,
    /// The place of the name, when it stands in a file of the site.
    pub(crate) span: Option<Span>,
    /// The field's value.
    pub(crate) node: Node,
}

/// Reads a name; those of columns come a million times, and need no memory of their own.
fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Cow<'static, str>, D::Error> {
    let name = <&str>::deserialize(from)?;
    Ok(crate::population::known(name).map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed))
}

/// One error that the evaluator reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// The kind of error, which gives the finding its code.
    pub(crate) kind: Kind,
    /// One sentence for the finding.
    pub(crate) message: String,
    /// The place, when it is known.
    pub(crate) span: Option<Span>,
    /// Advice for the person, when there is any.
    pub(crate) hint: Option<String>,
    /// Further places, with the text that belongs to each.
    pub(crate) related: Vec<(Span, String)>,
}

/// Kinds of trouble; each has a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// A file cannot be read.
    Unreadable,
    /// Not Nickel, or not the format that an import promises.
    Syntax,
    /// A name that nothing defines.
    Unbound,
    /// Evaluation failed: a contract, a missing variable, a type.
    Evaluation,
    /// An import that leads out of the site.
    Import,
    /// Values are nested too deeply.
    Nesting,
}

impl Kind {
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::Unreadable => codes::UNREADABLE,
            Self::Syntax => codes::SYNTAX,
            Self::Unbound => codes::UNBOUND,
            Self::Evaluation => codes::EVALUATION,
            Self::Import => codes::IMPORT,
            Self::Nesting => codes::NESTING,
        }
    }
}

impl Trouble {
    pub(crate) fn new(kind: Kind, message: impl Into<String>, span: Option<Span>) -> Self {
        Self { kind, message: message.into(), span, hint: None, related: Vec::new() }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
