//! Explaining the way of mail for an address.

use postkiln_address::Address;
use postkiln_blueprint::{Blueprint, End, Itinerary, Stop, World, itinerary};
use postkiln_site::Site;
use serde::Serialize;

use super::written;
use crate::output;

/// Prints each step of the way, and its ends; false, and nothing, when one of the site's `errors` hides them.
pub(super) fn explain(site: &Site, blueprint: &Blueprint, address: &Address, errors: usize, json: bool) -> bool {
    let mut world = World::new(blueprint);
    let found = itinerary(site, blueprint, &mut world, address);
    if found.is_hidden {
        return false;
    }
    if json {
        let steps = found.stops.iter().map(step).collect();
        output::json(&Report { address: address.to_string(), steps, ends: &found.ends, errors });
    } else {
        show(address, &found);
    }
    true
}

fn show(address: &Address, found: &Itinerary) {
    output::result(&address.to_string());
    let columns = found.stops.iter().map(|stop| indented(stop).chars().count()).max().unwrap_or_default();
    for stop in &found.stops {
        let text = indented(stop);
        let gap = " ".repeat(columns - text.chars().count());
        let place = stop.place.as_ref().map_or_else(|| "(by default)".to_owned(), written);
        output::result(&format!("{text}{gap}   {place}"));
        if let Some(file) = &stop.file {
            output::result(&format!("{}{:15}{file}", "  ".repeat(stop.depth + 1), ""));
        }
    }
    for end in &found.ends {
        output::result(&format!("=> {}", ending(end)));
    }
}

fn indented(stop: &Stop) -> String {
    format!("{}{:<15}{}", "  ".repeat(stop.depth + 1), stop.rule, stop.text)
}

fn ending(End { kind, what }: &End) -> String {
    match *kind {
        "mailbox" => format!("the mailbox of {what}"),
        "elsewhere" => format!("{what}, on another server"),
        "list" => format!("the members of {what}"),
        "reply" => format!("a reply from {what}"),
        "dropped" => "accepted and dropped".to_owned(),
        _ => format!("refused: {what}"),
    }
}

fn step(stop: &Stop) -> Step<'_> {
    let at = stop.place.as_ref().map(written);
    Step { depth: stop.depth, rule: stop.rule, text: &stop.text, file: stop.file.as_deref(), at }
}

#[derive(Serialize)]
struct Report<'a> {
    address: String,
    steps: Vec<Step<'a>>,
    ends: &'a [End],
    /// The number of the site's errors.
    errors: usize,
}

#[derive(Serialize)]
struct Step<'a> {
    depth: usize,
    rule: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}
