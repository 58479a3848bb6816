//! Logged mail walked through both blueprints, to find the mail whose fate would change. The walk is the node's
//! (`schemas/routing`).
//!
//! Knows envelopes in three forms: JSON lines `{"from": …, "to": …}`, the node's own log, and qmail-send's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use postkiln_address::{Address, ReversePath};
use postkiln_admission::{Candidate, Client, Policy};
use postkiln_blueprint::{Blueprint, World};
use postkiln_operation::log::{Event, Line as Logged};
use postkiln_routing::{Destination, Route};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::show::Style;
use crate::words::counted;

/// The sender and the recipient of a logged message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Envelope {
    /// The sender's address; empty for notices.
    pub from: String,
    /// The recipient's address.
    pub to: String,
}

/// The fate of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "fate", content = "ends")]
pub enum Fate {
    /// Refused, for this reason.
    Refused(String),
    /// Accepted, with its ends: mailboxes, lists, answers, outside addresses.
    Accepted(BTreeSet<String>),
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "refused ({why})"),
            Self::Accepted(ends) if ends.is_empty() => f.write_str("accepted, reaches nobody"),
            Self::Accepted(ends) => f.write_str(&ends.iter().cloned().collect::<Vec<_>>().join(", ")),
        }
    }
}

/// The fates of all envelopes under both blueprints.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Envelopes walked, each as often as it was logged.
    pub walked: usize,
    /// The number of lines that hold no envelope.
    pub skipped: usize,
    /// Envelopes whose fate changes: how often each was logged, and both fates.
    pub changed: Vec<(Envelope, usize, Fate, Fate)>,
}

/// Walks each envelope of a log through both blueprints.
#[must_use]
pub fn replay(log: &str, base: &Blueprint, new: &Blueprint) -> Replayed {
    let (counts, skipped) = envelopes(log);
    let (mut earlier, mut later) = (Walker::new(base), Walker::new(new));
    let mut replayed = Replayed { skipped, ..Replayed::default() };
    for (envelope, count) in counts {
        let Ok(to) = Address::received(&envelope.to) else {
            replayed.skipped += count;
            continue;
        };
        replayed.walked += count;
        let (before, after) = (earlier.fate(&envelope.from, &to), later.fate(&envelope.from, &to));
        if before != after {
            replayed.changed.push((envelope, count, before, after));
        }
    }
    // The most frequent envelopes come first, since their mail would be missed first.
    replayed.changed.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
    replayed
}

impl Replayed {
    /// The result for people; in Markdown it stands in a fence.
    #[must_use]
    pub fn text(&self, markdown: bool, style: Style) -> String {
        let lines: usize = self.changed.iter().map(|(_, count, ..)| count).sum();
        let mut out = format!("\nreplay: {} logged deliveries walked, {lines} would end elsewhere", self.walked);
        if self.skipped > 0 {
            // Writing to a String cannot fail.
            let _ = write!(out, " ({} without an envelope)", counted(self.skipped, "line"));
        }
        out.push('\n');
        if markdown && !self.changed.is_empty() {
            out.push_str("\n```\n");
        }
        let most = if style.full { usize::MAX } else { MOST_SHOWN };
        for (envelope, count, before, after) in self.changed.iter().take(most) {
            let _ = writeln!(
                out,
                "  {count} x <{}> to {}: {before} -> {after}",
                harmless(&envelope.from),
                harmless(&envelope.to)
            );
        }
        if let Some(more) = self.changed.len().checked_sub(most).filter(|more| *more > 0) {
            let _ = writeln!(out, "  … {} more; --full lists them", counted(more, "envelope"));
        }
        if markdown && !self.changed.is_empty() {
            out.push_str("```\n");
        }
        out
    }

    /// The result for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let changed = self.changed.iter().map(|(envelope, count, before, after)| {
            json!({ "from": envelope.from, "to": envelope.to, "count": count, "before": before, "after": after })
        });
        json!({ "walked": self.walked, "skipped": self.skipped, "changed": changed.collect::<Vec<_>>() })
    }
}

