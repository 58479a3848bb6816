//! Where a thing of the blueprint was written, looked up in the site when somebody asks. Knows nothing about generated files.

mod sections;

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_findings::Place;
use postkiln_site::{Autoresponder, DomainEntry, Limits, List, MailDomain, Placed, Publishing, Site, User};

use crate::lower::settings;
use crate::{Kind, ObjectId};

/// The narrowest place of a thing's field, or of the thing itself when `path` is empty or the field was not written.
/// `None` when nobody wrote it. Names in `path` are those of `blueprint.json`.
#[must_use]
pub fn place<'a>(site: &'a Site, id: &ObjectId, path: &[&str]) -> Option<&'a Place> {
    let field = path.first().copied().unwrap_or_default();
    match id.kind() {
        Kind::Appliance => Some(appliance(site, field)),
        Kind::Control => control(site, id.name(), field),
        Kind::Antivirus => Some(antivirus(site, field)),
        Kind::Tls | Kind::Web | Kind::Ldap | Kind::Storage | Kind::Retention => {
            sections::section(site, id.kind(), field)
        }
        Kind::Listener => sections::rules(site, id.name()),
        Kind::Zone => zone(site, id.name(), path),
        Kind::Domain => domain(site, id.name(), field),
        Kind::User | Kind::Alias | Kind::List | Kind::Autoresponder => {
            let mail = mail(site, id.domain()?)?;
            let local = id.local()?;
            match id.kind() {
                Kind::User => find(&mail.users, local).map(|placed| user(placed, field)),
                Kind::List => find(&mail.lists, local).map(|placed| list(placed, field)),
                Kind::Autoresponder => find(&mail.autoresponders, local).map(|placed| responder(placed, field)),
                _ => alias(mail, local),
            }
        }
        Kind::Secret => site.secrets.secrets.get(id.name()).map(|secret| &secret.place),
        _ => None,
    }
}

fn appliance<'a>(site: &'a Site, field: &str) -> &'a Place {
    match field {
        "operators" => site.appliance.operators.first().map_or(&site.appliance.hostname.place, |key| &key.place),
        "addresses" => sections::address(site, ""),
        _ => &site.appliance.hostname.place,
    }
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

fn antivirus<'a>(site: &'a Site, field: &str) -> &'a Place {
    match field {
        "signatures" => site.antivirus.signatures.first().map_or(&site.antivirus.engine.place, |one| &one.place),
        "stream_limit" => &site.smtp.size.place,
        "threads" => &site.antivirus.threads.place,
        "reload_beside" => &site.antivirus.reload.place,
        "checks_per_day" => &site.antivirus.checks_per_day.place,
        "mirror" => &site.antivirus.mirror.place,
        _ => &site.antivirus.engine.place,
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
    let narrow = match (&entry.value, field) {
        (DomainEntry::AliasOf(target), _) => Some(&target.place),
        (DomainEntry::Mail(mail), "postmaster") => Some(&mail.postmaster.place),
        (DomainEntry::Mail(mail), "catch_all") => written(mail, &mail.catch_all.place),
        (DomainEntry::Mail(mail), "subaddress") => written(mail, &mail.subaddress.place),
        (DomainEntry::Mail(mail), "managed") => written(mail, &mail.managed.place),
        (DomainEntry::Mail(mail), "deny") => mail.deny.first().map(|one| &one.place),
        (DomainEntry::Mail(mail), "limits") => limits(&mail.limits),
        (DomainEntry::Mail(mail), "dkim") => mail.publishing.dkim.as_ref().map(|dkim| &dkim.place),
        _ => None,
    };
    Some(narrow.unwrap_or(&entry.place))
}

/// The place of a domain's field. `None` for a default, which has the place of the whole domain: the domain's name says
/// more.
fn written<'a>(mail: &MailDomain, field: &'a Place) -> Option<&'a Place> {
    let Publishing { spf, dmarc, mta_sts, client, .. } = &mail.publishing;
    let others = [&mail.catch_all.place, &mail.subaddress.place, &mail.managed.place];
    let others = others.into_iter().chain([&spf.place, &dmarc.place, &mta_sts.place, &client.place]);
    let ends = |place: &Place| ((place.line, place.column), (place.end_line, place.end_column));
    let (start, end) = ends(field);
    let within = |other: &&Place| {
        let (first, last) = ends(other);
        other.file == field.file && start <= first && last <= end
    };
    (others.filter(within).count() == 1).then_some(field)
}

