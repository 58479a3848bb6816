//! From the evaluated tree to a [`Site`]: every value parsed, every name of a field known, all mistakes collected.
//! Knows nothing about the interpreter, nor about how values depend on one another. Start at [`site`].
//!
//! A decoding function gives `None` when it has recorded a finding; its caller goes on with the next field, so that one
//! run finds everything.

mod antivirus;
mod appliance;
mod autoresponder;
mod control;
mod dns;
mod domain;
mod expect;
mod fields;
mod ldap;
mod limits;
mod list;
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

use postkiln_findings::is_wrong;

use crate::answer::{Node, Span};
use crate::beneath::Beneath;
use crate::lines::Lines;
use crate::{Diagnostic, SecretsLock, Site, codes};
pub use version::VERSION;
use walker::Walker;

/// The result of decoding a tree.
pub(crate) struct Decoded {
    /// The site; `None` when an error was found.
    pub(crate) site: Option<Site>,
    /// Every error and warning, in the order found.
    pub(crate) findings: Vec<Diagnostic>,
    /// The files that were read besides those of the evaluation, without password hashes.
    pub(crate) read: BTreeMap<String, Vec<u8>>,
    /// Where password hashes stand in the files of the evaluation.
    pub(crate) hidden: Vec<Span>,
}

/// Decodes a whole site. `unchecked` says that the schema's contracts, and with them its defaults, were left out.
pub(crate) fn site(tree: &Node, lines: &Lines, files: &Beneath, unchecked: bool) -> Decoded {
    let walker = Walker::new(lines, unchecked).with_files(files);
    let site = whole(&walker, tree);
    let (findings, read, hidden) = walker.finish();
    Decoded { site, findings, read, hidden }
}

/// Decodes `secrets.lock`; gives warnings beside it, or every finding when one is an error.
pub(crate) fn secrets_lock(tree: &Node, lines: &Lines) -> Result<(SecretsLock, Vec<Diagnostic>), Vec<Diagnostic>> {
    let walker = Walker::new(lines, false);
    let lock = secrets::decode(&walker, tree);
    let (findings, ..) = walker.finish();
    match lock {
        Some(lock) if !is_wrong(&findings) => Ok((lock, findings)),
        _ => Err(findings),
    }
}

fn whole(walker: &Walker<'_>, tree: &Node) -> Option<Site> {
    let here = walker.root(tree);
    if !version::is_ours(walker, &here) {
        return None;
    }
    let fields = walker.fields(&here, "a site", FIELDS)?;
    if !walker.unchecked && DEFAULTED.iter().any(|name| fields.get(name).is_none()) {
        let hint = "begin with `let pk = import \"postkiln/site.ncl\" in` and end with `| pk.Site`";
        walker.report(codes::NOT_A_SITE, "the site does not say that it is one", &here.place, Some(hint));
        return None;
    }
    let generation = fields.defaulted("generation").and_then(|at| quantity::count(walker, &at, "generations", 0));
    let appliance = fields.required("appliance").and_then(|at| appliance::decode(walker, &at));
    let domains = fields.required("domains").and_then(|at| domain::decode_all(walker, &at));
    let dns = fields.defaulted("dns").and_then(|at| dns::decode(walker, &at));
    let smtp = fields.defaulted("smtp").and_then(|at| smtp::decode(walker, &at));
    let tls = fields.defaulted("tls").and_then(|at| tls::decode(walker, &at));
    let antivirus = fields.defaulted("antivirus").and_then(|at| antivirus::decode(walker, &at));
    let web = fields.defaulted("web").and_then(|at| web::decode(walker, &at));
    let ldap = fields.defaulted("ldap").and_then(|at| ldap::decode(walker, &at));
    let storage = fields.defaulted("storage").and_then(|at| storage::decode(walker, &at));
    let retention = fields.defaulted("retention").and_then(|at| retention::decode(walker, &at));
    let control = fields.defaulted("control").and_then(|at| control::decode(walker, &at));
    let moved = fields.defaulted("moved").and_then(|at| moved::decode(walker, &at));
    let expect = fields.defaulted("expect").and_then(|at| expect::decode(walker, &at));
    let silence = fields.defaulted("silence").and_then(|at| silence::decode(walker, &at));
    Some(Site {
        generation: generation?.value,
        appliance: appliance?,
        domains: domains?,
        dns: dns?,
        smtp: smtp?,
        tls: tls?,
        antivirus: antivirus?,
        web: web?,
        ldap: ldap?,
        storage: storage?,
        retention: retention?,
        control: control?,
        moved: moved?,
        expect: expect?,
        silence: silence?,
        secrets: SecretsLock::default(),
        sources: BTreeMap::new(),
    })
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
