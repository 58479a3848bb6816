//! What an evaluation answers: plain data that crosses from the evaluating process to the one that decodes it.
//! Start at [`Answer`].

use postkiln_findings::{Code, codes};
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The outcome of one evaluation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The whole value, when there is one.
    pub(crate) tree: Option<Node>,
    /// Whether the schema's contracts were left out, because they failed: then `troubles` says how, and the walker
    /// that decodes the tree will say it better.
    pub(crate) unchecked: bool,
    /// What the evaluator had to say.
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
    /// First byte.
    pub(crate) start: u32,
    /// The byte after the last.
    pub(crate) end: u32,
}

/// An evaluated value and where it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Node {
    /// Where, when that is in a file of the site (a default of the schema is not).
    pub(crate) span: Option<Span>,
    /// What.
    pub(crate) value: Value,
}

/// What a value can be once it is evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Value {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number, as Nickel prints it.
    Fraction(String),
    /// A string.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its name; that of a column of a population is ours.
    pub(crate) name: Cow<'static, str>,
    /// Where the name stands.
    pub(crate) span: Option<Span>,
    /// Its value.
    pub(crate) node: Node,
}

/// Something the evaluator had to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// Which kind.
    pub(crate) kind: Kind,
    /// One sentence.
    pub(crate) message: String,
    /// Where, when it is known.
    pub(crate) span: Option<Span>,
    /// What to do.
    pub(crate) hint: Option<String>,
    /// Further places, with what stands there.
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
    /// Too deeply nested.
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
