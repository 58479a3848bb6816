//! The node's answers to a client at RCPT, by the same policy (`schemas/admission`), from the same control files and
//! rules; and who may log in and send as whom. Start at [`Entrance::answer`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use postkiln_address::{Address, ReversePath};
use postkiln_admission::{Candidate, Client, Policy};
use postkiln_control::tcprules::{self, Decision, Rule};
use postkiln_routing::{Destination, Route};
use postkiln_site::Expectation;

use crate::model::{Blueprint, Permission, User};
use crate::world::World;

/// The policy that `smtpd` decides by.
pub(crate) struct Entrance {
    pub(crate) policy: Policy,
    /// The rules of each listener.
    rules: BTreeMap<String, Vec<Rule>>,
}

/// The reply to a recipient.
pub(crate) enum Reply {
    /// The recipient is refused, for this reason.
    Refused(String),
    /// The recipient is refused for now, for this reason.
    Deferred(String),
    /// The message is taken.
    Accepted,
}

impl Entrance {
    /// Reads the files from a blueprint.
    pub(crate) fn new(blueprint: &Blueprint) -> Self {
        let rules = blueprint.tcp.iter().map(|(listener, text)| {
            // These rules were printed by us, so they parse.
            (listener.clone(), tcprules::parse(text).unwrap_or_default())
        });
        Self { policy: blueprint.admission(), rules: rules.collect() }
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
        let Some(client) = Client::new(&self.decision(if has_login { "submission" } else { "smtp" }, message.client))
        else {
            return refused("`smtp.networks` does not serve the client");
        };
        let sender = ReversePath::Address(message.from.clone());
        let candidate = Candidate { client: &client, has_login, sender: &sender, recipient: &message.to };
        let judged = self.policy.before(&candidate).and_then(|recipient| match world.trace(&recipient) {
            Ok((Route::NoSuchAddress(text), _)) => Ok(Some(text)),
            _ => self.policy.after(&candidate, &recipient).map(|()| None),
        });
        match judged {
            Ok(None) => Reply::Accepted,
            Ok(Some(text)) => Reply::Refused(text),
            Err(refusal) if refusal.is_for_now() => Reply::Deferred(refusal.reason()),
            Err(refusal) => Reply::Refused(refusal.reason()),
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
