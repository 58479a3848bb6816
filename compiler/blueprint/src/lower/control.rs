//! Every control file's content: the values that the site implies, qmail's defaults where nothing better is known, and
//! the site's own `control = {…}`, which overrides both.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_control as control;
use postkiln_control::{AddressPattern, ControlFile, HostPattern, Value, ValueError, VirtualDomain, VirtualKey};
use postkiln_site as site;
use postkiln_site::{ControlValue, DomainEntry, Ipv6, Network, Place, Placed, Site, Smtp, TimeServer};

use crate::codes;
use crate::findings::Findings;

/// The files by name.
pub(super) fn lower(site: &Site, domains: &[&Domain], findings: &mut Findings) -> BTreeMap<String, String> {
    let mut files = defaults(site, domains, findings);
    contradicted(site, findings);
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
    let hosts: Vec<_> = sorted.iter().map(|name| HostPattern::Exact((*name).clone())).collect();
    let (few, more) = hosts.split_at(hosts.len().min(control::Morercpthosts::AFTER));
    put(&mut files, &control::Rcpthosts(few.to_vec()));
    put(&mut files, &control::Morercpthosts(more.to_vec()));
    put(&mut files, &control::Virtualdomains(sorted.iter().map(|name| virtual_domain(name)).collect()));
    put(&mut files, &subaddress(site));
    smtp(site, &mut files);
    put(&mut files, &control::Concurrencylocal::default());
    put(&mut files, &control::Concurrencyremote::default());
    put(&mut files, &control::Timeoutconnect::default());
    put(&mut files, &control::Timeoutremote::default());
    put(&mut files, &control::Timeoutsmtpd::default());
    put(&mut files, &control::Brtlimit::default());
    put(&mut files, &control::Tarpitcount::default());
    put(&mut files, &control::Tarpitdelay::default());
    put(&mut files, &control::Spfbehavior::default());
    put(&mut files, &control::Badhelo::default());
    put(&mut files, &control::Percenthack::default());
    put(&mut files, &control::Outgoingip::default());
    put(&mut files, &control::Bouncehost(hostname.clone()));
    put(&mut files, &control::Idhost(hostname.clone()));
    // The host's own name is usually no mail domain, so double bounces and bare addresses go to one that is.
    put(&mut files, &control::Doublebouncehost(primary.clone()));
    put(&mut files, &control::Envnoathost(primary.clone()));
    put(&mut files, &control::Localiphost(primary.clone()));
    put(&mut files, &control::Plusdomain(primary.clone()));
    put(&mut files, &control::Defaulthost(primary.clone()));
    put(&mut files, &control::Defaultdomain(primary));
    if let Ok(local) = LocalPart::new("MAILER-DAEMON") {
        put(&mut files, &control::Bouncefrom(local));
    }
    if let Ok(local) = LocalPart::new("postmaster") {
        put(&mut files, &control::Doublebounceto(local));
    }
    put(&mut files, &network(site, findings));
    put(&mut files, &network6(site));
    put(&mut files, &resolvers(site));
    put(&mut files, &timeservers(site));
    put(&mut files, &scanner(site));
    files
}

/// The files that the section `smtp` decides.
fn smtp(site: &Site, files: &mut BTreeMap<String, String>) {
    let smtp = &site.smtp;
    let hostname = &site.appliance.hostname.value;
    put(files, &control::Databytes(smtp.size.value));
    put(files, &control::Maxrcpt(smtp.recipients.value));
    put(files, &control::Concurrencyincoming(smtp.connections.value));
    put(files, &control::Queuelifetime(smtp.lifetime.value));
    let greeting = smtp.greeting.as_ref().map_or_else(|| hostname.to_string(), |greeting| greeting.value.clone());
    put(files, &control::Smtpgreeting(greeting));
    put(files, &control::Helohost(smtp.helo.as_ref().map_or_else(|| hostname.clone(), |helo| helo.value.clone())));
    put(files, &control::Badmailfrom(in_order(&smtp.bad_senders)));
    put(files, &control::Badrcptto(in_order(&smtp.bad_recipients)));
    let lists = smtp.dnsbl.iter().map(|list| &list.value);
    let lists = lists.map(|list| control::BlockList { zone: list.zone.clone(), defer: list.defer_on_failure });
    put(files, &control::Dnsbllist(lists.collect()));
    let routes = smtp.routes.iter().map(|(pattern, relay)| (Some(pattern.clone()), relay.value.clone()));
    let rest = smtp.smarthost.iter().map(|smarthost| (None, Some(smarthost.value.relay.clone())));
    put(files, &control::Smtproutes(routes.chain(rest).collect()));
    let login = smtp.smarthost.as_ref().map(|smarthost| &smarthost.value).and_then(|smarthost| {
        let (user, secret) = smarthost.user.as_ref().zip(smarthost.password.as_ref())?;
        let (user, secret) = (user.value.clone(), secret.value.clone());
        Some(control::Login { relay: smarthost.relay.clone(), user, secret })
    });
    put(files, &control::Smarthost(login));
    let rate = |rate: &Option<Placed<u32>>| rate.as_ref().map(|rate| rate.value);
    put(
        files,
        &control::Rates {
            connections_per_minute: rate(&smtp.rates.connections_per_minute),
            messages_per_hour: rate(&smtp.rates.messages_per_hour),
            recipients_per_hour: rate(&smtp.rates.recipients_per_hour),
        },
    );
}

