//! The three kinds of control files (qmail-control.9): L the first line, M every line, I an integer; trailing spaces
//! and tabs are ignored. And the macros for files that differ in nothing but name and meaning.

use std::fmt::Display;
use std::str::FromStr;

use crate::ParseError;

/// Reads a file of kind L: the first line.
pub(crate) fn first(bytes: &[u8]) -> Result<&str, ParseError> {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    text(line, 1).map(trim)
}

/// Reads a file of kind M: every line that is neither blank nor a comment, with its number from 1.
pub(crate) fn all(bytes: &[u8]) -> Result<Vec<(usize, &str)>, ParseError> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        let line = trim(text(line, number)?);
        if !line.is_empty() && !line.starts_with('#') {
            lines.push((number, line));
        }
    }
    Ok(lines)
}

/// Reads a file of kind M whose lines are items that parse themselves.
pub(crate) fn items<T: FromStr<Err: Display>>(bytes: &[u8]) -> Result<Vec<T>, ParseError> {
    let parse = |(number, line): (usize, &str)| {
        line.parse().map_err(|error: T::Err| ParseError::new(number, error.to_string()))
    };
    all(bytes)?.into_iter().map(parse).collect()
}

/// Reads a file of kind I: a number on the first line, from `minimum` to `maximum`.
pub(crate) fn integer(bytes: &[u8], minimum: u64, maximum: u64) -> Result<u64, ParseError> {
    let line = first(bytes)?;
    let number: u64 = line.parse().map_err(|_| ParseError::new(1, format!("{line:?} is no number")))?;
    if !(minimum..=maximum).contains(&number) {
        return Err(ParseError::new(1, format!("{number} is not between {minimum} and {maximum}")));
    }
    Ok(number)
}

/// Prints a file of kind M: one item per line.
pub(crate) fn print<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string() + "\n").collect()
}

fn text(line: &[u8], number: usize) -> Result<&str, ParseError> {
    std::str::from_utf8(line).map_err(|_| ParseError::new(number, "is not UTF-8"))
}

fn trim(line: &str) -> &str {
    line.trim_end_matches([' ', '\t', '\r'])
}