/// Escapes a text from a log, which strangers wrote: it must neither reach a terminal raw nor end a fence.
fn harmless(text: &str) -> String {
    let shown = |c: char| if c.is_control() || c == '`' { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

struct Walker<'a> {
    blueprint: &'a Blueprint,
    world: World<'a>,
    policy: Policy,
    known: BTreeMap<String, Fate>,
}

impl<'a> Walker<'a> {
    fn new(blueprint: &'a Blueprint) -> Self {
        Self { blueprint, world: World::new(blueprint), policy: blueprint.admission(), known: BTreeMap::new() }
    }

    /// A log does not say who had logged in: only our own people send through us, so a sender of ours counts as
    /// one of them.
    fn fate(&mut self, from: &str, to: &Address) -> Fate {
        let sender = ReversePath::received(from).unwrap_or(ReversePath::Null);
        let has_login = sender.address().is_some_and(|sender| self.is_ours(sender));
        let candidate = Candidate { client: &Client::default(), has_login, sender: &sender, recipient: to };
        if let Err(refusal) = self.policy.before(&candidate) {
            return Fate::Refused(refusal.reason());
        }
        let fate = self.known_fate(to);
        // Mail that our forwards passed on is refused on both sides, which is no difference.
        match self.policy.after(&candidate, to) {
            Err(refusal) if matches!(fate, Fate::Accepted(_)) => Fate::Refused(refusal.reason()),
            _ => fate,
        }
    }

    /// The result of the walk, which asks for nobody's leave.
    fn known_fate(&mut self, to: &Address) -> Fate {
        let key = to.key();
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let fate = self.follow(to);
        self.known.insert(key, fate.clone());
        fate
    }

    fn is_ours(&self, address: &Address) -> bool {
        let domain = address.domain();
        self.blueprint.domains.contains_key(domain) || self.blueprint.alias_domains.contains_key(domain)
    }

    /// Follows forwards to the end.
    fn follow(&mut self, to: &Address) -> Fate {
        let (mut ends, mut visited, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![to.clone()]);
        while let Some(address) = open.pop() {
            if !visited.insert(address.key()) {
                continue;
            }
            match self.world.trace(&address).map(|(route, _)| route) {
                Ok(Route::Destinations(destinations)) => {
                    for destination in destinations {
                        match destination {
                            Destination::Mailbox { domain, user } => drop(ends.insert(format!("{user}@{domain}"))),
                            Destination::Forward(target) => open.push(target),
                            Destination::List { address, .. } => drop(ends.insert(format!("list {address}"))),
                            Destination::Respond { address, .. } => drop(ends.insert(format!("answer of {address}"))),
                        }
                    }
                }
                Ok(Route::NotOurs) => drop(ends.insert(format!("{address} elsewhere"))),
                Ok(Route::NoSuchAddress(_)) if visited.len() == 1 => {
                    return Fate::Refused("no such address".to_owned());
                }
                Ok(Route::NoSuchAddress(_)) => drop(ends.insert(format!("bounce at {address}"))),
                Err(_) => drop(ends.insert(format!("deferred at {address}"))),
            }
        }
        Fate::Accepted(ends)
    }
}

/// The envelopes of a log with the number of their lines, and the number of lines that hold none.
#[must_use]
pub fn envelopes(log: &str) -> (BTreeMap<Envelope, usize>, usize) {
    let mut found = BTreeMap::new();
    let mut skipped = 0;
    let mut senders = BTreeMap::new();
    for line in log.lines().filter(|line| !line.trim().is_empty()) {
        let envelopes = json_line(line).or_else(|| node_line(line)).or_else(|| qmail_line(line, &mut senders));
        match envelopes {
            Some(envelopes) => envelopes.into_iter().for_each(|one| *found.entry(one).or_default() += 1),
            None => skipped += 1,
        }
    }
    (found, skipped)
}

#[derive(Deserialize)]
struct Line {
    from: String,
    to: Recipients,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Recipients {
    One(String),
    Several(Vec<String>),
}

fn json_line(line: &str) -> Option<Vec<Envelope>> {
    let Line { from, to } = serde_json::from_str(line).ok()?;
    let to = match to {
        Recipients::One(to) => vec![to],
        Recipients::Several(to) => to,
    };
    Some(to.into_iter().map(|to| Envelope { from: from.clone(), to }).collect())
}

/// Reads an attempt that ended, `event=delivered queue=… from=<ada@example.org> to=bo@example.net …`. A deferred
/// attempt is skipped, since it comes again.
fn node_line(line: &str) -> Option<Vec<Envelope>> {
    let line = Logged::parse(line)?;
    if line.role != "queued" || !matches!(line.event, Event::Delivered | Event::Failed) {
        return None;
    }
    let from = line.field("from")?.trim_start_matches('<').trim_end_matches('>').to_owned();
    Some(vec![Envelope { from, to: line.field("to")?.to_owned() }])
}

/// Reads qmail-send's `info msg 5: bytes 9 from <a@b> …` and `starting delivery 1: msg 5 to local b-c@b`; the first
/// only names the sender.
fn qmail_line(line: &str, senders: &mut BTreeMap<String, String>) -> Option<Vec<Envelope>> {
    if let Some((_, rest)) = line.split_once("info msg ") {
        let (id, rest) = rest.split_once(": ")?;
        let from = rest.split_once("from <")?.1.split_once('>')?.0;
        senders.insert(id.to_owned(), from.to_owned());
        return Some(Vec::new());
    }
    let (_, rest) = line.split_once("starting delivery ")?;
    let (_, rest) = rest.split_once(": msg ")?;
    let (id, rest) = rest.split_once(" to ")?;
    let (channel, to) = rest.trim_end().split_once(' ')?;
    let to = match (channel, to.rsplit_once('@')) {
        // The local part begins with the virtual domain: `example.org-ada@example.org`.
        ("local", Some((local, domain))) => {
            let local = local.strip_prefix(domain).and_then(|rest| rest.strip_prefix('-')).unwrap_or(local);
            format!("{local}@{domain}")
        }
        _ => to.to_owned(),
    };
    Some(vec![Envelope { from: senders.get(id)?.clone(), to }])
}

/// The largest number of envelopes that are shown one by one.
const MOST_SHOWN: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str, expected: &[(&str, &str, usize)], skipped: usize) {
        let (found, left_out) = envelopes(log);
        let found: Vec<_> = found.iter().map(|(one, count)| (one.from.as_str(), one.to.as_str(), *count)).collect();
        assert_eq!((found.as_slice(), left_out), (expected, skipped), "{log}");
    }

    #[test]
    fn envelopes_are_found_in_three_kinds_of_logs() {
        check(
            "{\"from\":\"a@x.example\",\"to\":[\"b@y.example\",\"c@y.example\"]}\n\nnonsense\n",
            &[("a@x.example", "b@y.example", 1), ("a@x.example", "c@y.example", 1)],
            1,
        );
        let line = "role=queued level=info event=delivered queue=5f from=<a@x.example> to=b@y.example channel=local";
        check(
            &format!("{line}\n{line}\n{}", line.replace("delivered", "deferred")),
            &[("a@x.example", "b@y.example", 2)],
            1,
        );
        let strange = line.replace("b@y.example", "\"\\\"two words\\\"@y.example\"");
        check(&format!("12:00:01 {strange}\r"), &[("a@x.example", "\"two words\"@y.example", 1)], 0);
        check(&line.replace("b@y", "\"\\xff@y"), &[], 1);
        check(
            "@4000 new msg 93\n@4000 info msg 93: bytes 612 from <a@x.example> qp 29 uid 82\n@4000 starting delivery 1: msg 93 to local example.org-ada@example.org\n@4000 starting delivery 2: msg 93 to remote b@y.example\n",
            &[("a@x.example", "ada@example.org", 1), ("a@x.example", "b@y.example", 1)],
            1,
        );
    }
}
