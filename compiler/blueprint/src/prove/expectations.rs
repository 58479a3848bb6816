//! The site's own tests of mail policy: what would come of each message, by the walk the node uses.
//!
//! A sender with a mailbox of ours is taken as logged in; everybody else comes to port 25 without a login.

use std::collections::BTreeSet;

use postkiln_address::{Address, ReversePath};
use postkiln_control::{Badmailfrom, Rcpthosts};
use postkiln_routing::{Destination, Route};
use postkiln_site::{Expectation, Expected, Site};

use crate::codes;
use crate::findings::Findings;
use crate::model::{Blueprint, List, Posting};
use crate::world::World;

/// Reports expectations that do not hold, with what would happen instead.
pub(super) fn check(site: &Site, blueprint: &Blueprint, world: &mut World<'_>, findings: &mut Findings) {
    for expectation in &site.expect {
        let outcome = outcome(blueprint, world, &expectation.value);
        if !holds(blueprint, &expectation.value.result, &outcome) {
            let Expectation { from, to, result } = &expectation.value;
            let expected = match result {
                Expected::Refused => "refused".to_owned(),
                Expected::DeliveredTo(address) => format!("delivered to {address}"),
            };
            let message = format!("mail from {from} to {to} is {}, not {expected}", said(&outcome));
            findings.add(codes::EXPECTATION, &expectation.place, message).hint =
                Some("change the expectation or what it speaks of".to_owned());
        }
    }
}

/// What comes of a message.
enum Outcome {
    /// Refused at RCPT, and why.
    Refused(&'static str),
    /// Accepted; it ends in these mailboxes and outside addresses.
    Accepted(BTreeSet<String>),
}

fn holds(blueprint: &Blueprint, expected: &Expected, outcome: &Outcome) -> bool {
    match (expected, outcome) {
        (Expected::Refused, Outcome::Refused(_)) => true,
        (Expected::DeliveredTo(address), Outcome::Accepted(ends)) => ends.contains(&end(blueprint, address)),
        _ => false,
    }
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(why) => format!("refused ({why})"),
        Outcome::Accepted(ends) if ends.is_empty() => "accepted and reaches nobody".to_owned(),
        Outcome::Accepted(ends) => format!("delivered to {}", ends.iter().cloned().collect::<Vec<_>>().join(", ")),
    }
}

/// The form in which ends are compared: an alias domain's address is that of the real one.
fn end(blueprint: &Blueprint, address: &Address) -> String {
    match blueprint.own_address(address) {
        Some((domain, local)) => Address::new(local, domain.clone()).key(),
        None => address.key(),
    }
}

fn outcome(blueprint: &Blueprint, world: &mut World<'_>, message: &Expectation) -> Outcome {
    let bad: Badmailfrom = blueprint.control_file().unwrap_or_default();
    if bad.refuses(&ReversePath::Address(message.from.clone())) {
        return Outcome::Refused("badmailfrom names the sender");
    }
    let has_login = blueprint.own_address(&message.from).is_some_and(|(domain, local)| {
        blueprint.domains.get(domain).is_some_and(|mail| mail.users.contains_key(&local))
    });
    let allowed = blueprint.control_file::<Rcpthosts>().unwrap_or_default().allows(message.to.domain());
    if !has_login && !allowed {
        return Outcome::Refused("rcpthosts does not name the domain");
    }
    if matches!(world.trace(&message.to), Ok((Route::NoSuchAddress(_), _))) {
        return Outcome::Refused("no such address");
    }
    Outcome::Accepted(ends(blueprint, world, message))
}

/// Follows every forward and every list to the end.
fn ends(blueprint: &Blueprint, world: &mut World<'_>, message: &Expectation) -> BTreeSet<String> {
    let mut ends = BTreeSet::new();
    let mut visited = BTreeSet::new();
    let mut open = vec![message.to.clone()];
    while let Some(address) = open.pop() {
        if !visited.insert(address.key()) {
            continue;
        }
        let destinations = match world.trace(&address) {
            Ok((Route::Destinations(destinations), _)) => destinations,
            Ok((Route::NotOurs, _)) => {
                ends.insert(address.key());
                continue;
            }
            Ok((Route::NoSuchAddress(_), _)) | Err(_) => continue,
        };
        for destination in destinations {
            match destination {
                Destination::Mailbox { domain, user } => {
                    ends.insert(format!("{user}@{domain}"));
                }
                Destination::Forward(target) => open.push(target),
                Destination::List { address, .. } => open.extend(posted(blueprint, &address, &message.from)),
                Destination::Respond { .. } => {}
            }
        }
    }
    ends
}

/// A list's members, when the sender may post.
fn posted(blueprint: &Blueprint, list: &Address, from: &Address) -> Vec<Address> {
    let found =
        blueprint.own_address(list).and_then(|(domain, local)| blueprint.domains.get(domain)?.lists.get(&local));
    let Some(List { members, post, moderators, .. }) = found else { return Vec::new() };
    let names = |people: &[Address]| people.iter().any(|person| end(blueprint, person) == end(blueprint, from));
    let may_post = match post {
        Posting::Anyone => true,
        Posting::Members => names(members) || names(moderators),
        Posting::Moderators => names(moderators),
    };
    if may_post { members.clone() } else { Vec::new() }
}
