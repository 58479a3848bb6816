//! Options that a site can use and that this version's node does not act on: understood, rendered, and warned of, so
//! that nothing is silently accepted. This is the one table of them: a new such option adds its row, and a row is
//! removed when the node obeys.

use postkiln_control::list::{Members, Readers};
use postkiln_site::{
    Certificate, Database, DomainEntry, Ipv6, Language, List, MailDomain, MailPlace, Managed, Movable, Move, MtaSts,
    Place, Placed, Posting, Site, TlsVersion, User,
};

use crate::codes;
use crate::findings::Findings;

/// An option that the node does not act on.
struct Row {
    /// The path of the option in the site, `*` for any name: `domains.*.users.*.deny`.
    path: &'static str,
    /// Finds the places where a site gives the option another value than the default.
    written: for<'a> fn(&'a Site) -> Vec<&'a Place>,
}

const ROWS: &[Row] = &[
    Row { path: "appliance.ipv6", written: |site| site.appliance.ipv6.iter().filter_map(not_auto).collect() },
    Row { path: "appliance.time.servers", written: |site| first(&site.appliance.time_servers) },
    Row {
        path: "domains.*.dkim",
        written: |site| domains(site).filter_map(|mail| place(&mail.publishing.dkim)).collect(),
    },
    Row {
        path: "domains.*.limits.quota",
        written: |site| domains(site).filter_map(|mail| place(&mail.limits.quota)).collect(),
    },
    Row {
        path: "domains.*.lists.*.archive",
        written: |site| {
            lists(site).map(|list| &list.archive).filter(unlike(Readers::Nobody)).map(|one| &one.place).collect()
        },
    },
    Row {
        path: "domains.*.lists.*.digest",
        written: |site| lists(site).filter_map(|list| place(&list.digest)).collect(),
    },
    Row {
        path: "domains.*.lists.*.managed",
        written: |site| {
            lists(site).map(|list| &list.managed).filter(unlike(Members::Declared)).map(|one| &one.place).collect()
        },
    },
    Row {
        path: "domains.*.lists.*.mime",
        written: |site| {
            let types = lists(site).flat_map(|list| list.mime_remove.iter().chain(&list.mime_reject));
            types.map(|one| &one.place).collect()
        },
    },
    Row {
        path: "domains.*.lists.*.sublist_of",
        written: |site| lists(site).filter_map(|list| place(&list.sublist_of)).collect(),
    },
    Row {
        path: "domains.*.lists.*.trailer",
        written: |site| lists(site).filter_map(|list| place(&list.trailer)).collect(),
    },
    Row {
        path: "domains.*.managed",
        written: |site| {
            let delegated = domains(site).filter(|mail| mail.managed.value == Managed::Delegated);
            delegated.map(|mail| &mail.managed.place).collect()
        },
    },
    Row {
        path: "domains.*.mta_sts",
        written: |site| {
            let asked = domains(site).map(|mail| &mail.publishing.mta_sts).filter(|asked| asked.value != MtaSts::None);
            asked.map(|asked| &asked.place).collect()
        },
    },
    Row {
        path: "domains.*.users.*.admin",
        written: |site| {
            let admins = users(site).filter_map(|user| user.admin.as_ref()).filter(|admin| admin.value);
            admins.map(|admin| &admin.place).collect()
        },
    },
    Row { path: "ldap.enabled", written: |site| unless(&site.ldap.enabled, |enabled| !enabled) },
    Row { path: "moved", written: remembering },
    Row { path: "retention.bundles", written: |site| unless(&site.retention.bundles, |kept| *kept == 2) },
    Row { path: "retention.junk", written: |site| unless(&site.retention.junk, Option::is_none) },
    Row { path: "retention.logs", written: |site| unless(&site.retention.logs, |kept| *kept == Some(90 * DAY)) },
    Row {
        path: "retention.removed_mailboxes",
        written: |site| unless(&site.retention.removed_mailboxes, |kept| *kept == Some(30 * DAY)),
    },
    Row { path: "retention.trash", written: |site| unless(&site.retention.trash, Option::is_none) },
    Row { path: "smtp.dnsbl", written: |site| first(&site.smtp.dnsbl) },
    Row { path: "smtp.networks.*.from by host name", written: by_host_name },
    Row { path: "smtp.rates", written: rates },
    Row {
        path: "storage.database",
        written: |site| unless(&site.storage.database, |database| *database == Database::Sqlite),
    },
    Row { path: "storage.mail", written: |site| unless(&site.storage.mail, |mail| *mail == MailPlace::Local) },
    Row {
        path: "tls.certificate by ACME",
        written: |site| unless(&site.tls.certificate, |certificate| !matches!(certificate, Certificate::Acme { .. })),
    },
    Row { path: "tls.minimum", written: |site| unless(&site.tls.minimum, |minimum| *minimum == TlsVersion::Tls12) },
    Row {
        path: "web.languages",
        written: |site| unless(&site.web.languages, |given| *given == [Language::En, Language::ZhCn]),
    },
    Row { path: "web.name", written: |site| site.web.name.iter().map(at).collect() },
];

