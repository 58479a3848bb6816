//! The way of mail for an address, step by step to its ends, with the place of every rule used, as `postkiln explain
//! SITE ADDRESS` shows it. The steps are those of the one walk in `schemas/routing`, which the node takes too.

use std::collections::BTreeSet;

use postkiln_address::{Address, Domain};
use postkiln_admission::Policy;
use postkiln_bundle::paths;
use postkiln_control::{Badrcptto, ControlFile, Smtproutes};
use postkiln_findings::Place;
use postkiln_routing::{Destination, Route, Step};
use postkiln_site::{Gap, Section, Site};
use serde::Serialize;

use crate::instructions::LAST;
use crate::model::CatchAll;
use crate::{Blueprint, Kind, ObjectId, World, origin};

/// Everything that happens to mail for one address.
#[derive(Clone, Debug, Default)]
pub struct Itinerary {
    /// The steps in their order; forwards are followed.
    pub stops: Vec<Stop>,
    /// The ends of the way, each address once.
    pub ends: Vec<End>,
    /// Whether the way goes through a part of the site that could not be read: then the steps may be wrong.
    pub is_hidden: bool,
}

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The number of forwards that led here.
    pub depth: usize,
    /// The kind of rule: `smtp`, `domain`, `detail`, `alias`, `user`, `list`, `autoresponder`, `catch-all`, `route`,
    /// `loop`.
    pub rule: &'static str,
    /// The effect of the rule, in words.
    pub text: String,
    /// The generated file with the instructions, where there is one.
    pub file: Option<String>,
    /// The place of the rule; `None` for a default.
    pub place: Option<Place>,
}

/// An end of the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct End {
    /// The kind of end: `mailbox`, `elsewhere`, `list`, `reply`, `refused`, `dropped`.
    pub kind: &'static str,
    /// The name of the end: mailbox, outside address or list; for `refused` the reply.
    pub what: String,
}

/// Follows mail for an address to all its ends.
#[must_use]
pub fn itinerary(site: &Site, blueprint: &Blueprint, world: &mut World<'_>, address: &Address) -> Itinerary {
    let policy = blueprint.admission();
    let mut guide = Guide { site, blueprint, policy, found: Itinerary::default(), visited: BTreeSet::new() };
    guide.found.is_hidden = site.gaps.any_section(&[Section::Control]);
    if guide.policy.is_bad(address) {
        guide.bad(address);
    } else {
        guide.strangers(address);
        guide.follow(world, address, 0);
    }
    guide.found.ends.sort();
    guide.found.ends.dedup();
    guide.found
}

struct Guide<'a> {
    site: &'a Site,
    blueprint: &'a Blueprint,
    policy: Policy,
    found: Itinerary,
    visited: BTreeSet<String>,
}

