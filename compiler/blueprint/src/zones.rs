//! The zones: the records that mail needs in each domain, and the site's own records. Where both are about the same
//! thing, the site's records win, and a setting that differs from them is reported as a contradiction.
//!
//! Records keep their places until the proofs over all zones (`prove/dns`) are done. Start at [`draft`].

mod clients;
mod hosts;
mod mail;
mod record;

pub(crate) use hosts::is_private;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use postkiln_address::{Address, Domain};
use postkiln_bundle::Listener;
use postkiln_findings::{Place, codes};
use postkiln_site::{DomainEntry, Permission, Placed, Publishing, Site};

use crate::findings::Findings;
use crate::model::{ClientServer, Purpose, StsPolicy, Zone, ZoneRecord};

/// Every zone while it is made and proved.
pub(crate) struct Zones<'a> {
    /// The drafts by zone.
    pub(crate) drafts: BTreeMap<&'a Domain, Draft<'a>>,
    /// Addresses by which others reach the machine, as far as they are known.
    pub(crate) addresses: Vec<IpAddr>,
}

/// A zone while it is made.
pub(crate) struct Draft<'a> {
    /// The mail domain of this name.
    pub(crate) mail: Option<Mail<'a>>,
    /// The records so far: ours, then the site's.
    pub(crate) entries: Vec<Entry<'a>>,
    /// The policy about TLS (MTA-STS), when there is one.
    pub(crate) mta_sts: Option<StsPolicy>,
    /// The servers that mail programs are told.
    pub(crate) client: Vec<ClientServer>,
}

/// A mail domain as its zone sees it: an alias domain publishes the same as the domain it stands for.
#[derive(Clone, Copy)]
pub(crate) struct Mail<'a> {
    /// The mail domain with the settings; for an alias domain the one it stands for.
    pub(crate) home: &'a Domain,
    /// The settings about publishing.
    pub(crate) publishing: &'a Publishing,
    /// Permissions that all its users are denied.
    pub(crate) deny: &'a [Placed<Permission>],
    /// The place where the domain is declared.
    pub(crate) place: &'a Place,
}

/// A record, with the place of its own or of the setting it follows from.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    /// The record in its final form.
    pub(crate) record: ZoneRecord,
    /// The place of the record or of the setting.
    pub(crate) place: &'a Place,
    /// Whether the site itself wrote the record.
    pub(crate) is_own: bool,
}

impl Entry<'_> {
    /// The name at the end of an MX, NS, CNAME or SRV record, without its final dot; empty for none.
    pub(crate) fn target(&self) -> &str {
        self.record.value.rsplit(' ').next().unwrap_or_default().trim_end_matches('.')
    }
}

impl<'a> Draft<'a> {
    /// The records with this name and type.
    pub(crate) fn at(&self, name: &str, kind: &str) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().filter(move |entry| entry.record.name == name && entry.record.kind == kind)
    }

    /// The owner of the records that answer for a name: the name itself, or the wildcard below its closest encloser.
    fn answering(&self, name: &str) -> Option<String> {
        if self.exists(name) {
            return Some(name.to_owned());
        }
        let mut enclosers = name.match_indices('.').filter_map(|(at, _)| name.get(at + 1..));
        let wildcard = match enclosers.find(|encloser| self.exists(encloser)) {
            Some(encloser) => format!("*.{encloser}"),
            None => "*".to_owned(),
        };
        self.exists(&wildcard).then_some(wildcard)
    }

    /// Whether a name has records, or names below it have (RFC 4592 §2.2.2, an empty non-terminal).
    fn exists(&self, name: &str) -> bool {
        let is_below = |owner: &str| owner.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        name == "@" || self.entries.iter().any(|entry| entry.record.name == name || is_below(&entry.record.name))
    }

    /// Whether a record of an alias domain repeats one of the domain it stands for; it is judged there.
    pub(crate) fn repeats(&self, zone: &Domain, entry: &Entry<'_>) -> bool {
        !entry.is_own && self.mail.is_some_and(|mail| mail.home != zone)
    }

    /// Whether there is a record with this name and type whose value begins so.
    fn has(&self, name: &str, kind: &str, begins: &str) -> bool {
        self.at(name, kind).any(|entry| entry.record.value.starts_with(begins))
    }
}

impl<'a> Zones<'a> {
    /// The zone of ours that a name lies in, and the name relative to it.
    pub(crate) fn find(&self, name: &str) -> Option<(&'a Domain, String)> {
        let nearest =
            self.drafts.keys().filter(|zone| relative(name, zone).is_some()).max_by_key(|zone| zone.as_str().len());
        nearest.and_then(|zone| relative(name, zone).map(|relative| (*zone, relative)))
    }