/// The mail domain nearest to the host: `example.org` for `mail.example.org`, else the first one.
pub(super) fn primary(hostname: &Domain, domains: &[&Domain]) -> Domain {
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

/// The patterns in order of their text: the order in which they were written means nothing.
fn in_order(patterns: &[Placed<AddressPattern>]) -> Vec<AddressPattern> {
    let mut patterns: Vec<_> = patterns.iter().map(|pattern| pattern.value.clone()).collect();
    patterns.sort_by_cached_key(ToString::to_string);
    patterns.dedup();
    patterns
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

/// The default for `network6`: beside DHCP the network's offer, beside a fixed address nothing.
fn network6(site: &Site) -> control::Network6 {
    match site.appliance.ipv6.as_ref().map(|ipv6| &ipv6.value) {
        None if site.appliance.network.value == Network::Dhcp => control::Network6::Auto,
        None | Some(Ipv6::None) => control::Network6::None,
        Some(Ipv6::Auto) => control::Network6::Auto,
        Some(Ipv6::Static { address, prefix, gateway }) => {
            control::Network6::Static { address: *address, prefix: *prefix, gateway: *gateway }
        }
    }
}

fn timeservers(site: &Site) -> control::Timeservers {
    let server = |server: &Placed<TimeServer>| match &server.value {
        TimeServer::Name(name) => control::Timeserver::Name(name.clone()),
        TimeServer::Address(address) => control::Timeserver::Address(*address),
    };
    control::Timeservers(site.appliance.time_servers.iter().map(server).collect())
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

/// Warns where `control` overrides a setting of `smtp`.
fn contradicted(site: &Site, findings: &mut Findings) {
    for (name, path, written) in SAID_TWICE {
        if let (Some(file), Some(place)) = (site.control.get(*name), written(&site.smtp)) {
            findings
                .add(codes::OVERRIDDEN, &file.place, format!("the control file {name} overrides `{path}`"))
                .hint("keep one of the two")
                .related(place, "this has no effect");
        }
    }
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
        Err(ValueError::Refused { reason }) => {
            findings
                .add(codes::UNKNOWN_CONTROL, &value.place, format!("the control file {name} has no place here"))
                .hint(reason);
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

/// Files that would contradict another part of the site, with the name of that part.
const ELSEWHERE: [(&str, &str); 8] = [
    ("me", "`appliance.hostname`"),
    ("network", "`appliance.network`"),
    ("network6", "`appliance.ipv6`"),
    ("rates", "`smtp.rates`"),
    ("resolvers", "`appliance.network.resolvers`"),
    ("scanner", "`antivirus`"),
    ("smarthost", "`smtp.smarthost`"),
    ("timeservers", "`appliance.time.servers`"),
];

/// A control file, the path in the site that says the same, and its place where that is not the default.
type SaidTwice = (&'static str, &'static str, fn(&Smtp) -> Option<&Place>);

const SAID_TWICE: &[SaidTwice] = &[
    ("badmailfrom", "smtp.bad_senders", |smtp| smtp.bad_senders.first().map(|one| &one.place)),
    ("badrcptto", "smtp.bad_recipients", |smtp| smtp.bad_recipients.first().map(|one| &one.place)),
    ("concurrencyincoming", "smtp.connections", |smtp| {
        (smtp.connections.value != control::Concurrencyincoming::default().0).then_some(&smtp.connections.place)
    }),
    ("databytes", "smtp.size", |smtp| (smtp.size.value != LARGEST_MESSAGE).then_some(&smtp.size.place)),
    ("dnsbllist", "smtp.dnsbl", |smtp| smtp.dnsbl.first().map(|one| &one.place)),
    ("helohost", "smtp.helo", |smtp| smtp.helo.as_ref().map(|one| &one.place)),
    ("maxrcpt", "smtp.recipients", |smtp| {
        (smtp.recipients.value != control::Maxrcpt::default().0).then_some(&smtp.recipients.place)
    }),
    ("queuelifetime", "smtp.retry.lifetime", |smtp| {
        (smtp.lifetime.value != control::Queuelifetime::default().0).then_some(&smtp.lifetime.place)
    }),
    ("smtpgreeting", "smtp.greeting", |smtp| smtp.greeting.as_ref().map(|one| &one.place)),
    ("smtproutes", "smtp.routes", |smtp| smtp.routes.values().next().map(|one| &one.place)),
    ("smtproutes", "smtp.smarthost", |smtp| smtp.smarthost.as_ref().map(|one| &one.place)),
];

/// The schema's default for the largest message in octets: a size that others accept.
const LARGEST_MESSAGE: u64 = 25 << 20;
