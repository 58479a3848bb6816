//! The schema as data, for reference pages and editors: every field a person may write. Read from the contracts
//! themselves. Knows nothing about sites. Start at [`outline`].

use postkiln_control::{Kind, REGISTRY};

use crate::evaluate;
use crate::shape::{Definition, Field, Outline, Presence, Shape};

/// The language of this compiler.
///
/// # Errors
/// With a sentence, when the embedded schema has a form that this code does not know; tests keep that from happening.
pub fn outline() -> Result<Outline, String> {
    let mut outline = evaluate::outline()?;
    outline.insert("Control".to_owned(), control());
    Ok(outline)
}

/// The control files, which the schema leaves to `schemas/control`.
fn control() -> Definition {
    let field = |entry: &postkiln_control::Entry| Field {
        name: entry.name.to_owned(),
        doc: format!("{} Without: {}.", entry.doc, entry.default.trim_end_matches('.')),
        shape: match entry.kind {
            Kind::Integer => Shape::Number,
            Kind::Line => Shape::Text,
            Kind::Lines => Shape::List(Box::new(Shape::Text)),
        },
        presence: Presence::Optional,
    };
    let doc = "qmail's control files by name, and ours. What stands here is the last word.".to_owned();
    Definition { doc, shape: Shape::Record(REGISTRY.iter().map(field).collect()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]
mod tests {
    use super::*;

    fn fields(outline: &Outline, name: &str) -> Vec<Field> {
        match &outline.get(name).unwrap().shape {
            Shape::Record(fields) => fields.clone(),
            other => panic!("{name} is {other:?}"),
        }
    }

    #[test]
    fn the_contracts_are_understood() {
        let outline = outline().unwrap();
        let site = fields(&outline, "Site");
        let domains = site.iter().find(|field| field.name == "domains").unwrap();
        assert_eq!(domains.shape, Shape::Map(Box::new(Shape::Named("Domain".to_owned()))));
        assert_eq!(domains.presence, Presence::Required);
        let domain = fields(&outline, "Domain");
        let catch_all = domain.iter().find(|field| field.name == "catch_all").unwrap();
        assert_eq!(catch_all.presence, Presence::Default("'reject".to_owned()));
        let users = fields(&outline, "Domain").into_iter().find(|field| field.name == "users").unwrap();
        assert_eq!(users.presence, Presence::Default("{}".to_owned()), "without what stands there for editors");
        let deliver = ("deliver_to".to_owned(), Some(Shape::Text));
        assert!(matches!(&catch_all.shape, Shape::Choice(tags) if tags.contains(&deliver)), "{:?}", catch_all.shape);
    }

    #[test]
    fn every_field_is_documented_and_its_form_known() {
        // Records without a name of their own are told in the text of the field that holds them.
        fn check(path: &str, shape: &Shape, outline: &Outline, wrong: &mut Vec<String>) {
            match shape {
                Shape::Anything => wrong.push(format!("{path}: give its form in schemas/site/shapes.ncl")),
                Shape::Named(name) if !outline.contains_key(name) => wrong.push(format!("{path}: no {name}")),
                Shape::List(inner) | Shape::Map(inner) => check(path, inner, outline, wrong),
                Shape::Either(any) => any.iter().for_each(|shape| check(path, shape, outline, wrong)),
                Shape::Record(fields) => {
                    for field in fields {
                        let path = format!("{path}.{}", field.name);
                        if field.doc.is_empty() && path.matches('.').count() == 1 {
                            wrong.push(format!("{path}: give it a `doc`"));
                        }
                        check(&path, &field.shape, outline, wrong);
                    }
                }
                _ => {}
            }
        }
        let outline = outline().unwrap();
        let mut wrong = Vec::new();
        for (name, definition) in &outline {
            check(name, &definition.shape, &outline, &mut wrong);
        }
        assert_eq!(wrong, Vec::<String>::new());
    }
}
