//! The columns of population files and where in the site's own form their values stand: one row for each. A new field
//! of a user gets its row here and is decoded in `decode/user.rs`, once for both.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::answer::{Entry, Node, Span, Value};

/// A column of a CSV file, or a field of a JSON object.
#[derive(Debug)]
pub(crate) struct Column {
    /// The column's name in the header.
    pub(crate) name: &'static str,
    /// The fields that lead to the same value in the site: `["password", "hash"]`. When empty, the value is the whole
    /// thing.
    pub(crate) path: &'static [&'static str],
    form: Form,
    /// Whether the values are never shown.
    is_confidential: bool,
    /// The columns that this one refines: one of them must have a value too.
    refines: &'static [&'static str],
}

/// How a value is written in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The part of the address before the `@`.
    Key,
    /// Text, taken as it is.
    Text,
    /// Several texts, separated by spaces.
    Texts,
    /// Several words of a known set, separated by spaces: `imap pop3`.
    Tags,
    /// The words `true` and `false`.
    Boolean,
    /// A whole number.
    Integer,
}

/// The tables that a file can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Table {
    /// People with mailboxes.
    Users,
    /// Aliases with their targets.
    Aliases,
}

impl Table {
    /// The columns of the table.
    pub(crate) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Users => USERS,
            Self::Aliases => ALIASES,
        }
    }
}

/// The name of a field to which a column leads.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    USERS.iter().flat_map(|column| column.path).copied().find(|field| *field == name)
}

/// The columns of a file of users.
pub(crate) const USERS: &[Column] = &[
    column("name", &[], Form::Key),
    column("full_name", &["name"], Form::Text),
    column("quota", &["quota"], Form::Text),
    column("quota_messages", &["quota_messages"], Form::Integer),
    Column { is_confidential: true, ..column("password_hash", &["password", "hash"], Form::Text) },
    column("password_secret", &["password", "secret"], Form::Text),
    Column {
        refines: &["password_hash", "password_secret"],
        ..column("password_reset", &["password", "reset"], Form::Integer)
    },
    column("aliases", &["aliases"], Form::Texts),
    column("forward", &["forward", "to"], Form::Texts),
    Column { refines: &["forward"], ..column("forward_keep", &["forward", "keep"], Form::Boolean) },
    column("deny", &["deny"], Form::Tags),
    column("admin", &["admin"], Form::Boolean),
    column("disabled", &["disabled"], Form::Boolean),
];

/// The columns of a file of aliases.
const ALIASES: &[Column] = &[column("name", &[], Form::Key), column("targets", &[], Form::Texts)];

/// Every column whose values anybody may see.
pub(super) fn harmless() -> impl Iterator<Item = &'static Column> {
    USERS.iter().chain(ALIASES).filter(|column| !column.is_confidential)
}

const fn column(name: &'static str, path: &'static [&'static str], form: Form) -> Column {
    Column { name, path, form, is_confidential: false, refines: &[] }
}

impl Column {
    /// Whether the column holds the name that the row is about.
    pub(super) fn is_key(&self) -> bool {
        self.form == Form::Key
    }

    /// Whether a header means it; spreadsheets begin words with capitals.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether every row must have a value in the column.
    fn is_required(&self) -> bool {
        self.path.is_empty()
    }

    /// The first column that each row needs and that is not among `present`.
    pub(super) fn missing(columns: &'static [Self], present: impl Fn(&Self) -> bool) -> Option<&'static Self> {
        columns.iter().find(|column| column.is_required() && !present(column))
    }

    /// Advice for a row that has a value here and none in the columns that this one refines.
    pub(super) fn misses(&self, present: &[&'static Self]) -> Option<String> {
        let is_there = |name: &&str| present.iter().any(|column| column.name == *name);
        let alone = !self.refines.is_empty() && !self.refines.iter().any(is_there);
        alone.then(|| format!("fill in `{}` too, or leave this empty", self.refines.join("` or `")))
    }

    /// The value of a cell's text; `within` gives the span of a part of the text.
    ///
    /// # Errors
    /// With the name of the form that the text does not have.
    pub(super) fn value(
        &self,
        text: &str,
        within: impl Fn(std::ops::Range<usize>) -> Span,
    ) -> Result<Value, &'static str> {
        match self.form {
            Form::Key | Form::Text => Ok(Value::Text(text.to_owned())),
            Form::Texts | Form::Tags => Ok(Value::List(
                words(text)
                    .map(|(start, word)| {
                        let value = if self.form == Form::Tags { tag(word) } else { Value::Text(word.to_owned()) };
                        Node { span: Some(within(start..start + word.len())), value }
                    })
                    .collect(),
            )),
            Form::Boolean => match text {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err("`true` or `false`"),
            },
            Form::Integer => text.parse().map(Value::Integer).map_err(|_| "a whole number"),
        }
    }

    /// A JSON value in the site's form: JSON has no tags.
    pub(super) fn of_json(&self, mut node: Node) -> Node {
        if let (Form::Tags, Value::List(items)) = (self.form, &mut node.value) {
            for item in items {
                if let Value::Text(text) = &item.value {
                    item.value = tag(text);
                }
            }
        }
        node
    }
}

fn tag(word: &str) -> Value {
    Value::Tag(word.to_owned(), None)
}

/// The words of a cell and the bytes at which they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(char::is_whitespace)
        .map(move |word| {
            let start = at;
            // The separator may be longer than one byte.
            at += word.len()
                + text.get(start + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            (start, word)
        })
        .filter(|(_, word)| !word.is_empty())
}

/// Puts a value where `path` leads from a record.
pub(super) fn put(node: &mut Node, path: &'static [&'static str], value: Node) {
    let Some((first, rest)) = path.split_first() else {
        *node = value;
        return;
    };
    let Value::Record(entries) = &mut node.value else { return };
    let span = value.span;
    let at = entries.iter().position(|entry| entry.name == *first).unwrap_or_else(|| {
        let inner = Node { span, value: Value::Record(Vec::new()) };
        entries.push(Entry { name: Cow::Borrowed(first), span, node: inner });
        entries.len() - 1
    });
    if let Some(entry) = entries.get_mut(at) {
        put(&mut entry.node, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(usize, &str)]) {
        assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn words_have_their_places() {
        check("", &[]);
        check("ada", &[(0, "ada")]);
        check(" ada  grace\ttim\r\nlin ", &[(1, "ada"), (6, "grace"), (12, "tim"), (17, "lin")]);
        check("a\u{3000}b", &[(0, "a"), (4, "b")]);
    }

    #[test]
    fn names_of_columns_differ() {
        for columns in [USERS, ALIASES] {
            for (index, column) in columns.iter().enumerate() {
                assert!(columns.iter().take(index).all(|other| other.name != column.name), "{}", column.name);
            }
            assert_eq!(columns.iter().filter(|column| column.is_key()).count(), 1);
        }
    }
}
