//! Where a thing of the blueprint was written, looked up in the site when somebody asks. Knows nothing
//! about generated files.

mod sections;

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_findings::Place;
use postkiln_site::{DomainEntry, MailDomain, Placed, Publishing, Site};

use crate::impact::Written;
use crate::lower::settings;
use crate::model::Blueprint;
use crate::place::written;
use crate::{Kind, ObjectId, model};

/// The narrowest place of a thing's field, or of the thing itself when `path` is empty or the field was not written.
/// `None` when nobody wrote it. Names in `path` are those of `blueprint.json`.
#[must_use]
pub fn place<'a>(site: &'a Site, id: &ObjectId, path: &[&str]) -> Option<&'a Place> {
    let field = path.first().copied().unwrap_or_default();
    match id.kind() {
        Kind::Appliance => or::<Blueprint>(site, field, &site.appliance.hostname.place),
        Kind::Control => control(site, id.name(), field),
        Kind::Antivirus => or::<model::Antivirus>(site, field, &site.antivirus.engine.place),
        Kind::Tls => or::<model::Tls>(&site.tls, field, &site.tls.certificate.place),
        Kind::Web => or::<model::Web>(&site.web, field, &site.web.webmail.place),
        Kind::Ldap => or::<model::Ldap>(&site.ldap, field, &site.ldap.enabled.place),
        Kind::Storage => or::<model::Storage>(&site.storage, field, &site.storage.database.place),
        Kind::Retention => or::<model::Retention>(&site.retention, field, &site.retention.removed_mailboxes.place),
        Kind::Listener => sections::rules(site, id.name()),
        Kind::Zone => zone(site, id.name(), path),
        Kind::Domain => domain(site, id.name(), field),
        Kind::User | Kind::Alias | Kind::List | Kind::Autoresponder => {
            let mail = mail(site, id.domain()?)?;
            let local = id.local()?;
            match id.kind() {
                Kind::User => of::<model::User>(&mail.users, local, field),
                Kind::List => of::<model::List>(&mail.lists, local, field),
                Kind::Autoresponder => of::<model::Responder>(&mail.autoresponders, local, field),
                _ => alias(mail, local),
            }
        }
        Kind::Secret => site.secrets.secrets.get(id.name()).map(|secret| &secret.place),
        _ => None,
    }
}

/// The place of a thing's field by its row in the table, or that of the thing.
#[allow(clippy::unnecessary_wraps, reason = "every caller answers with it")]
fn or<'a, T: Written>(written: &'a T::Site, field: &str, thing: &'a Place) -> Option<&'a Place> {
    Some(T::place(written, field).unwrap_or(thing))
}

/// The same for a thing in a domain.
fn of<'a, T: Written>(things: &'a BTreeMap<LocalPart, Placed<T::Site>>, local: &str, field: &str) -> Option<&'a Place> {
    find(things, local).and_then(|placed| or::<T>(&placed.value, field, &placed.place))
}

/// The place of a control file that the site writes, or of the one part of the site that alone decides its content; for
/// `smtproutes`, of the route for the domain `field`.
fn control<'a>(site: &'a Site, name: &str, field: &str) -> Option<&'a Place> {
    if let Some(written) = site.control.get(name) {
        return Some(&written.place);
    }
    match (name, field) {
        ("smtproutes", domain) if !domain.is_empty() => sections::route(site, &domain.parse().ok()?),
        _ => settings::place(site, name),
    }
}

fn entry<'a>(site: &'a Site, domain: &str) -> Option<&'a Placed<DomainEntry>> {
    site.domains.get(&domain.parse::<Domain>().ok()?)
}

fn mail<'a>(site: &'a Site, domain: &str) -> Option<&'a MailDomain> {
    match &entry(site, domain)?.value {
        DomainEntry::Mail(mail) => Some(mail),
        DomainEntry::AliasOf(_) => None,
    }
}

fn domain<'a>(site: &'a Site, name: &str, field: &str) -> Option<&'a Place> {
    let entry = entry(site, name)?;
    let narrow = match &entry.value {
        DomainEntry::AliasOf(target) => Some(&target.place),
        DomainEntry::Mail(mail) => model::MailDomain::place(mail, field),
    };
    Some(narrow.unwrap_or(&entry.place))
}

/// The place of a record: in a zone the path is its name and its type.
fn zone<'a>(site: &'a Site, name: &str, path: &[&str]) -> Option<&'a Place> {
    let domain = name.parse::<Domain>().ok()?;
    let written = site.dns.records.get(&domain).map(Vec::as_slice).unwrap_or_default();
    if let [owner, kind, ..] = path {
        let same = |record: &&Placed<postkiln_site::Record>| {
            record.value.name.eq_ignore_ascii_case(owner) && record.value.kind == *kind
        };
        if let Some(record) = written.iter().find(same) {
            return Some(&record.place);
        }
        let said = mail(site, name).and_then(|mail| published(mail, owner, kind));
        if let Some(place) = said.or_else(|| sections::record(site, owner, kind)) {
            return Some(place);
        }
    }
    let field = path.first().and_then(|field| model::Zone::place(site, field));
    field
        .or_else(|| entry(site, name).map(|entry| &entry.place))
        .or_else(|| written.first().map(|record| &record.place))
}

/// The place of the domain's setting from which a record follows.
fn published<'a>(mail: &'a MailDomain, owner: &str, kind: &str) -> Option<&'a Place> {
    let Publishing { dkim, spf, dmarc, mta_sts, tls_rpt, mx, client } = &mail.publishing;
    match (owner, kind) {
        (_, "TXT" | "CNAME") if owner.split('.').any(|label| label == "_domainkey") => {
            dkim.as_ref().map(|dkim| &dkim.place)
        }
        ("_dmarc", _) => written(mail, &dmarc.place),
        ("_mta-sts" | "mta-sts", _) => written(mail, &mta_sts.place),
        ("_smtp._tls", _) => tls_rpt.as_ref().map(|address| &address.place),
        ("@", "MX") => mx.first().map(|host| &host.place),
        ("@", "TXT") => written(mail, &spf.place),
        ("autoconfig" | "autodiscover" | "_autodiscover._tcp", _) | (_, "SRV") => written(mail, &client.place),
        _ => None,
    }
}

/// The place of an alias: written as one, as a user's, or implied by `postmaster`.
fn alias<'a>(mail: &'a MailDomain, local: &str) -> Option<&'a Place> {
    if let Some(own) = find(&mail.aliases, local) {
        return Some(&own.place);
    }
    let all = mail.users.values().flat_map(|user| &user.value.aliases);
    let mut same = all.filter(|alias| alias.value.as_str().eq_ignore_ascii_case(local));
    same.next().map(|alias| &alias.place).or_else(|| (local == "postmaster").then_some(&mail.postmaster.place))
}

/// Finds a local part in lower case, the form of blueprints, among names as a site writes them.
fn find<'a, T>(map: &'a BTreeMap<LocalPart, T>, local: &str) -> Option<&'a T> {
    let exact = LocalPart::new(local).ok().and_then(|local| map.get(&local));
    exact.or_else(|| map.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(local)).map(|(_, value)| value))
}