/// Defines a file of kind I.
macro_rules! integer_file {
    ($(#[$doc:meta])* $name:ident($type:ty), $file:literal, $default:literal, $range:expr, $readers:expr, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $type);

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl $crate::ControlFile for $name {
            const NAME: &'static str = $file;
            const KIND: $crate::Kind = $crate::Kind::Integer;
            const DEFAULT: &'static str = stringify!($default);
            const READERS: &'static [&'static str] = $readers;
            const DOC: &'static str = $text;

            fn parse(bytes: &[u8]) -> Result<Self, $crate::ParseError> {
                let range: std::ops::RangeInclusive<$type> = $range;
                let number = $crate::lines::integer(bytes, (*range.start()).into(), (*range.end()).into())?;
                // The range fits the type, so the conversion holds.
                Ok(Self(<$type>::try_from(number).unwrap_or(*range.end())))
            }

            fn print(&self) -> String {
                format!("{}\n", self.0)
            }

            fn missing(
                _: &mut dyn FnMut(&str) -> std::io::Result<Option<Vec<u8>>>,
            ) -> Result<Self, $crate::ReadError> {
                Ok(Self::default())
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;
            use $crate::ControlFile;

            #[test]
            fn what_is_printed_is_parsed_again() {
                let range: std::ops::RangeInclusive<$type> = $range;
                for value in [*range.start(), $default, *range.end()] {
                    assert_eq!($name::parse($name(value).print().as_bytes()), Ok($name(value)));
                }
                for bad in ["", "-1", "ten", "1 2", "99999999999999999999"] {
                    assert!($name::parse(bad.as_bytes()).is_err(), "{bad:?}");
                }
            }
        }
    };
}

/// Defines a file of kind L that holds a local part.
macro_rules! local_part_file {
    ($(#[$doc:meta])* $name:ident, $file:literal, $default:literal, $readers:expr, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub postkiln_address::LocalPart);

        impl $crate::ControlFile for $name {
            const NAME: &'static str = $file;
            const KIND: $crate::Kind = $crate::Kind::Line;
            const DEFAULT: &'static str = $default;
            const READERS: &'static [&'static str] = $readers;
            const DOC: &'static str = $text;

            fn parse(bytes: &[u8]) -> Result<Self, $crate::ParseError> {
                let line = $crate::lines::first(bytes)?;
                let local = postkiln_address::LocalPart::new(line);
                local.map(Self).map_err(|error| $crate::ParseError::new(1, error.to_string()))
            }

            fn print(&self) -> String {
                format!("{}\n", self.0.as_str())
            }

            fn missing(
                _: &mut dyn FnMut(&str) -> std::io::Result<Option<Vec<u8>>>,
            ) -> Result<Self, $crate::ReadError> {
                Self::parse(Self::DEFAULT.as_bytes())
                    .map_err(|problem| $crate::ReadError::Malformed { name: Self::NAME, problem })
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;
            use $crate::ControlFile;

            #[test]
            fn what_is_printed_is_parsed_again() {
                let value = $name::read(|_| Ok(None)).unwrap();
                assert_eq!(value.0.as_str(), $default);
                assert_eq!($name::parse(value.print().as_bytes()), Ok(value));
                assert!($name::parse(b"\n").is_err());
            }
        }
    };
}

/// Defines a file of kind L that holds a host name and defaults to `me`.
macro_rules! host_file {
    ($(#[$doc:meta])* $name:ident, $file:literal, $readers:expr, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub postkiln_address::Domain);

        impl $crate::ControlFile for $name {
            const NAME: &'static str = $file;
            const KIND: $crate::Kind = $crate::Kind::Line;
            const DEFAULT: &'static str = "me";
            const READERS: &'static [&'static str] = $readers;
            const DOC: &'static str = $text;

            fn parse(bytes: &[u8]) -> Result<Self, $crate::ParseError> {
                let line = $crate::lines::first(bytes)?;
                line.parse().map(Self).map_err(|error| $crate::ParseError::new(1, error.to_string()))
            }

            fn print(&self) -> String {
                format!("{}\n", self.0)
            }

            fn missing(
                get: &mut dyn FnMut(&str) -> std::io::Result<Option<Vec<u8>>>,
            ) -> Result<Self, $crate::ReadError> {
                <$crate::Me as $crate::ControlFile>::read(get).map(|me| Self(me.0))
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;
            use $crate::ControlFile;

            #[test]
            fn what_is_printed_is_parsed_again_and_me_stands_in() {
                let value = $name("mail.example.org".parse().unwrap());
                assert_eq!($name::parse(value.print().as_bytes()), Ok(value.clone()));
                assert!($name::parse(b"not a host\n").is_err());
                let only_me = |name: &str| Ok((name == "me").then(|| b"mail.example.org\n".to_vec()));
                assert_eq!($name::read(only_me).unwrap(), value);
            }
        }
    };
}

/// Defines a file of kind M: an item per line, as the item reads and prints itself; without a file there are no items.
macro_rules! list_file {
    ($(#[$doc:meta])* $name:ident($item:ty), $file:literal, $default:literal, $readers:expr, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name(pub Vec<$item>);

        impl $crate::ControlFile for $name {
            const NAME: &'static str = $file;
            const KIND: $crate::Kind = $crate::Kind::Lines;
            const DEFAULT: &'static str = $default;
            const READERS: &'static [&'static str] = $readers;
            const DOC: &'static str = $text;

            fn parse(bytes: &[u8]) -> Result<Self, $crate::ParseError> {
                $crate::lines::items(bytes).map(Self)
            }

            fn print(&self) -> String {
                $crate::lines::print(&self.0)
            }

            fn missing(
                _: &mut dyn FnMut(&str) -> std::io::Result<Option<Vec<u8>>>,
            ) -> Result<Self, $crate::ReadError> {
                Ok(Self::default())
            }
        }
    };
}

pub(crate) use {host_file, integer_file, list_file, local_part_file};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_blank_lines_and_trailing_space_are_skipped() {
        let lines = all(b"# c\n\na.example \t\n  \n#\nb.example").unwrap();
        assert_eq!(lines, [(3, "a.example"), (6, "b.example")]);
        assert_eq!(first(b"x \nrest\n").unwrap(), "x");
        assert_eq!(first(b"").unwrap(), "");
        assert!(all(b"ok\n\xff\n").is_err());
    }
}