/// Renames of things that keep something on the node: lists and robots. Accounts and aliases do move.
fn remembering(site: &Site) -> Vec<&Place> {
    let remembers = |moved: &&Placed<Move>| match &moved.value.to.value {
        Movable::List(_) | Movable::Autoresponder(_) => true,
        Movable::User(_) | Movable::Alias(_) => false,
        Movable::Domain(name) => site.domains.get(name).is_some_and(|entry| match &entry.value {
            DomainEntry::Mail(mail) => !(mail.lists.is_empty() && mail.autoresponders.is_empty()),
            DomainEntry::AliasOf(_) => false,
        }),
    };
    site.moved.iter().filter(remembers).map(|moved| &moved.place).collect()
}

/// The mail domains of the site.
fn domains(site: &Site) -> impl Iterator<Item = &MailDomain> {
    site.domains.values().filter_map(|entry| match &entry.value {
        DomainEntry::Mail(mail) => Some(&**mail),
        DomainEntry::AliasOf(_) => None,
    })
}

fn users(site: &Site) -> impl Iterator<Item = &User> {
    domains(site).flat_map(|mail| mail.users.values()).map(|user| &user.value)
}

fn lists(site: &Site) -> impl Iterator<Item = &List> {
    domains(site).flat_map(|mail| mail.lists.values()).map(|list| &list.value)
}

/// Whether a value differs from the default.
fn unlike<T: PartialEq>(default: T) -> impl Fn(&&Placed<T>) -> bool {
    move |one| one.value != default
}

fn place<T>(value: &Option<Placed<T>>) -> Option<&Place> {
    value.as_ref().map(|value| &value.place)
}

const DAY: u64 = 86_400;

const fn at<T>(placed: &Placed<T>) -> &Place {
    &placed.place
}

/// The place of a value that is not the default.
fn unless<T>(placed: &Placed<T>, is_default: impl FnOnce(&T) -> bool) -> Vec<&Place> {
    if is_default(&placed.value) { Vec::new() } else { vec![&placed.place] }
}

/// The place of a list that is not empty.
fn first<T>(list: &[Placed<T>]) -> Vec<&Place> {
    list.iter().take(1).map(at).collect()
}

/// Other kinds than router advertisements, which the kernel takes by itself.
fn not_auto(ipv6: &Placed<Ipv6>) -> Option<&Place> {
    (ipv6.value != Ipv6::Auto).then_some(&ipv6.place)
}

/// Rules by host name: the node looks up no names of its clients.
fn by_host_name(site: &Site) -> Vec<&Place> {
    let networks = site.smtp.networks.iter().map(|network| &network.value.from);
    networks.filter(|from| from.value.written.starts_with('=')).map(at).collect()
}

fn rates(site: &Site) -> Vec<&Place> {
    let rates = &site.smtp.rates;
    let given = [&rates.connections_per_minute, &rates.messages_per_hour, &rates.recipients_per_hour];
    given.into_iter().flatten().map(at).take(1).collect()
}

/// One warning for each option that the site uses, at the first of its places.
pub(crate) fn check(site: &Site, findings: &mut Findings) {
    moderation(site, findings);
    for row in ROWS {
        report(row.path, (row.written)(site), findings);
    }
    for (name, value) in &site.control {
        let entry = postkiln_control::REGISTRY.iter().find(|entry| entry.name == name);
        if entry.is_some_and(|entry| entry.readers.is_empty()) {
            report(&format!("control.{name}"), vec![&value.place], findings);
        }
    }
}

/// Warns of posts that would wait for a moderator: such posts are refused, since the node cannot hold them.
fn moderation(site: &Site, findings: &mut Findings) {
    for list in lists(site) {
        let who = match list.post.value {
            Posting::Moderated => "whoever is no moderator",
            Posting::MembersElseModerated => "whoever is no member",
            Posting::Anyone | Posting::Members | Posting::Moderators => continue,
        };
        findings
            .add(codes::NOT_YET, &list.post.place, "the node does not hold posts for moderators yet")
            .hint(format!("until it does, posts of {who} are refused"));
    }
}

fn report(path: &str, mut places: Vec<&Place>, findings: &mut Findings) {
    places.sort();
    let Some((first, others)) = places.split_first() else { return };
    let message = format!("`{path}` is not acted on by the node yet");
    let finding = findings.add(codes::NOT_YET, first, message);
    match others {
        [] => finding.hint("it is kept in the bundle for a later version; this one behaves as if it were not written"),
        [_] => finding.hint("written in one more place; this version behaves as if it were not"),
        others => {
            finding.hint(format!("written in {} more places; this version behaves as if it were not", others.len()))
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_in_order_and_appear_once() {
        assert!(ROWS.is_sorted_by(|one, two| one.path < two.path));
    }
}
