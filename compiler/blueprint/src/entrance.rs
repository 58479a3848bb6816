//! The node's answers to a client before it looks where mail goes, from the same control files and rules: networks, bad
//! senders, bad recipients, logins, relaying. Knows nothing about the walk behind it. Start at [`Entrance::answer`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use postkiln_address::{Address, ReversePath};
use postkiln_control::tcprules::{self, Decision, Rule};
use postkiln_control::{Badmailfrom, Badrcptto, Morercpthosts, Rcpthosts};
use postkiln_routing::{Destination, Route};
use postkiln_site::Expectation;

use crate::model::{Blueprint, Permission, User};
use crate::world::World;

/// The files by which `smtpd` decides.
pub(crate) struct Entrance {
    bad_senders: Badmailfrom,
    bad_recipients: Badrcptto,
    hosts: Rcpthosts,
    more_hosts: Morercpthosts,
    /// The tcprules of each listener.
    rules: BTreeMap<String, Vec<Rule>>,
}

/// The reply to a recipient.
pub(crate) enum Reply {
    /// The recipient is refused, for this reason.
    Refused(String),
    /// The recipient is refused for now, for this reason.
    Deferred(String),
    /// The recipient is let through; whether the address exists is another question.
    Accepted,
}

impl Entrance {
    /// Reads the files from a blueprint.
    pub(crate) fn new(blueprint: &Blueprint) -> Self {
        let rules = blueprint.tcp.iter().map(|(listener, text)| {
            // These rules were printed by us, so they parse.
            (listener.clone(), tcprules::parse(text).unwrap_or_default())
        });
        Self {
            bad_senders: blueprint.control_file().unwrap_or_default(),
            bad_recipients: blueprint.control_file().unwrap_or_default(),
            hosts: blueprint.control_file().unwrap_or_default(),
            more_hosts: blueprint.control_file().unwrap_or_default(),
            rules: rules.collect(),
        }
    }

    /// Whether nobody may write to an address.
    pub(crate) fn is_bad(&self, recipient: &Address) -> bool {
        self.bad_recipients.refuses(recipient)
    }

    /// Whether strangers may write to addresses of a domain.
    pub(crate) fn is_open(&self, recipient: &Address) -> bool {
        self.hosts.allows(recipient.domain()) || self.more_hosts.allows(recipient.domain())
    }

    /// The reply to a message's recipient, in the order in which `smtpd` decides.
    pub(crate) fn answer(&self, blueprint: &Blueprint, world: &mut World<'_>, message: &Expectation) -> Reply {
        let refused = |why: &str| Reply::Refused(why.to_owned());
        let has_login = match message.authenticated {
            Some(false) => false,
            Some(true) if !may_send_as(blueprint, world, &message.from) => {
                return refused("no user of ours may log in and send as this address");
            }
            Some(true) => true,
            None => user(blueprint, &message.from).is_some_and(may_log_in),
        };
        let Decision::Allow(variables) = self.decision(if has_login { "submission" } else { "smtp" }, message.client)
        else {
            return refused("`smtp.networks` does not serve the client");
        };
        let variable = |name| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        if self.bad_senders.refuses(&ReversePath::Address(message.from.clone())) {
            return refused("badmailfrom names the sender");
        }
        match variable("RBLSMTPD").filter(|text| !text.is_empty()) {
            Some(text) => match text.strip_prefix('-') {
                Some(text) => return Reply::Refused(format!("`smtp.networks` answers the client: {text}")),
                None => return Reply::Deferred(format!("`smtp.networks` answers the client: {text}")),
            },
            None if self.is_bad(&message.to) => return refused("badrcptto names the recipient"),
            None => {}
        }
        if has_login || variable("RELAYCLIENT").is_some() || self.is_open(&message.to) {
            Reply::Accepted
        } else {
            refused("rcpthosts does not name the domain")
        }
    }

    /// The decision of a listener's rules about a client; without a client, about everybody.
    fn decision(&self, listener: &str, client: Option<IpAddr>) -> Decision {
        let rules = self.rules.get(listener).map_or(&[][..], Vec::as_slice);
        match client {
            Some(client) => tcprules::lookup(&tcprules::compile(rules), client, None),
            None => {
                let everybody = rules.iter().find(|rule| rule.address.is_empty());
                everybody.map_or(Decision::Allow(Vec::new()), |rule| rule.decision.clone())
            }
        }
    }
}

fn may_log_in(user: &User) -> bool {
    !user.disabled && !user.deny.contains(&Permission::Submission)
}

/// Whether some user of ours may send as an address: as on submission, a user who gets the mail for it.
fn may_send_as(blueprint: &Blueprint, world: &mut World<'_>, from: &Address) -> bool {
    let may = |address: &Address| user(blueprint, address).is_some_and(may_log_in);
    let reached = match world.trace(from) {
        Ok((Route::Destinations(destinations), _)) => destinations,
        _ => Vec::new(),
    };
    may(from)
        || reached.iter().any(|destination| match destination {
            Destination::Mailbox { domain, user } => {
                format!("{user}@{domain}").parse().is_ok_and(|address| may(&address))
            }
            Destination::Forward(address) => may(address),
            Destination::List { .. } | Destination::Respond { .. } => false,
        })
}

fn user<'a>(blueprint: &'a Blueprint, address: &Address) -> Option<&'a User> {
    let (domain, local) = blueprint.own_address(address)?;
    blueprint.domains.get(domain)?.users.get(&local)
}