/// The place of the first limit that is written.
fn limits(limits: &Limits) -> Option<&Place> {
    // That quotas may be more together is of interest to `check` alone.
    let Limits {
        users,
        aliases,
        forwards,
        autoresponders,
        lists,
        quota,
        overcommit: _,
        default_quota,
        default_quota_messages,
    } = limits;
    let all = [users, aliases, forwards, autoresponders, lists, quota, default_quota, default_quota_messages];
    all.into_iter().flatten().map(|limit| &limit.place).next()
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
    if path.first() == Some(&"ttl") {
        return Some(&site.dns.ttl.place);
    }
    entry(site, name).map(|entry| &entry.place).or_else(|| written.first().map(|record| &record.place))
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

fn user<'a>(placed: &'a Placed<User>, field: &str) -> &'a Place {
    let User { name, quota, quota_messages, password, password_reset, forward, deny, admin, disabled, .. } =
        &placed.value;
    let narrow = match field {
        "name" => name.as_ref().map(|one| &one.place),
        "quota" => quota.as_ref().map(|one| &one.place),
        "password" => password.as_ref().map(|one| &one.place),
        "forward" => forward.as_ref().map(|one| &one.place),
        "quota_messages" => quota_messages.as_ref().map(|one| &one.place),
        "password_reset" => password_reset.as_ref().map(|one| &one.place),
        "deny" => deny.first().map(|one| &one.place),
        "admin" => admin.as_ref().map(|one| &one.place),
        "disabled" => disabled.as_ref().map(|one| &one.place),
        _ => None,
    };
    narrow.unwrap_or(&placed.place)
}

fn list<'a>(placed: &'a Placed<List>, field: &str) -> &'a Place {
    let list = &placed.value;
    let first = |people: &'a [Placed<postkiln_site::Target>]| people.first().map(|one| &one.place);
    let narrow = match field {
        "members" => first(&list.members),
        "managed" => Some(&list.managed.place),
        "post" => Some(&list.post.place),
        "moderators" => first(&list.moderators),
        "owner" => list.owner.as_ref().map(|one| &one.place),
        "allow" => first(&list.allow),
        "deny" => first(&list.deny),
        "subscribe" => Some(&list.subscribe.place),
        "unsubscribe" => Some(&list.unsubscribe.place),
        "archive" => Some(&list.archive.place),
        "digest" => list.digest.as_ref().map(|one| &one.place),
        "prefix" => list.prefix.as_ref().map(|one| &one.place),
        "trailer" => list.trailer.as_ref().map(|one| &one.place),
        "reply_to" => Some(&list.reply_to.place),
        "message_size" => list.message_size.as_ref().map(|one| &one.place),
        "mime_remove" => list.mime_remove.first().map(|one| &one.place),
        "mime_reject" => list.mime_reject.first().map(|one| &one.place),
        "header_add" => list.header_add.first().map(|one| &one.place),
        "header_remove" => list.header_remove.first().map(|one| &one.place),
        "bounce_warnings" => Some(&list.bounce_warnings.place),
        "members_listed" => Some(&list.members_listed.place),
        "remote_administration" => Some(&list.remote_administration.place),
        "texts_editable" => Some(&list.texts_editable.place),
        "sublist_of" => list.sublist_of.as_ref().map(|one| &one.place),
        _ => None,
    };
    narrow.unwrap_or(&placed.place)
}

fn responder<'a>(placed: &'a Placed<Autoresponder>, field: &str) -> &'a Place {
    let Autoresponder { subject, text, once_per, replies, from } = &placed.value;
    match field {
        "subject" => &subject.place,
        "text" => &text.place,
        "once_per" => &once_per.place,
        "replies" => &replies.place,
        "from" => from.as_ref().map_or(&placed.place, |from| &from.place),
        _ => &placed.place,
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
