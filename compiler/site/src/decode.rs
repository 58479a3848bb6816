//! From the evaluated tree to a [`Site`]: every value parsed, every name of a field known, all mistakes collected.
//! Knows nothing about the interpreter, nor about how values depend on one another. Start at [`site`].
//!
//! A decoding function gives `None` when it has recorded a finding; its caller goes on with the next field, so that one
//! run finds everything. Sections, domains and what is in them go further: the schema's defaults stand for a value that
//! cannot be read, and a [`Gap`](crate::Gap) says so, for the proofs that need it.

mod addresses;
mod antivirus;
mod appliance;
mod autoresponder;
mod control;
mod declared;
mod defaults;
mod dns;
mod domain;
mod expect;
mod fields;
mod ldap;
mod limits;
mod list;
mod lock;
mod meant;
mod moved;
mod population;
mod publishing;
mod quantity;
mod retention;
mod secrets;
mod silence;
mod smtp;
mod storage;
mod tcp_clients;
mod tls;
mod user;
mod version;
mod walker;
mod web;

use std::collections::BTreeMap;

use postkiln_address::Domain;

use crate::answer::{Node, Span};
use crate::files::Files;
use crate::lines::Lines;
use crate::{Diagnostic, DomainEntry, Gap, Gaps, Place, Placed, SecretsLock, Section, Site, codes};
pub(crate) use defaults::Defaults;
pub use quantity::size_text;
pub use version::VERSION;
use walker::{At, Finished, Walker};

/// The result of decoding a tree.
pub(crate) struct Decoded {
    /// The site, with gaps where there are errors; `None` when nothing of it can be read.
    pub(crate) site: Option<Site>,
    /// Every error and warning, in the order found.
    pub(crate) findings: Vec<Diagnostic>,
    /// The files that were read besides those of the evaluation, without password hashes.
    pub(crate) read: BTreeMap<String, Vec<u8>>,
    /// Where password hashes stand in the files of the evaluation.
    pub(crate) hidden: Vec<Span>,
}

/// Decodes a whole site, in which the schema's defaults have been filled in.
pub(crate) fn site(tree: &Node, lines: &Lines, files: &Files) -> Decoded {
    let walker = Walker::new(lines).with_files(files);
    let mut site = whole(&walker, tree);
    let Finished { findings, read, hidden, gaps } = walker.finish();
    if let Some(site) = &mut site {
        site.gaps = gaps;
    }
    Decoded { site, findings, read, hidden }
}

fn whole(walker: &Walker<'_>, tree: &Node) -> Option<Site> {
    let here = walker.root(tree);
    if !version::is_ours(walker, &here) {
        return None;
    }
    let fields = walker.fields(&here, "a site", FIELDS)?;
    if DEFAULTED.iter().any(|name| fields.get(name).is_none()) {
        let hint = "begin with `let pk = import \"postkiln/site.ncl\" in` and end with `| pk.Site`";
        walker.report(codes::NOT_A_SITE, "the site does not say that it is one", &here.place, Some(hint));
        return None;
    }
    let generation = fields.defaulted("generation").and_then(|at| quantity::count(walker, &at, "generations", 0));
    let read = Sections { walker, here: &here.place };
    Some(Site {
        generation: generation.map_or(0, |generation| generation.value),
        appliance: read.section(Section::Appliance, fields.required("appliance"), appliance::decode)?,
        domains: read.domains(fields.required("domains")),
        dns: read.section(Section::Dns, fields.defaulted("dns"), dns::decode)?,
        smtp: read.section(Section::Smtp, fields.defaulted("smtp"), smtp::decode)?,
        tls: read.section(Section::Tls, fields.defaulted("tls"), tls::decode)?,
        antivirus: read.section(Section::Antivirus, fields.defaulted("antivirus"), antivirus::decode)?,
        web: read.section(Section::Web, fields.defaulted("web"), web::decode)?,
        ldap: read.section(Section::Ldap, fields.defaulted("ldap"), ldap::decode)?,
        storage: read.section(Section::Storage, fields.defaulted("storage"), storage::decode)?,
        retention: read.section(Section::Retention, fields.defaulted("retention"), retention::decode)?,
        control: read.section(Section::Control, fields.defaulted("control"), control::decode)?,
        moved: read.section(Section::Moved, fields.defaulted("moved"), moved::decode)?,
        expect: read.section(Section::Expect, fields.defaulted("expect"), expect::decode)?,
        silence: read.section(Section::Silence, fields.defaulted("silence"), silence::decode)?,
        secrets: SecretsLock::default(),
        sources: BTreeMap::new(),
        gaps: Gaps::default(),
    })
}

/// Reads the sections of a site. One that cannot be read is taken as if the site did not mention it.
struct Sections<'a> {
    walker: &'a Walker<'a>,
    /// The place of the site.
    here: &'a Place,
}

impl Sections<'_> {
    fn section<T>(
        &self,
        section: Section,
        at: Option<At<'_>>,
        decode: impl Fn(&Walker<'_>, &At<'_>) -> Option<T>,
    ) -> Option<T> {
        at.as_ref().and_then(|at| decode(self.walker, at)).or_else(|| {
            self.walker.gap(Gap::Section(section));
            let place = at.map_or_else(|| self.here.clone(), |at| at.place);
            let node = self.walker.defaults().section(section);
            self.walker.stand_in(&node, &place, decode)
        })
    }

    fn domains(&self, at: Option<At<'_>>) -> BTreeMap<Domain, Placed<DomainEntry>> {
        let domains = at.and_then(|at| domain::decode_all(self.walker, &at));
        domains.unwrap_or_else(|| {
            self.walker.gap(Gap::Section(Section::Domains));
            BTreeMap::new()
        })
    }
}

/// Fields for which the schema has defaults: when one is absent, the schema's contracts were not applied.
const DEFAULTED: [&str; 7] = ["generation", "dns", "antivirus", "control", "moved", "expect", "silence"];
const FIELDS: &[&str] = &[
    "version",
    "generation",
    "appliance",
    "domains",
    "dns",
    "smtp",
    "tls",
    "antivirus",
    "web",
    "ldap",
    "storage",
    "retention",
    "control",
    "moved",
    "expect",
    "silence",
];
