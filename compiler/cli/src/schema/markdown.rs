//! The language as a reference page. `schemas/manual/language.md` is this page; a test keeps it so.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use postkiln_site::{Definition, Field, Outline, Presence, Shape};

/// The page: `Site` first, then the other contracts in the order in which they are met.
pub(super) fn page(outline: &Outline) -> String {
    let mut text = BEGINNING.to_owned();
    let mut met = BTreeSet::from(["Site".to_owned()]);
    let mut waiting = std::collections::VecDeque::from(["Site".to_owned()]);
    while let Some(name) = waiting.pop_front() {
        let Some(definition) = outline.get(&name) else { continue };
        section(&mut text, &name, definition);
        let mut names = Vec::new();
        named(&definition.shape, &mut names);
        waiting.extend(names.into_iter().filter(|name| met.insert(name.clone())));
    }
    text
}

fn section(text: &mut String, name: &str, definition: &Definition) {
    let _ = write!(text, "\n## {name}\n\n{}\n", definition.doc);
    let Shape::Record(fields) = &definition.shape else { return };
    text.push_str("\n| field | form | without it | |\n|---|---|---|---|\n");
    for field in fields {
        let _ = writeln!(text, "| {} |", cells(field).join(" | "));
    }
}

fn cells(field: &Field) -> [String; 4] {
    let without = match &field.presence {
        Presence::Required => "must be there".to_owned(),
        Presence::Optional => String::new(),
        Presence::Default(written) => format!("`{written}`"),
    };
    let cells = [format!("`{}`", field.name), form(&field.shape), without, field.doc.clone()];
    cells.map(|cell| cell.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The form of a value in a few words.
fn form(shape: &Shape) -> String {
    match shape {
        Shape::Text => "string".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Bool => "`true` or `false`".to_owned(),
        Shape::Anything => "anything".to_owned(),
        Shape::List(inner) => format!("list of {}", form(inner)),
        Shape::Map(inner) => format!("record of {} by name", form(inner)),
        Shape::Named(name) => format!("[{name}](#{})", name.to_lowercase()),
        Shape::Record(fields) => {
            let fields = fields.iter().map(|field| format!("`{}`: {}", field.name, form(&field.shape)));
            format!("record of {}", fields.collect::<Vec<_>>().join(", "))
        }
        Shape::Either(any) => any.iter().map(form).collect::<Vec<_>>().join(", or "),
        Shape::Choice(tags) => {
            let tags = tags.iter().map(|(tag, inner)| match inner {
                None => format!("`'{tag}`"),
                Some(inner) => format!("`'{tag}` with {}", form(inner)),
            });
            tags.collect::<Vec<_>>().join(", ")
        }
    }
}

fn named(shape: &Shape, names: &mut Vec<String>) {
    match shape {
        Shape::Named(name) => names.push(name.clone()),
        Shape::List(inner) | Shape::Map(inner) => named(inner, names),
        Shape::Record(fields) => fields.iter().for_each(|field| named(&field.shape, names)),
        Shape::Either(any) => any.iter().for_each(|one| named(one, names)),
        Shape::Choice(tags) => tags.iter().filter_map(|(_, inner)| inner.as_ref()).for_each(|one| named(one, names)),
        Shape::Text | Shape::Number | Shape::Bool | Shape::Anything => {}
    }
}

const BEGINNING: &str = "\
# The language of a site

Printed by `postkiln schema --format markdown` from the contracts in `schemas/site`; change it there. A site is one
expression of [Nickel](https://nickel-lang.org) that ends with `| pk.Site`. Quantities carry units: `\"5 GiB\"`, `\"1 day\"`.
A field not listed here is an error, with a suggestion.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_read_as_sentences() {
        let tags = Shape::Choice(vec![("reject".into(), None), ("deliver_to".into(), Some(Shape::Text))]);
        assert_eq!(form(&tags), "`'reject`, `'deliver_to` with string");
        let list = Shape::Map(Box::new(Shape::List(Box::new(Shape::Named("User".into())))));
        assert_eq!(form(&list), "record of list of [User](#user) by name");
    }
}
