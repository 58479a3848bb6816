//! Every control file's content: what options decide (`settings.rs`), what follows from the domains, qmail's defaults
//! where nothing better is known, and the site's own `control = {…}`, which overrides all three.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_control as control;
use postkiln_control::{ControlFile, HostPattern, REGISTRY, Value, ValueError, VirtualDomain, VirtualKey};
use postkiln_findings::suggest::nearest;
use postkiln_site::{ControlValue, DomainEntry, Network, Placed, Site};

use crate::codes;
use crate::findings::Findings;
use crate::lower::settings::{SETTINGS, Setting};

/// The files by name.
pub(super) fn lower(site: &Site, domains: &[&Domain], findings: &mut Findings) -> BTreeMap<String, String> {
    let mut files = defaults(site, domains);
    resolverless(site, findings);
    contradicted(site, findings);
    for (name, value) in &site.control {
        if let Some(text) = overridden(name, value, findings) {
            files.insert(name.clone(), text);
        }
    }
    files
}

fn defaults(site: &Site, domains: &[&Domain]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut sorted = domains.to_vec();
    sorted.sort();
    let hostname = &site.appliance.hostname.value;
    let primary = primary(hostname, &sorted);
    put(&mut files, &control::Locals::default());
    let hosts: Vec<_> = sorted.iter().map(|name| HostPattern::Exact((*name).clone())).collect();
    let (few, more) = hosts.split_at(hosts.len().min(control::Morercpthosts::AFTER));
    put(&mut files, &control::Rcpthosts(few.to_vec()));
    put(&mut files, &control::Morercpthosts(more.to_vec()));
    put(&mut files, &control::Virtualdomains(sorted.iter().map(|name| virtual_domain(name)).collect()));
    put(&mut files, &subaddress(site));
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
    for setting in SETTINGS {
        files.insert(setting.file.to_owned(), (setting.content)(site));
    }
    files
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
        DomainEntry::Mail(mail) => mail.subaddress.value.separator(),
        DomainEntry::AliasOf(_) => None,
    };
    let parted = site.domains.iter().filter_map(|(name, entry)| Some((name.clone(), separator(&entry.value)?)));
    control::Subaddress(parted.collect())
}

fn put<F: ControlFile>(files: &mut BTreeMap<String, String>, file: &F) {
    files.insert(F::NAME.to_owned(), file.print());
}

/// Warns of a machine that cannot ask the DNS.
fn resolverless(site: &Site, findings: &mut Findings) {
    let Placed { value, place } = &site.appliance.network;
    if matches!(value, Network::Static { .. }) && site.appliance.resolvers.is_empty() {
        findings
            .add(codes::NO_RESOLVER, place, "a machine with a fixed address has no DNS servers to ask".to_owned())
            .hint("add `resolvers = [\"192.0.2.53\"]`; without one, mail to other domains waits");
    }
}

/// Warns where `control` overrides an option.
fn contradicted(site: &Site, findings: &mut Findings) {
    for Setting { file, options, .. } in SETTINGS.iter().filter(|setting| setting.is_open) {
        let Some(written) = site.control.get(*file) else { continue };
        for option in *options {
            let Some(place) = option.said(site) else { continue };
            findings
                .add(codes::OVERRIDDEN, &written.place, format!("the control file {file} overrides `{}`", option.path))
                .hint("keep one of the two")
                .related(place, "this has no effect");
        }
    }
}

fn overridden(name: &str, value: &Placed<ControlValue>, findings: &mut Findings) -> Option<String> {
    let closed = SETTINGS.iter().find(|setting| setting.file == name && !setting.is_open);
    if let Some(option) = closed.and_then(|setting| setting.options.first()) {
        let message = format!("the control file {name} is made from another part of the site");
        findings.add(codes::CONTROL_VALUE, &value.place, message).hint(format!("write `{}` instead", option.path));
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
        Err(ValueError::Unknown) => {
            let finding =
                findings.add(codes::UNKNOWN_CONTROL, &value.place, format!("there is no control file called {name:?}"));
            let known = REGISTRY.iter().map(|entry| entry.name);
            finding.hint = nearest(name, known).map(|near| format!("did you mean {near:?}?"));
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