impl Guide<'_> {
    /// A step about an address that nobody may write to. It is not looked for; mail that this site forwards there does
    /// not come this way.
    fn bad(&mut self, address: &Address) {
        let mut entries = self.site.smtp.bad_recipients.iter();
        let written = entries.find(|bad| bad.value.covers(address)).map(|bad| bad.place.clone());
        let by_default = || origin::place(self.site, &ObjectId::new(Kind::Control, Badrcptto::NAME), &[]).cloned();
        let text = format!("{address} is a bad recipient: refused, whoever writes");
        self.stop(0, "smtp", text, Some(paths::control(Badrcptto::NAME)), written.or_else(by_default));
        self.end("refused", "badrcptto names the recipient".to_owned());
    }

    /// A step about a domain of ours that strangers may not write to.
    fn strangers(&mut self, address: &Address) {
        if self.blueprint.own_address(address).is_some() && !self.policy.is_open(address.domain()) {
            let text = format!("refused for strangers: rcpthosts does not name {}", address.domain());
            self.rule(0, "smtp", text, None, &ObjectId::new(Kind::Control, "rcpthosts"), &[]);
        }
    }

    fn follow(&mut self, world: &mut World<'_>, address: &Address, depth: usize) {
        if !self.visited.insert(address.key()) {
            return self.stop(depth, "loop", format!("{address} has been here before: followed once"), None, None);
        }
        self.found.is_hidden |= self.is_hidden(address);
        let (route, steps) = match world.trace(address) {
            Ok(traced) => traced,
            Err(error) => return self.end("refused", error.to_string()),
        };
        let mut here = address.clone();
        let mut domain = String::new();
        for step in &steps {
            match step {
                Step::Virtual { address, .. } => here = address.clone(),
                Step::Assigned { domain: assigned, .. } => {
                    domain.clone_from(assigned);
                    self.domain(&here, assigned, depth);
                }
                Step::Subaddress { address, detail } => self.detail(&domain, address, detail, depth),
                Step::File { domain, name } => self.file(&here, domain, name, &steps, depth),
                Step::Followed(next) => {
                    here = next.clone();
                    self.found.is_hidden |= self.is_hidden(next);
                }
            }
        }
        match route {
            Route::NotOurs => self.elsewhere(address, depth),
            Route::NoSuchAddress(text) => self.end("refused", text),
            Route::Destinations(destinations) if destinations.is_empty() => self.end("dropped", here.to_string()),
            Route::Destinations(destinations) => {
                for destination in destinations {
                    self.destination(world, destination, depth);
                }
            }
        }
    }

    /// Whether it could not be read where an address leads. A detail hides no more than the name before it does.
    fn is_hidden(&self, address: &Address) -> bool {
        let gaps = &self.site.gaps;
        let Some((domain, local)) = self.blueprint.own_address(address) else { return false };
        let ways = |gap: &Gap| matches!(gap, Gap::Way(of, Some(name)) if of == domain && local.as_str().starts_with(name.as_str()));
        gaps.hide_names(domain) || gaps.any(ways)
    }

    fn domain(&mut self, address: &Address, assigned: &str, depth: usize) {
        let written = address.domain().as_str();
        let text = if written == assigned {
            format!("{written} is a domain of this site")
        } else {
            format!("{written} stands for {assigned}")
        };
        self.rule(depth, "domain", text, None, &ObjectId::new(Kind::Domain, written), &[]);
    }

    fn detail(&mut self, domain: &str, address: &str, detail: &str, depth: usize) {
        let text = format!("{detail:?} is a detail of {address}@{domain}");
        self.rule(depth, "detail", text, None, &ObjectId::new(Kind::Domain, domain), &["subaddress"]);
    }

    /// A step about the file with the instructions, which shows the rule of the site it was made for.
    fn file(&mut self, here: &Address, domain: &str, name: &str, steps: &[Step], depth: usize) {
        let local = named(here, domain, steps);
        let file = Some(paths::instructions(domain, name));
        let Some(mail) = domain.parse::<Domain>().ok().and_then(|domain| self.blueprint.domains.get(&domain)) else {
            return;
        };
        let is_exact = name != LAST;
        let of = |kind| ObjectId::within(kind, &local, domain);
        let has_user = mail.users.keys().any(|user| user.as_str() == local);
        let targets = || {
            let found = mail.aliases.iter().find(|(alias, _)| alias.as_str() == local);
            found.map(|(_, targets)| targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        };
        let responds = mail.responders.keys().any(|robot| robot.as_str() == local);
        match (is_exact, targets()) {
            (true, Some(targets)) => {
                self.rule(depth, "alias", format!("{local}@{domain} leads to {targets}"), file, &of(Kind::Alias), &[]);
            }
            (true, None) if responds => {
                let text = format!("{local}@{domain} answers by itself");
                self.rule(depth, "autoresponder", text, file, &of(Kind::Autoresponder), &[]);
            }
            (true, None) if mail.lists.keys().any(|list| list.as_str() == local) => {
                self.rule(depth, "list", format!("{local}@{domain} is a list"), file, &of(Kind::List), &[]);
            }
            (true, None) => {
                let text = format!("{local}@{domain} forwards");
                self.rule(depth, "user", text, file, &of(Kind::User), &["forward"]);
            }
            (false, _) if has_user => {
                let text = format!("{local}@{domain} is a user");
                self.rule(depth, "user", text, file, &of(Kind::User), &[]);
            }
            (false, _) => {
                let does = match &mail.catch_all {
                    CatchAll::Reject => "refused".to_owned(),
                    CatchAll::Discard => "accepted and dropped".to_owned(),
                    CatchAll::Deliver(target) => format!("delivered to {target}"),
                };
                let text = format!("{local}@{domain} is not declared; such mail is {does}");
                self.rule(depth, "catch-all", text, file, &ObjectId::new(Kind::Domain, domain), &["catch_all"]);
            }
        }
    }

    fn destination(&mut self, world: &mut World<'_>, destination: Destination, depth: usize) {
        match destination {
            Destination::Mailbox { domain, user } => self.end("mailbox", format!("{user}@{domain}")),
            Destination::Forward(target) => self.follow(world, &target, depth + 1),
            Destination::List { address, .. } => {
                self.members(&address, depth);
                self.end("list", address.to_string());
            }
            Destination::Respond { address, .. } => self.end("reply", address.to_string()),
        }
    }

    /// A step that counts a list's members. They are not followed, because the sender decides whether they get
    /// anything.
    fn members(&mut self, address: &Address, depth: usize) {
        let found = self.blueprint.own_address(address);
        let list = found.and_then(|(domain, local)| self.blueprint.domains.get(domain)?.lists.get(&local));
        if let Some(list) = list {
            let who = match list.post {
                crate::Posting::Anyone => "anyone",
                crate::Posting::Members => "members",
                crate::Posting::Moderators => "moderators",
                crate::Posting::MembersElseModerated => "members, and others when a moderator agrees,",
                crate::Posting::Moderated => "moderators, and others when one agrees,",
            };
            let text = format!("{who} may post; {} members get it", list.members.len());
            self.rule(depth, "list", text, None, &ObjectId::new(Kind::List, address), &["post"]);
        }
    }

    fn elsewhere(&mut self, address: &Address, depth: usize) {
        self.found.is_hidden |= self.site.gaps.any_section(&[Section::Domains, Section::Smtp]);
        let routes: Smtproutes = self.blueprint.control_file().unwrap_or_default();
        let relay = routes.relay(address.domain());
        let by = relay.map_or_else(|| "by MX".to_owned(), |relay| format!("through {relay}"));
        // A forward of this site leaves for everybody; mail to others' addresses only for people who may send through
        // it.
        let whom = match depth {
            0 if self.policy.is_open(address.domain()) => ", for everybody: rcpthosts names it",
            0 => ", for those who may send through this site; refused for everybody else",
            _ => "",
        };
        let text = format!("{} is a domain of others: delivered there {by}{whom}", address.domain());
        let routes = ObjectId::new(Kind::Control, "smtproutes");
        self.rule(depth, "route", text, None, &routes, &[address.domain().as_str()]);
        self.end("elsewhere", address.to_string());
    }

    fn rule(
        &mut self,
        depth: usize,
        rule: &'static str,
        text: String,
        file: Option<String>,
        id: &ObjectId,
        path: &[&str],
    ) {
        let place = origin::place(self.site, id, path).cloned();
        self.stop(depth, rule, text, file, place);
    }

    fn stop(&mut self, depth: usize, rule: &'static str, text: String, file: Option<String>, place: Option<Place>) {
        self.found.stops.push(Stop { depth, rule, text, file, place });
    }

    fn end(&mut self, kind: &'static str, what: String) {
        self.found.ends.push(End { kind, what });
    }
}

/// The local part whose file was found: that of the address, or the rest of it without its detail.
fn named(here: &Address, domain: &str, steps: &[Step]) -> String {
    let mut assigned = false;
    let mut local = here.local().as_str().to_ascii_lowercase();
    for step in steps {
        match step {
            Step::Virtual { address, .. } => assigned = address == here,
            Step::Subaddress { address, .. } if assigned => local = address.to_ascii_lowercase(),
            Step::Assigned { domain: of, .. } if of != domain => assigned = false,
            _ => {}
        }
    }
    local
}