    /// The records of an absolute name and kind, as a name server would answer: for a name that does not exist, those
    /// of the wildcard below its closest encloser (RFC 4592 §3.3.1). `None` when the name lies in no zone of ours.
    pub(crate) fn look_up(&self, name: &str, kind: &str) -> Option<Vec<&Entry<'a>>> {
        let (zone, name) = self.find(name)?;
        let draft = self.drafts.get(zone)?;
        Some(draft.answering(&name).map(|owner| draft.at(&owner, kind).collect()).unwrap_or_default())
    }

    /// The records that were declared for an absolute name itself, whatever a wildcard says of names
    /// that nobody declared.
    fn declared(&self, name: &str, kind: &str) -> impl Iterator<Item = &Entry<'a>> {
        let found = self.find(name).and_then(|(zone, name)| Some((self.drafts.get(zone)?, name)));
        found.into_iter().flat_map(move |(draft, name)| draft.at(&name, kind).collect::<Vec<_>>())
    }

    /// The zones in the form of the blueprint.
    pub(crate) fn finish(self, site: &Site) -> BTreeMap<Domain, Zone> {
        let zone = |draft: Draft<'_>| Zone {
            ttl: site.dns.ttl.value,
            publish: site.dns.publish.value,
            records: draft.entries.into_iter().map(|entry| entry.record).collect(),
            mta_sts: draft.mta_sts,
            client: draft.client,
        };
        self.drafts.into_iter().map(|(name, draft)| (name.clone(), zone(draft))).collect()
    }
}

/// Makes a zone for each mail domain and for each domain that the site has records of.
pub(crate) fn draft<'a>(site: &'a Site, listeners: &[Listener], findings: &mut Findings) -> Zones<'a> {
    let mut zones = Zones { drafts: BTreeMap::new(), addresses: Vec::new() };
    let names: BTreeSet<&Domain> = site.domains.keys().chain(site.dns.records.keys()).collect();
    for name in names {
        let entries = own_records(site, name, findings);
        let draft = Draft { mail: mail_of(site, name), entries, mta_sts: None, client: Vec::new() };
        zones.drafts.insert(name, draft);
    }
    let addresses = hosts::Addresses::of(site, &zones, findings);
    zones.addresses = addresses.known();
    let made: Vec<Made<'_>> =
        zones.drafts.keys().map(|name| make(site, &zones, &addresses, name, listeners, findings)).collect();
    for Made { name, entries, mta_sts, client } in made {
        if let Some(draft) = zones.drafts.get_mut(name) {
            draft.entries.splice(0..0, entries);
            draft.mta_sts = mta_sts;
            draft.client = client;
        }
    }
    hosts::delegations(&mut zones, site);
    mail::authorise_reports(&mut zones);
    zones
}

/// The parts that are made for one zone.
struct Made<'a> {
    name: &'a Domain,
    entries: Vec<Entry<'a>>,
    mta_sts: Option<StsPolicy>,
    client: Vec<ClientServer>,
}

fn make<'a>(
    site: &'a Site,
    zones: &Zones<'a>,
    addresses: &hosts::Addresses,
    name: &'a Domain,
    listeners: &[Listener],
    findings: &mut Findings,
) -> Made<'a> {
    let nothing = Draft { mail: None, entries: Vec::new(), mta_sts: None, client: Vec::new() };
    let draft = zones.drafts.get(name).unwrap_or(&nothing);
    let client = clients::servers(site, draft, listeners);
    let mut adding = Adding { site, zone: name, draft, entries: Vec::new(), findings };
    hosts::name_servers(&mut adding);
    let mta_sts = draft.mail.and_then(|mail| {
        mail::exchangers(&mut adding, mail);
        mail::senders(&mut adding, mail, addresses);
        mail::transport(&mut adding, mail)
    });
    hosts::appliance(&mut adding, zones, addresses);
    clients::records(&mut adding, &client);
    mail::authorities(&mut adding);
    Made { name, entries: adding.entries, mta_sts, client }
}

/// Adds records to a zone.
struct Adding<'a, 'b> {
    site: &'a Site,
    zone: &'a Domain,
    draft: &'b Draft<'a>,
    entries: Vec<Entry<'a>>,
    findings: &'b mut Findings,
}

impl<'a> Adding<'a, '_> {
    fn add(&mut self, name: &str, kind: &str, value: String, purpose: Purpose, place: &'a Place) {
        self.entries.push(entry(name, kind, value, purpose, place));
    }

    /// Whether the site has a record of its own in place of ours.
    fn said(&self, name: &str, kind: &str, begins: &str) -> bool {
        self.draft.has(name, kind, begins)
    }

    /// Whether the site has anything at a name.
    fn taken(&self, name: &str) -> bool {
        self.draft.entries.iter().any(|entry| entry.record.name == name)
    }

    /// Reports that a setting and the site's own record are about the same thing. Not for an alias domain, which has no
    /// settings: its own records are how it differs.
    fn contradiction(&mut self, setting: &str, place: &Place, name: &str, kind: &str) {
        if self.draft.mail.is_some_and(|mail| mail.home != self.zone) {
            return;
        }
        contradiction(self.draft, self.zone, setting, place, name, kind, self.findings);
    }
}

