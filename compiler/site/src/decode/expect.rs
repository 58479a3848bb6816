//! `expect`: unit tests of mail policy.

use postkiln_address::Address;

use crate::answer::Value;
use crate::decode::walker::{At, Walker};
use crate::{Expectation, Expected, Placed};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<Expectation>>> {
    let items = walker.list(at, "expectations")?;
    let found: Vec<_> = items.iter().map(|item| one(walker, item)).collect();
    found.into_iter().collect()
}

fn one(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Expectation>> {
    let fields = walker.fields(at, "an expectation", &["from", "to", "result"])?;
    let from = fields.required("from").and_then(|at| address(walker, &at));
    let to = fields.required("to").and_then(|at| address(walker, &at));
    let result = fields.required("result").and_then(|at| result(walker, &at));
    Some(at.placed(Expectation { from: from?, to: to?, result: result? }))
}

fn result(walker: &Walker<'_>, at: &At<'_>) -> Option<Expected> {
    match &at.node.value {
        Value::Tag(tag, Some(target)) if tag == "delivered_to" => {
            address(walker, &At { node: target, ..at.clone() }).map(Expected::DeliveredTo)
        }
        Value::Tag(tag, None) if tag == "delivered_to" => {
            walker.mistyped(at, "an address after 'delivered_to", Some("write 'delivered_to \"ada@example.org\""));
            None
        }
        _ => {
            let hint = "write 'refused, or 'delivered_to \"ada@example.org\"";
            match &at.node.value {
                Value::Tag(tag, None) if tag == "refused" => Some(Expected::Refused),
                _ => {
                    walker.mistyped(at, "'refused, or 'delivered_to with an address", Some(hint));
                    None
                }
            }
        }
    }
}

fn address(walker: &Walker<'_>, at: &At<'_>) -> Option<Address> {
    walker
        .parsed(at, "an address", Some("write it in full: `ada@example.org`"), str::parse::<Address>)
        .map(|at| at.value)
}
