//! `examples/full` shows the whole language: every field of the schema is written there, and every word that a field
//! takes. A field that is new to the schema fails here until the example teaches it. Start at [`nothing_is_left_out`].

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::answer::{Node, Value};
use crate::beneath::Beneath;
use crate::population::{self, Format, Table};
use crate::{Field, Outline, Presence, Shape, evaluate, outline};

/// `Domain.catch_all`, a field; `Domain.catch_all 'discard`, a word it takes.
type Used = BTreeSet<String>;

#[test]
fn nothing_is_left_out() {
    let outline = outline().unwrap();
    let mut wanted = Used::new();
    for (name, definition) in outline.iter().filter(|(name, _)| *name != "Control") {
        want(name, &definition.shape, &mut wanted);
    }
    let used = used(&outline);
    let missing: Vec<&String> = wanted.difference(&used).filter(|path| !OTHERWISE.contains(&path.as_str())).collect();
    assert!(missing.is_empty(), "write these in examples/full, and what they are for: {missing:#?}");
    let shown: Vec<_> = OTHERWISE.iter().filter(|path| used.contains(**path)).collect();
    assert!(shown.is_empty(), "the example shows them now: {shown:?}");
}

#[test]
fn every_control_file_is_shown_or_follows_from_a_field() {
    let node = evaluate::written(&Beneath::open(&folder()).unwrap(), "control.ncl").expect("a value");
    let Value::Record(entries) = node.value else { unreachable!("control.ncl is a record") };
    let outline = outline().unwrap();
    let mut made = Vec::new();
    outline.values().for_each(|definition| documented(&definition.shape, &mut made));
    let shown = entries.iter().map(|entry| &*entry.name);
    let mut told: Vec<&str> = shown.chain(made).chain(FOLLOWING.iter().copied()).collect();
    told.sort_unstable();
    let registered: Vec<&str> = postkiln_control::REGISTRY.iter().map(|entry| entry.name).collect();
    assert_eq!(told, registered, "examples/full/control.ncl");
}

#[test]
fn every_column_of_a_population_is_filled() {
    for (files, table) in
        [(["staff.csv", "members.jsonl"], Table::Users), (["aliases.csv", "functions.jsonl"], Table::Aliases)]
    {
        let rows: Vec<Node> = files.iter().flat_map(|file| rows(file, table)).collect();
        for column in table.columns() {
            assert!(rows.iter().any(|row| holds(row, column.path)), "no row of {files:?} has a {}", column.name);
        }
    }
}

/// The fields and words that the site and its rehearsal use, with the rows of their files.
fn used(outline: &Outline) -> Used {
    let mut used = Used::new();
    let root = Beneath::open(&folder()).unwrap();
    for entry in ["site.ncl", "rehearsal.ncl"] {
        let node = evaluate::written(&root, entry).expect("a value");
        see("Site", &Shape::Named("Site".to_owned()), &node, outline, &mut used);
    }
    used
}

fn rows(file: &str, table: Table) -> Vec<Node> {
    let bytes = std::fs::read(folder().join(file)).unwrap();
    let mut rows = Vec::new();
    population::read(&bytes, Format::of(file).unwrap(), table, &mut |row| rows.extend(row.ok().map(|row| row.node)));
    rows
}

/// Whether something stands where these names lead.
fn holds(node: &Node, path: &[&str]) -> bool {
    let [name, rest @ ..] = path else { return true };
    let Value::Record(entries) = &node.value else { return false };
    entries.iter().any(|entry| entry.name == *name && holds(&entry.node, rest))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/full")
}

/// The fields and words below a shape; `path` leads to it from the contract it belongs to.
fn want(path: &str, shape: &Shape, wanted: &mut Used) {
    match shape {
        Shape::Record(fields) => {
            for field in fields {
                let below = format!("{path}.{}", field.name);
                wanted.insert(below.clone());
                let mut words = Used::new();
                want(&below, &field.shape, &mut words);
                wanted.extend(words.into_iter().filter(|word| !is_default(word, &below, field)));
            }
        }
        Shape::Choice(tags) => {
            for (tag, argument) in tags {
                let below = format!("{path} '{tag}");
                wanted.insert(below.clone());
                argument.iter().for_each(|shape| want(&below, shape, wanted));
            }
        }
        Shape::List(inner) | Shape::Map(inner) => want(path, inner, wanted),
        Shape::Either(any) => any.iter().for_each(|shape| want(path, shape, wanted)),
        Shape::Text | Shape::Number | Shape::Bool | Shape::Anything | Shape::Named(_) => {}
    }
}

/// The control files that the schema names where it describes a field: "Becomes `control/databytes`."
fn documented<'a>(shape: &'a Shape, made: &mut Vec<&'a str>) {
    match shape {
        Shape::Record(fields) => {
            for field in fields {
                let named = field.doc.split("`control/").skip(1).filter_map(|rest| rest.split('`').next());
                made.extend(named);
                documented(&field.shape, made);
            }
        }
        Shape::List(inner) | Shape::Map(inner) => documented(inner, made),
        Shape::Either(any) => any.iter().for_each(|shape| documented(shape, made)),
        _ => {}
    }
}

/// Whether the word is what an absent field means: such a word need not be shown.
fn is_default(word: &str, path: &str, field: &Field) -> bool {
    matches!(&field.presence, Presence::Default(value) if word == format!("{path} {value}"))
}

/// The fields and words of a value.
fn see(path: &str, shape: &Shape, node: &Node, outline: &Outline, used: &mut Used) {
    match (shape, &node.value) {
        (Shape::Named(name), _) => {
            let definition = outline.get(name).into_iter();
            definition.for_each(|definition| see(name, &definition.shape, node, outline, used));
        }
        (Shape::Either(any), _) => any.iter().for_each(|shape| see(path, shape, node, outline, used)),
        (Shape::Record(fields), Value::Record(entries)) => {
            for entry in entries {
                for field in fields.iter().filter(|field| field.name == entry.name) {
                    let below = format!("{path}.{}", field.name);
                    used.insert(below.clone());
                    see(&below, &field.shape, &entry.node, outline, used);
                }
            }
        }
        (Shape::Map(inner), Value::Record(entries)) => {
            entries.iter().for_each(|entry| see(path, inner, &entry.node, outline, used));
        }
        (Shape::List(inner), Value::List(items)) => {
            items.iter().for_each(|item| see(path, inner, item, outline, used));
        }
        (Shape::Choice(tags), Value::Tag(tag, argument)) => {
            let below = format!("{path} '{tag}");
            used.insert(below.clone());
            for (_, shape) in tags.iter().filter(|(name, _)| name == tag) {
                shape.iter().zip(argument).for_each(|(shape, node)| see(&below, shape, node, outline, used));
            }
        }
        _ => {}
    }
}

/// Words that cannot be shown beside the rest: both machines have IPv6, and a domain without a made SPF record has one
/// of its own.
const OTHERWISE: &[&str] = &["Appliance.ipv6 'none", "Spf.policy 'none"];

/// Control files that other parts of a site make without the schema naming them.
const FOLLOWING: &[&str] = &[
    "locals",
    "me",
    "morercpthosts",
    "network",
    "network6",
    "rates",
    "rcpthosts",
    "resolvers",
    "scanner",
    "smarthost",
    "subaddress",
    "timeservers",
    "virtualdomains",
];