fn contradiction(
    draft: &Draft<'_>,
    zone: &Domain,
    setting: &str,
    place: &Place,
    name: &str,
    kind: &str,
    findings: &mut Findings,
) {
    let message = format!("`{setting}` and the {kind} record of {name} in {zone} speak of the same thing");
    let finding = findings.add(codes::TWO_VOICES, place, message);
    finding.hint = Some("keep one: the setting, or the record below `dns.records`".to_owned());
    if let Some(own) = draft.at(name, kind).find(|entry| entry.is_own) {
        finding.related.push((own.place.clone(), "the record stands here".to_owned()));
    }
}

fn entry<'a>(name: &str, kind: &str, value: String, purpose: Purpose, place: &'a Place) -> Entry<'a> {
    Entry { record: ZoneRecord { name: name.to_owned(), kind: kind.to_owned(), value, purpose }, place, is_own: false }
}

fn mail_of<'a>(site: &'a Site, name: &Domain) -> Option<Mail<'a>> {
    let declared = site.domains.get(name)?;
    let target = match &declared.value {
        DomainEntry::Mail(_) => name,
        DomainEntry::AliasOf(target) => &target.value,
    };
    let (home, entry) = site.domains.get_key_value(target)?;
    match &entry.value {
        DomainEntry::Mail(mail) => {
            Some(Mail { home, publishing: &mail.publishing, deny: &mail.deny, place: &declared.place })
        }
        DomainEntry::AliasOf(_) => None,
    }
}

impl<'a> Mail<'a> {
    /// The place of a setting as seen from a zone: an alias domain has no settings of its own.
    fn place<T>(self, zone: &Domain, setting: &'a Placed<T>) -> &'a Place {
        if zone == self.home { &setting.place } else { self.place }
    }

    /// An address of the domain as the zone of an alias domain writes it.
    fn here(&self, zone: &Domain, address: &Address) -> Address {
        let domain = if address.domain() == self.home { zone } else { address.domain() };
        Address::new(address.local().clone(), domain.clone())
    }
}

fn own_records<'a>(site: &'a Site, zone: &Domain, findings: &mut Findings) -> Vec<Entry<'a>> {
    let mut own: Vec<Entry<'a>> = Vec::new();
    for placed in site.dns.records.get(zone).into_iter().flatten() {
        if let Some((problem, hint)) = record::unfit_text(&placed.value) {
            findings
                .add(codes::TEXT, &placed.place, format!("the text of {} in {zone} {problem}", placed.value.name))
                .hint(hint);
            continue;
        }
        match record::lower(zone, &placed.value) {
            Err(problem) => {
                findings.add(codes::RECORD, &placed.place, format!("a record of {zone} cannot be: {problem}"));
            }
            Ok(record) => match own.iter().find(|other| other.record.says_the_same(&record)) {
                Some(first) => {
                    let message = format!("the same {} record of {} stands twice in {zone}", record.kind, record.name);
                    let finding = findings.add(codes::RECORD, &placed.place, message);
                    finding.hint = Some("remove one".to_owned());
                    finding.related.push((first.place.clone(), "first written here".to_owned()));
                }
                None => {
                    let purpose = purpose(site, zone, &record);
                    own.push(Entry { record: ZoneRecord { purpose, ..record }, place: &placed.place, is_own: true });
                }
            },
        }
    }
    own
}

/// The purpose of one of the site's own records: that of the record we would make in its place.
fn purpose(site: &Site, zone: &Domain, record: &ZoneRecord) -> Purpose {
    let host = relative(site.appliance.hostname.value.as_str(), zone);
    match (record.name.as_str(), record.kind.as_str()) {
        ("@", "NS") => Purpose::NameServer,
        (_, "NS") => Purpose::Delegation,
        ("@", "MX") => Purpose::MailExchanger,
        ("@", "TXT") if record.value.starts_with("v=spf1") => Purpose::Spf,
        ("_dmarc", _) => Purpose::Dmarc,
        ("_mta-sts", _) => Purpose::MtaSts,
        ("mta-sts", _) => Purpose::MtaStsHost,
        ("_smtp._tls", _) => Purpose::TlsReports,
        ("autoconfig" | "autodiscover" | "_autodiscover._tcp", _) => Purpose::ClientSettings,
        (_, "CAA") => Purpose::Caa,
        (_, "TLSA") => Purpose::Tlsa,
        (name, "SRV") if clients::is_service(name) => Purpose::ClientService,
        (name, "A" | "AAAA") if host.as_deref() == Some(name) => Purpose::Host,
        (name, "TXT" | "CNAME") if name.ends_with("._domainkey") => Purpose::Dkim,
        (name, "TXT") if name.contains("._report._dmarc") => Purpose::DmarcAuthorisation,
        _ => Purpose::Site,
    }
}

/// The name relative to a zone: `mail` for `mail.example.org` in `example.org`; `@` for the zone itself.
pub(crate) fn relative(name: &str, zone: &Domain) -> Option<String> {
    if name == zone.as_str() {
        return Some("@".to_owned());
    }
    name.strip_suffix(zone.as_str()).and_then(|rest| rest.strip_suffix('.')).map(str::to_owned)
}
