//! The site's own tests of mail policy: the fate of each message, found by the walk that the node uses.
//!
//! Without `authenticated`, a sender with a mailbox of ours is taken as logged in; every other sender comes to port 25
//! without a login. Every forward and every list is followed to its ends.

use std::collections::BTreeSet;

use postkiln_address::Address;
use postkiln_routing::{Destination, Route};
use postkiln_site::{Expectation, Expected, Gap, Site};

use crate::codes;
use crate::entrance::{Entrance, Reply};
use crate::findings::Findings;
use crate::model::Blueprint;
use crate::world::World;

/// Reports expectations that do not hold, with the real outcome.
pub(super) fn check(site: &Site, blueprint: &Blueprint, world: &mut World<'_>, findings: &mut Findings) {
    let decides = |gap: &Gap| matches!(gap, Gap::Names(_) | Gap::Way(..) | Gap::Person(..) | Gap::Settings(..));
    if site.gaps.any(decides) {
        return;
    }
    let entrance = Entrance::new(blueprint);
    for expectation in &site.expect {
        let outcome = outcome(blueprint, &entrance, world, &expectation.value);
        if !holds(blueprint, &expectation.value.result, &outcome) {
            let Expectation { from, to, client, result, .. } = &expectation.value;
            let by = client.map(|client| format!(" by {client}")).unwrap_or_default();
            let message = format!("mail from {from}{by} to {to} is {}, not {}", said(&outcome), expected(result));
            findings.add(codes::EXPECTATION, &expectation.place, message).hint(hint(blueprint, result, &outcome));
        }
    }
}

/// The outcome for a message.
enum Outcome {
    /// The message is refused at RCPT, for this reason.
    Refused(String),
    /// The message is refused for now, for this reason.
    Deferred(String),
    /// The message is accepted, with these ends.
    Accepted(Vec<End>),
}

/// The end of one copy of a message, and the addresses on its way.
struct End {
    what: What,
    way: Vec<String>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A mailbox of ours.
    Mailbox(String),
    /// An outside address.
    Outside(String),
    /// This list gets the post; its members are further ends.
    Posted(String),
    /// The sender may not post to this list.
    NotPosted(String),
    /// This address replies automatically.
    Replied(String),
    /// The message goes back to the sender, for this reason.
    Bounced(String),
}

impl Outcome {
    fn ends(&self) -> impl Iterator<Item = &What> {
        let ends = match self {
            Self::Refused(_) | Self::Deferred(_) => &[][..],
            Self::Accepted(ends) => ends,
        };
        ends.iter().map(|end| &end.what)
    }

    /// The mailboxes and outside addresses among the ends.
    fn reached(&self) -> BTreeSet<&str> {
        let reached = self.ends().filter_map(|end| match end {
            What::Mailbox(name) | What::Outside(name) => Some(name.as_str()),
            _ => None,
        });
        reached.collect()
    }
}

fn holds(blueprint: &Blueprint, expected: &Expected, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(_) => return *expected == Expected::Refused,
        Outcome::Deferred(_) => return *expected == Expected::Deferred,
        Outcome::Accepted(_) => {}
    }
    let name = |address| end(blueprint, address);
    match expected {
        Expected::Refused | Expected::Deferred => false,
        Expected::DeliveredTo(address) => outcome.reached().contains(name(address).as_str()),
        Expected::DeliveredToAll(addresses) => {
            let expected: BTreeSet<String> = addresses.iter().map(name).collect();
            outcome.reached() == expected.iter().map(String::as_str).collect()
        }
        Expected::ForwardedTo(address) => outcome.ends().any(|end| *end == What::Outside(address.key())),
        Expected::List(address) => outcome.ends().any(|end| *end == What::Posted(name(address))),
        Expected::Replied(address) => outcome.ends().any(|end| *end == What::Replied(name(address))),
        Expected::Discarded => outcome.ends().next().is_none(),
    }
}

fn expected(expected: &Expected) -> String {
    match expected {
        Expected::Refused => "refused".to_owned(),
        Expected::Deferred => "deferred".to_owned(),
        Expected::Discarded => "discarded".to_owned(),
        Expected::DeliveredTo(address) => format!("delivered to {address}"),
        Expected::DeliveredToAll(addresses) => {
            let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("delivered to {} alone", names.join(", "))
        }
        Expected::ForwardedTo(address) => format!("forwarded to {address}"),
        Expected::List(address) => format!("posted to {address}"),
        Expected::Replied(address) => format!("answered by {address}"),
    }
}

