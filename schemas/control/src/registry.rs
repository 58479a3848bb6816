//! A row of the table of all control files, and the check of a value a person wrote for one of them.

use crate::{ControlFile, Kind, ParseError, REGISTRY, refused};

/// One control file as the registry knows it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The file's name: [`ControlFile::NAME`].
    pub name: &'static str,
    /// The form of its lines: [`ControlFile::KIND`].
    pub kind: Kind,
    /// The meaning of a missing file: [`ControlFile::DEFAULT`].
    pub default: &'static str,
    /// The roles that read it: [`ControlFile::READERS`].
    pub readers: &'static [&'static str],
    /// The file's description: [`ControlFile::DOC`].
    pub doc: &'static str,
    /// Parses a content and prints it again, which gives the one normal form.
    pub normal: fn(&[u8]) -> Result<String, ParseError>,
}

pub(crate) const fn entry<F: ControlFile>() -> Entry {
    Entry {
        name: F::NAME,
        kind: F::KIND,
        default: F::DEFAULT,
        readers: F::READERS,
        doc: F::DOC,
        normal: |bytes| F::parse(bytes).map(|value| value.print()),
    }
}

/// A control file's value as a person writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number, for a file of kind I.
    Integer(u64),
    /// One line, for a file of kind L.
    Line(&'a str),
    /// Several lines, for a file of kind M.
    Lines(&'a [String]),
}

/// The file's content for a value, in its one form.
///
/// # Errors
/// When no file has the name, or the file does not accept the value.
pub fn check_value(name: &str, value: Value<'_>) -> Result<String, ValueError> {
    let Some(entry) = REGISTRY.iter().find(|entry| entry.name == name) else {
        if let Some(reason) = refused::reason(name) {
            return Err(ValueError::Refused { reason });
        }
        return Err(ValueError::Unknown);
    };
    let text = match (entry.kind, value) {
        (Kind::Integer, Value::Integer(number)) => number.to_string(),
        (Kind::Line, Value::Line(line)) => line.to_owned(),
        (Kind::Lines, Value::Lines(lines)) => lines.join("\n"),
        (Kind::Lines, Value::Line(line)) => line.to_owned(),
        (kind, _) => return Err(ValueError::Kind(kind)),
    };
    let one_line = |text: &str| !text.contains(['\n', '\r', '\0']);
    let whole = match value {
        Value::Lines(lines) => lines.iter().all(|line| one_line(line)),
        Value::Line(line) => one_line(line),
        Value::Integer(_) => true,
    };
    if !whole {
        return Err(ValueError::Invalid(ParseError::new(1, "a line has a line break in it")));
    }
    (entry.normal)(text.as_bytes()).map_err(ValueError::Invalid)
}

/// The reason why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// No control file has this name.
    #[error("there is no such control file")]
    Unknown,
    /// The file is known from qmail or one of its patches and has no place here.
    #[error("{reason}")]
    Refused {
        /// The reason, and what replaces the file.
        reason: &'static str,
    },
    /// The file takes another kind of value, namely this.
    #[error("it takes {}", .0.words())]
    Kind(Kind),
    /// The file does not accept the content.
    #[error("{0}")]
    Invalid(ParseError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_documented() {
        assert!(REGISTRY.is_sorted_by(|one, two| one.name < two.name));
        assert!(REGISTRY.iter().all(|entry| !entry.doc.is_empty() && !entry.default.is_empty()));
    }

    #[test]
    fn values_are_checked_by_kind_and_content() {
        let check = |name: &str, value: Value<'_>, expected: Result<&str, &str>| {
            let got = check_value(name, value).map_err(|error| error.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "{name} {value:?}");
        };
        check("databytes", Value::Integer(5), Ok("5\n"));
        check("databytes", Value::Line("5"), Err("it takes a number"));
        check("helohost", Value::Line("MX.example.org"), Ok("mx.example.org\n"));
        check("helohost", Value::Line("a\nb"), Err("line 1: a line has a line break in it"));
        check("smtproutes", Value::Lines(&[":192.0.2.1:2525".to_owned()]), Ok(":192.0.2.1:2525\n"));
        check("smtproutes", Value::Line(":192.0.2.1"), Ok(":192.0.2.1\n"));
        check("timeoutsmtpd", Value::Integer(0), Err("line 1: 0 is not between 1 and 86400"));
        check("rcpthost", Value::Integer(0), Err("there is no such control file"));
    }
}
