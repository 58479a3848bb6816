//! One address, one meaning: reports addresses that are declared twice, and names that cannot be local parts of ours.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use postkiln_address::{Domain, LocalPart};
use postkiln_control::dot_qmail::file_name;
use postkiln_site::Place;

use crate::codes;
use crate::findings::Findings;

/// The addresses of one domain that were declared so far.
pub(super) struct Names<'a> {
    domain: &'a Domain,
    declared: BTreeMap<LocalPart, (&'a Place, &'static str)>,
}

impl<'a> Names<'a> {
    /// Starts without addresses.
    pub(super) const fn new(domain: &'a Domain) -> Self {
        Self { domain, declared: BTreeMap::new() }
    }

    /// The domain of the addresses.
    pub(super) const fn domain(&self) -> &Domain {
        self.domain
    }

    /// Declares an address; `file` when it gets a `.qmail` file of its own.
    pub(super) fn declare(
        &mut self,
        local: &LocalPart,
        place: &'a Place,
        what: &'static str,
        file: bool,
        findings: &mut Findings,
    ) {
        self.check_form(local, place, what, file, findings);
        let (first, as_what) = match self.declared.entry(local.to_lower_case()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert((place, what));
                return;
            }
        };
        let message = format!("{local}@{} is declared twice: as {as_what} and as {what}", self.domain);
        findings
            .add(codes::DUPLICATE, place, message)
            .hint("an address has one meaning; remove or rename one of the two")
            .related(first, "first declared here");
    }

    /// Declares an autoresponder, which may stand beside a user.
    pub(super) fn respond(&mut self, local: &LocalPart, place: &'a Place, findings: &mut Findings) {
        match self.declared.get(&local.to_lower_case()) {
            Some((_, "a user")) => self.check_form(local, place, AUTORESPONDER, true, findings),
            _ => self.declare(local, place, AUTORESPONDER, true, findings),
        }
    }

    fn check_form(&self, local: &LocalPart, place: &Place, what: &str, file: bool, findings: &mut Findings) {
        // This holds for nearly every name; the others are checked by the code for file names and addresses.
        if local.as_str().bytes().all(|b| b.is_ascii_alphanumeric()) && !local.as_str().eq_ignore_ascii_case("default")
        {
            return;
        }
        // Display quotes a local part where RFC 5321 demands it; no program of ours should need that.
        let quoted = local.to_string() != local.as_str();
        if !quoted && (!file || file_name(local).is_some()) {
            return;
        }
        let hint = if quoted {
            "use letters, digits and . - _ +"
        } else {
            "a slash, `default` and names that end with `-default` cannot name a file of delivery instructions"
        };
        let message = format!("{:?} cannot be the name of {what} in {}", local.as_str(), self.domain);
        findings.add(codes::NAME, place, message).hint(hint);
    }
}

const AUTORESPONDER: &str = "an autoresponder";