fn said(outcome: &Outcome) -> String {
    let ends = match outcome {
        Outcome::Refused(why) => return format!("refused ({why})"),
        Outcome::Deferred(why) => return format!("deferred ({why})"),
        Outcome::Accepted(ends) if ends.is_empty() => return "accepted and reaches nobody".to_owned(),
        Outcome::Accepted(ends) => ends,
    };
    let of = |pick: fn(&What) -> Option<&String>| {
        let names: BTreeSet<&str> = ends.iter().filter_map(|end| pick(&end.what)).map(String::as_str).collect();
        let more = names.len().saturating_sub(MOST_NAMES);
        let shown: Vec<&str> = names.into_iter().take(MOST_NAMES).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        if shown.is_empty() { None } else { Some(shown.join(", ") + &more) }
    };
    let reached = of(|what| match what {
        What::Mailbox(name) | What::Outside(name) => Some(name),
        _ => None,
    });
    let parts = [
        reached.map(|names| format!("delivered to {names}")),
        of(|what| if let What::Posted(name) = what { Some(name) } else { None })
            .map(|names| format!("posted to {names}")),
        of(|what| if let What::NotPosted(name) = what { Some(name) } else { None })
            .map(|names| format!("not let through by {names}")),
        of(|what| if let What::Replied(name) = what { Some(name) } else { None })
            .map(|names| format!("answered by {names}")),
        of(|what| if let What::Bounced(why) = what { Some(why) } else { None }).map(|why| format!("sent back ({why})")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The ways that the message takes, or an oddity of the expectation itself.
fn hint(blueprint: &Blueprint, expected: &Expected, outcome: &Outcome) -> String {
    if let Expected::ForwardedTo(address) = expected
        && blueprint.own_address(address).is_some()
    {
        return format!("{address} is an address of this site: write 'delivered_to");
    }
    let Outcome::Accepted(ends) = outcome else {
        return "change the expectation, or what it speaks of".to_owned();
    };
    let mut ways: Vec<String> = ends.iter().filter(|end| end.way.len() > 1).map(|end| end.way.join(" → ")).collect();
    ways.dedup();
    if ways.is_empty() {
        return "change the expectation, or what it speaks of".to_owned();
    }
    let more = ways.len().saturating_sub(MOST_NAMES);
    ways.truncate(MOST_NAMES);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("it goes {}{more}", ways.join("; "))
}

/// The form in which ends are compared: an alias domain's address is that of the real one.
fn end(blueprint: &Blueprint, address: &Address) -> String {
    match blueprint.own_address(address) {
        Some((domain, local)) => Address::new(local, domain.clone()).key(),
        None => address.key(),
    }
}

fn outcome(blueprint: &Blueprint, entrance: &Entrance, world: &mut World<'_>, message: &Expectation) -> Outcome {
    match entrance.answer(blueprint, world, message) {
        Reply::Refused(why) => Outcome::Refused(why),
        Reply::Deferred(why) => Outcome::Deferred(why),
        Reply::Accepted => Outcome::Accepted(ends(blueprint, world, message)),
    }
}

/// Follows every forward and every list to the end.
fn ends(blueprint: &Blueprint, world: &mut World<'_>, message: &Expectation) -> Vec<End> {
    let mut ends = Vec::new();
    let mut visited = BTreeSet::new();
    let mut open = vec![(message.to.clone(), Vec::new())];
    while let Some((address, mut way)) = open.pop() {
        if !visited.insert(address.key()) {
            continue;
        }
        way.push(address.key());
        let mut put = |what, way: &[String]| ends.push(End { what, way: way.to_vec() });
        let destinations = match world.trace(&address) {
            Ok((Route::Destinations(destinations), _)) => destinations,
            Ok((Route::NotOurs, _)) => {
                put(What::Outside(address.key()), &way);
                continue;
            }
            Ok((Route::NoSuchAddress(text), _)) => {
                put(What::Bounced(format!("{}: {text}", address.key())), &way);
                continue;
            }
            Err(error) => {
                put(What::Bounced(error.to_string()), &way);
                continue;
            }
        };
        for destination in destinations {
            match destination {
                Destination::Mailbox { domain, user } => {
                    let mailbox = format!("{user}@{domain}");
                    let mut way = way.clone();
                    if way.last() != Some(&mailbox) {
                        way.push(mailbox.clone());
                    }
                    put(What::Mailbox(mailbox), &way);
                }
                Destination::Forward(target) => open.push((target, way.clone())),
                Destination::List { address, .. } => match posted(blueprint, &address, &message.from) {
                    Some(members) => {
                        put(What::Posted(address.key()), &way);
                        open.extend(members.iter().map(|member| (member.clone(), way.clone())));
                    }
                    None => put(What::NotPosted(address.key()), &way),
                },
                Destination::Respond { address, .. } => put(What::Replied(address.key()), &way),
            }
        }
    }
    ends.sort_by(|one, other| one.what.cmp(&other.what));
    ends
}

/// A list's members, when the sender may post.
fn posted<'a>(blueprint: &'a Blueprint, list: &Address, from: &Address) -> Option<&'a [Address]> {
    let (domain, local) = blueprint.own_address(list)?;
    let list = blueprint.domains.get(domain)?.lists.get(&local)?;
    let among = |people: &[Address]| people.iter().any(|person| end(blueprint, person) == end(blueprint, from));
    list.lets_post(among).then_some(list.members.as_slice())
}

/// The largest number of names in one sentence.
const MOST_NAMES: usize = 6;
