//! The interface of every control file: its name, default and description, and the way from bytes to a value and back.

use std::io;

/// One control file. `parse(print(x)) == x` for every value.
pub trait ControlFile: Sized {
    /// The file's name below `control/`.
    const NAME: &'static str;
    /// The form of the file's lines.
    const KIND: Kind;
    /// The meaning of a missing file, in words.
    const DEFAULT: &'static str;
    /// The roles that read the file; empty when the node does not obey it yet.
    const READERS: &'static [&'static str];
    /// The meaning of the file, in a sentence or two.
    const DOC: &'static str;

    /// Parses the file's content.
    ///
    /// # Errors
    /// With the first faulty line and the fault.
    fn parse(bytes: &[u8]) -> Result<Self, ParseError>;

    /// The file's content for this value.
    fn print(&self) -> String;

    /// The value when the file is missing; may look up another file, most often `me`.
    ///
    /// # Errors
    /// When there is no default, or the other file cannot be read.
    fn missing(get: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError>;

    /// Reads the file through a look-up from name to content.
    ///
    /// # Errors
    /// When the look-up fails, the content is malformed, or the file is missing and has no default.
    fn read(mut get: impl FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        match get(Self::NAME) {
            Ok(Some(bytes)) => {
                Self::parse(&bytes).map_err(|problem| ReadError::Malformed { name: Self::NAME, problem })
            }
            Ok(None) => Self::missing(&mut get),
            Err(source) => Err(ReadError::Io { name: Self::NAME, source }),
        }
    }
}

/// How a control file's lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first line alone.
    Line,
    /// Every line; those beginning with `#` and blank ones are skipped.
    Lines,
    /// A number on the first line.
    Integer,
}

impl Kind {
    /// The kind in words, for messages: "a number".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Line => "one line of text",
            Self::Lines => "a list of lines",
            Self::Integer => "a number",
        }
    }
}

/// A mistake in a file, with its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The line's number, from 1.
    pub line: usize,
    /// The mistake, as the end of a sentence: `"x y" is no host name`.
    pub problem: String,
}

impl ParseError {
    pub(crate) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

/// Why a control file has no value.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The look-up failed.
    #[error("control/{name} cannot be read")]
    Io {
        /// The file's name.
        name: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The content has a mistake.
    #[error("control/{name}: {problem}")]
    Malformed {
        /// The file's name.
        name: &'static str,
        /// The line and the mistake.
        problem: ParseError,
    },
    /// The file must exist.
    #[error("control/{0} is missing")]
    Missing(&'static str),
}
