//! The text of `blueprint.json`: each domain, user, alias, list and record on a line of its own, so that two of them
//! can be compared line by line and 100,000 users are read back quickly.

use std::io::{self, Write};

use postkiln_blueprint::Blueprint;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// The file's content.
#[allow(clippy::expect_used, reason = "the model has string keys only; every test of this crate passes here")]
pub(crate) fn print(blueprint: &Blueprint) -> Vec<u8> {
    pretty(blueprint).expect("a model is always JSON")
}

/// A value as JSON in the form of the file.
pub(crate) fn pretty(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, LineForEach::default()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The deepest level whose things have lines of their own: `domains`, a domain, `users`, a user.
const DEEPEST: usize = 4;

/// JSON that is pretty down to [`DEEPEST`] and has no spaces below.
#[derive(Default)]
struct LineForEach {
    depth: usize,
    /// Whether the innermost object or array is not empty.
    is_filled: bool,
}

impl LineForEach {
    fn begin<W: ?Sized + Write>(&mut self, to: &mut W, sign: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_filled = false;
        to.write_all(sign)
    }

    fn item<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        if !first {
            to.write_all(b",")?;
        }
        self.line(to, self.depth)
    }

    fn end<W: ?Sized + Write>(&mut self, to: &mut W, sign: &[u8]) -> io::Result<()> {
        if self.is_filled {
            self.line(to, self.depth - 1)?;
        }
        self.depth -= 1;
        self.is_filled = true;
        to.write_all(sign)
    }

    fn line<W: ?Sized + Write>(&self, to: &mut W, indent: usize) -> io::Result<()> {
        if self.depth > DEEPEST {
            return Ok(());
        }
        to.write_all(b"\n")?;
        (0..indent).try_for_each(|_| to.write_all(b" "))
    }
}

impl Formatter for LineForEach {
    fn begin_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.begin(to, b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.item(to, first)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_filled = true;
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.end(to, b"}")
    }

    fn begin_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.begin(to, b"[")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.item(to, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_filled = true;
        Ok(())
    }

    fn end_array<W: ?Sized + Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.end(to, b"]")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(value: &Value, expected: &str) {
        let mut bytes = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut bytes, LineForEach::default())).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn things_stand_on_lines_of_their_own() {
        check(&json!({}), "{}");
        check(&json!({ "a": [], "b": {} }), "{\n \"a\":[],\n \"b\":{}\n}");
        let users =
            json!({ "ada": { "name": "Ada", "forward": { "to": ["x", "y"] } }, "bo": { "deny": [], "name": "" } });
        check(
            &json!({ "version": 1, "domains": { "d": { "users": users } } }),
            "{\n \"version\":1,\n \"domains\":{\n  \"d\":{\n   \"users\":{\n    \
             \"ada\":{\"name\":\"Ada\",\"forward\":{\"to\":[\"x\",\"y\"]}},\n    \"bo\":{\"deny\":[],\"name\":\"\"}\n   \
             }\n  }\n }\n}",
        );
    }
}
