//! The rules of each listener: those of `smtp.networks` that are about the listener, and `:allow` for everybody else.
//! Submission demands a login all the same, and port 25 serves everybody for our own domains.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_bundle::Service;
use postkiln_control::tcprules::{Decision, Rule, print};
use postkiln_findings::codes;
use postkiln_site::{Decide, Site, SmtpListener, SmtpNetwork};

use crate::findings::Findings;

/// The rules by listener, as tcprules text.
pub(crate) fn lower(site: &Site, services: &[Service], findings: &mut Findings) -> BTreeMap<String, String> {
    let listeners = services.iter().flat_map(|service| &service.listeners);
    let mut twins = BTreeSet::new();
    let mut files = BTreeMap::new();
    for listener in listeners {
        let owners = owners(site, &listener.name, &mut twins);
        files.insert(listener.name.clone(), print(&rules(site, &owners)));
    }
    for (first, second) in twins {
        let (Some(first), Some(second)) = (site.smtp.networks.get(first), site.smtp.networks.get(second)) else {
            continue;
        };
        let message = format!("two rules are about {}", second.value.from.value.written);
        findings
            .add(codes::SAME_NETWORK, &second.value.from.place, message)
            .hint("make one rule of the two")
            .related(&first.value.from.place, "the other one");
    }
    files
}

/// For each key of tcprules the network, by number in `smtp.networks`, whose rule it has. Of two networks with the same
/// key, the one with fewer keys is more specific, as `192.0.2.0/24` within `192.0.0.0/20`. Equals are added to `twins`.
pub(crate) fn owners<'a>(
    site: &'a Site,
    listener: &str,
    twins: &mut BTreeSet<(usize, usize)>,
) -> BTreeMap<&'a str, usize> {
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    let keys = |number: usize| site.smtp.networks.get(number).map_or(0, |network| network.value.from.value.keys.len());
    for (number, network) in site.smtp.networks.iter().enumerate().filter(|(_, one)| is_about(&one.value, listener)) {
        for key in &network.value.from.value.keys {
            let other = *owners.entry(key).or_insert(number);
            if keys(number) < keys(other) {
                owners.insert(key, number);
            } else if number != other && keys(number) == keys(other) {
                twins.insert((other, number));
            }
        }
    }
    owners
}

/// Whether a network's rule is for this listener.
fn is_about(network: &SmtpNetwork, listener: &str) -> bool {
    let submission = matches!(listener, "submission" | "submissions");
    match network.listener {
        SmtpListener::Smtp => listener == "smtp",
        SmtpListener::Submission => submission,
        SmtpListener::All => submission || listener == "smtp",
    }
}

fn rules(site: &Site, owners: &BTreeMap<&str, usize>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (number, network) in site.smtp.networks.iter().enumerate() {
        let own = network.value.from.value.keys.iter().filter(|key| owners.get(key.as_str()) == Some(&number));
        rules.extend(own.map(|key| Rule { address: key.clone(), decision: decision(&network.value) }));
    }
    // The order in which rules were written means nothing, so they are sorted.
    rules.sort_by(|one, two| one.address.cmp(&two.address));
    if !owners.contains_key("") {
        rules.push(Rule { address: String::new(), decision: Decision::Allow(Vec::new()) });
    }
    rules
}

/// The decision with the environment that qmail-smtpd and rblsmtpd read.
fn decision(network: &SmtpNetwork) -> Decision {
    let mut variables = Vec::new();
    let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
    if network.relay.as_ref().is_some_and(|relay| relay.value) {
        set("RELAYCLIENT", String::new());
    }
    if let Some(size) = &network.size {
        set("DATABYTES", size.value.to_string());
    }
    match &network.decide.value {
        Decide::Deny => return Decision::Deny,
        Decide::Refuse(text) => set("RBLSMTPD", format!("-{text}")),
        Decide::Defer(text) => set("RBLSMTPD", text.clone()),
        Decide::Allow if !network.dnsbl.value => set("RBLSMTPD", String::new()),
        Decide::Allow => {}
    }
    Decision::Allow(variables)
}
