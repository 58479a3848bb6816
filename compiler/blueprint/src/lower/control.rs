//! Every control file's content: what the site implies, qmail's defaults where nothing better is known, and the site's own
//! `control = {…}` as the last word.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_control as control;
use postkiln_control::{ControlFile, HostPattern, Value, ValueError, VirtualDomain, VirtualKey};
use postkiln_site as site;
use postkiln_site::{ControlValue, DomainEntry, Network, Placed, Site};

use crate::codes;
use crate::findings::Findings;

/// The files by name.
pub(super) fn lower(site: &Site, domains: &[&Domain], findings: &mut Findings) -> BTreeMap<String, String> {
    let mut files = defaults(site, domains, findings);
    for (name, value) in &site.control {
        if let Some(text) = overridden(name, value, findings) {
            files.insert(name.clone(), text);
        }
    }
    files
}

fn defaults(site: &Site, domains: &[&Domain], findings: &mut Findings) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut sorted = domains.to_vec();
    sorted.sort();
    let hostname = &site.appliance.hostname.value;
    let primary = primary(hostname, &sorted);
    put(&mut files, &control::Me(hostname.clone()));
    put(&mut files, &control::Locals::default());
    put(&mut files, &control::Rcpthosts(sorted.iter().map(|name| HostPattern::Exact((*name).clone())).collect()));
    put(&mut files, &control::Virtualdomains(sorted.iter().map(|name| virtual_domain(name)).collect()));
    put(&mut files, &subaddress(site));
    put(&mut files, &control::Badmailfrom::default());
    put(&mut files, &control::Smtproutes::default());
    put(&mut files, &control::Databytes(LARGEST_MESSAGE));
    put(&mut files, &control::Queuelifetime::default());
    put(&mut files, &control::Concurrencylocal::default());
    put(&mut files, &control::Concurrencyremote::default());
    put(&mut files, &control::Timeoutconnect::default());
    put(&mut files, &control::Timeoutremote::default());
    put(&mut files, &control::Timeoutsmtpd::default());
    put(&mut files, &control::Maxrcpt::default());
    put(&mut files, &control::Bouncehost(hostname.clone()));
    put(&mut files, &control::Helohost(hostname.clone()));
    put(&mut files, &control::Smtpgreeting(hostname.to_string()));
    // The host's own name is no mail domain as a rule, so double bounces and bare addresses go to one that is.
    put(&mut files, &control::Doublebouncehost(primary.clone()));
    put(&mut files, &control::Defaulthost(primary.clone()));
    put(&mut files, &control::Defaultdomain(primary));
    if let Ok(local) = LocalPart::new("MAILER-DAEMON") {
        put(&mut files, &control::Bouncefrom(local));
    }
    if let Ok(local) = LocalPart::new("postmaster") {
        put(&mut files, &control::Doublebounceto(local));
    }
    put(&mut files, &network(site, findings));
    put(&mut files, &resolvers(site));
    put(&mut files, &scanner(site));
    files
}

/// The mail domain nearest to the host: `example.org` for `mail.example.org`, else the first one.
fn primary(hostname: &Domain, domains: &[&Domain]) -> Domain {
    let names = std::iter::once(hostname.as_str()).chain(hostname.parents());
    let mut near = names.filter_map(|name| domains.iter().find(|domain| domain.as_str() == name));
    (*near.next().or_else(|| domains.first()).unwrap_or(&hostname)).clone()
}

fn virtual_domain(name: &Domain) -> VirtualDomain {
    VirtualDomain { key: VirtualKey::Host(HostPattern::Exact(name.clone())), prepend: name.to_string() }
}

fn subaddress(site: &Site) -> control::Subaddress {
    let separator = |entry: &DomainEntry| match entry {
        DomainEntry::Mail(mail) => separator(mail.subaddress.value),
        DomainEntry::AliasOf(_) => None,
    };
    let parted = site.domains.iter().filter_map(|(name, entry)| Some((name.clone(), separator(&entry.value)?)));
    control::Subaddress(parted.collect())
}

const fn separator(subaddress: site::Subaddress) -> Option<char> {
    match subaddress {
        site::Subaddress::Plus => Some('+'),
        site::Subaddress::Minus => Some('-'),
        site::Subaddress::None => None,
    }
}

fn put<F: ControlFile>(files: &mut BTreeMap<String, String>, file: &F) {
    files.insert(F::NAME.to_owned(), file.print());
}

fn network(site: &Site, findings: &mut Findings) -> control::Network {
    let Placed { value, place } = &site.appliance.network;
    let Network::Static { address, prefix, gateway } = value else { return control::Network::Dhcp };
    if site.appliance.resolvers.is_empty() {
        findings
            .add(codes::NO_RESOLVER, place, "a machine with a fixed address has no DNS servers to ask".to_owned())
            .hint("add `resolvers = [\"192.0.2.53\"]`; without one, mail to other domains waits");
    }
    control::Network::Static { address: *address, prefix: *prefix, gateway: *gateway }
}

fn resolvers(site: &Site) -> control::Resolvers {
    let servers = site.appliance.resolvers.iter().map(|server| &server.value);
    control::Resolvers(servers.map(|server| control::Resolver { address: server.address, port: server.port }).collect())
}

fn scanner(site: &Site) -> control::Scanner {
    let engine = match site.antivirus.engine.value {
        site::Engine::None => control::Engine::None,
        site::Engine::Clamav => control::Engine::Clamav,
    };
    let site::OnInfected::Reject = site.antivirus.on_infected.value;
    let site::OnFailure::Defer = site.antivirus.on_failure.value;
    control::Scanner { engine, on_infected: control::OnInfected::Reject, on_failure: control::OnFailure::Defer }
}

fn overridden(name: &str, value: &Placed<ControlValue>, findings: &mut Findings) -> Option<String> {
    if let Some((_, instead)) = ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == name) {
        let message = format!("the control file {name} is made from another part of the site");
        findings.add(codes::CONTROL_VALUE, &value.place, message).hint(format!("write {instead} instead"));
        return None;
    }
    let given = match &value.value {
        ControlValue::Integer(number) => Value::Integer(*number),
        ControlValue::Line(line) => Value::Line(line),
        ControlValue::Lines(lines) => Value::Lines(lines),
    };
    match control::check_value(name, given) {
        Ok(text) if name == control::Locals::NAME && !text.is_empty() => {
            findings
                .add(codes::CONTROL_VALUE, &value.place, "locals must stay empty: every domain is virtual".to_owned())
                .hint("declare the domain below `domains`");
            None
        }
        Ok(text) => Some(text),
        Err(ValueError::Unknown { closest }) => {
            let finding =
                findings.add(codes::UNKNOWN_CONTROL, &value.place, format!("there is no control file called {name:?}"));
            finding.hint = closest.map(|closest| format!("did you mean {closest:?}?"));
            None
        }
        Err(error) => {
            let finding = findings.add(codes::CONTROL_VALUE, &value.place, format!("control file {name}: {error}"));
            let entry = control::REGISTRY.iter().find(|entry| entry.name == name);
            finding.hint = entry.map(|entry| entry.doc.to_owned());
            None
        }
    }
}

/// Files that would contradict what the site says elsewhere, and where that is.
const ELSEWHERE: [(&str, &str); 4] = [
    ("me", "`appliance.hostname`"),
    ("network", "`appliance.network`"),
    ("resolvers", "`appliance.network.resolvers`"),
    ("scanner", "`antivirus`"),
];

/// 25 MiB: what others accept, and what a quota has to hold at least.
const LARGEST_MESSAGE: u64 = 25 << 20;
