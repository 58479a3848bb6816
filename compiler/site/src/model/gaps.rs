//! The parts of a site that could not be read. In a site without errors there are none; else something harmless stands
//! for each, and what would be judged by it is not judged. Start at [`Gaps`].

use std::collections::BTreeSet;

use postkiln_address::{Address, Domain, LocalPart};

/// All that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps(BTreeSet<Gap>);

/// One part of a site that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// A section of the site; its defaults stand for it.
    Section(Section),
    /// Some of the addresses that a domain declares, or the separator that parts them from details.
    Names(Domain),
    /// The targets of an address, or, without a local part, of a domain's catch-all.
    Way(Domain, Option<LocalPart>),
    /// The password or permissions of a user, or, without a local part, of any user of a domain.
    Person(Domain, Option<LocalPart>),
    /// Some of the quotas and limits of a domain.
    Quotas(Domain),
    /// Some of the settings of a list or an autoresponder; defaults stand for them.
    Settings(Domain, LocalPart),
    /// The settings of a domain that others see.
    Publishing(Domain),
}

/// The sections of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the fields of a site")]
pub enum Section {
    Appliance,
    Domains,
    Dns,
    Smtp,
    Tls,
    Antivirus,
    Web,
    Ldap,
    Storage,
    Retention,
    Control,
    Moved,
    Expect,
    Silence,
    /// The file `secrets.lock`.
    Secrets,
}

impl Gaps {
    /// Whether everything could be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of these parts could not be read.
    #[must_use]
    pub fn lack(&self, gap: &Gap) -> bool {
        self.0.contains(gap)
    }

    /// Whether one of these sections could not be read.
    #[must_use]
    pub fn any_section(&self, sections: &[Section]) -> bool {
        sections.iter().any(|section| self.lack(&Gap::Section(*section)))
    }

    /// Whether some part is one that `is_meant`.
    #[must_use]
    pub fn any(&self, is_meant: impl FnMut(&Gap) -> bool) -> bool {
        self.0.iter().any(is_meant)
    }

    /// Whether it is unknown which addresses a domain has, or where its catch-all leads.
    #[must_use]
    pub fn hide_names(&self, domain: &Domain) -> bool {
        self.lack(&Gap::Names(domain.clone())) || self.lack(&Gap::Way(domain.clone(), None))
    }

    /// Whether it is unknown where an address leads.
    #[must_use]
    pub fn hide_way(&self, address: &Address) -> bool {
        let (local, domain) = (address.local().clone(), address.domain().clone());
        self.hide_names(&domain) || self.lack(&Gap::Way(domain, Some(local.into_lower_case())))
    }

    /// Remembers a part.
    pub(crate) fn add(&mut self, gap: Gap) {
        self.0.insert(gap);
    }

    /// Takes over those of a file beside the site.
    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}
