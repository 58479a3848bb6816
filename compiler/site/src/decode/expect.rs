//! `expect`: unit tests of mail policy.

use std::net::IpAddr;

use postkiln_address::Address;

use crate::answer::{Node, Value};
use crate::decode::walker::{At, Walker};
use crate::{Expectation, Expected, Placed, codes, suggest};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<Expectation>>> {
    let items = walker.list(at, "expectations")?;
    let found: Vec<_> = items.iter().map(|item| one(walker, item)).collect();
    found.into_iter().collect()
}

fn one(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Expectation>> {
    let fields = walker.fields(at, "an expectation", &["from", "to", "authenticated", "client", "result"])?;
    let from = fields.required("from").and_then(|at| address(walker, &at));
    let to = fields.required("to").and_then(|at| address(walker, &at));
    let authenticated = fields.optional("authenticated", |at| walker.boolean(at));
    let client = fields.optional("client", |at| client(walker, at));
    let result = fields.required("result").and_then(|at| result(walker, &at));
    let (authenticated, client) = (authenticated?, client?);
    Some(at.placed(Expectation { from: from?, to: to?, authenticated, client, result: result? }))
}

fn client(walker: &Walker<'_>, at: &At<'_>) -> Option<IpAddr> {
    let hint = "write one machine's address: \"10.20.0.9\", \"2001:db8::9\"";
    walker.parsed(at, "a client's address", Some(hint), str::parse::<IpAddr>).map(|at| at.value)
}

fn result(walker: &Walker<'_>, at: &At<'_>) -> Option<Expected> {
    let Value::Tag(tag, payload) = &at.node.value else {
        walker.mistyped(at, "a result", Some("write 'refused, or 'delivered_to \"ada@example.org\""));
        return None;
    };
    let Some((_, kind)) = KINDS.iter().find(|(name, _)| name == tag) else {
        let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        let hint = suggest::nearest(tag, names.iter().copied()).map(|near| format!("did you mean '{near}?"));
        let choices = names.join(", '");
        walker.report(codes::VALUE, format!("'{tag} is none of '{choices}"), &at.place, hint.as_deref());
        return None;
    };
    match (kind, payload) {
        (Kind::Plain(result), None) => Some(result.clone()),
        (Kind::Plain(_), Some(_)) => {
            walker.mistyped(at, &format!("'{tag} without a value"), None);
            None
        }
        (Kind::Address(make), Some(node)) => address(walker, &within(at, node)).map(*make),
        (Kind::Addresses, Some(node)) => addresses(walker, &within(at, node)),
        (Kind::Address(_), None) => {
            let hint = format!("write '{tag} \"ada@example.org\"");
            walker.mistyped(at, &format!("an address after '{tag}"), Some(&hint));
            None
        }
        (Kind::Addresses, None) => {
            let hint = format!("write '{tag} [\"ada@example.org\", \"grace@example.org\"]");
            walker.mistyped(at, &format!("a list of addresses after '{tag}"), Some(&hint));
            None
        }
    }
}

fn within<'n>(at: &At<'n>, node: &'n Node) -> At<'n> {
    At { node, ..at.clone() }
}

fn addresses(walker: &Walker<'_>, at: &At<'_>) -> Option<Expected> {
    let items = walker.list(at, "addresses")?;
    let found: Vec<_> = items.iter().map(|item| address(walker, item)).collect();
    let found = found.into_iter().collect::<Option<Vec<_>>>()?;
    if found.is_empty() {
        let hint = "write 'discarded when nobody gets it, 'refused when it is not accepted";
        walker.report(codes::VALUE, "'delivered_to_all needs at least one address", &at.place, Some(hint));
        return None;
    }
    Some(Expected::DeliveredToAll(found))
}

fn address(walker: &Walker<'_>, at: &At<'_>) -> Option<Address> {
    walker
        .parsed(at, "an address", Some("write it in full: `ada@example.org`"), str::parse::<Address>)
        .map(|at| at.value)
}

/// The form of the value behind a tag.
enum Kind {
    Plain(Expected),
    Address(fn(Address) -> Expected),
    Addresses,
}

const KINDS: [(&str, Kind); 8] = [
    ("refused", Kind::Plain(Expected::Refused)),
    ("deferred", Kind::Plain(Expected::Deferred)),
    ("discarded", Kind::Plain(Expected::Discarded)),
    ("delivered_to", Kind::Address(Expected::DeliveredTo)),
    ("delivered_to_all", Kind::Addresses),
    ("forwarded_to", Kind::Address(Expected::ForwardedTo)),
    ("list", Kind::Address(Expected::List)),
    ("replied", Kind::Address(Expected::Replied)),
];
