//! A blueprint as `schemas/routing` sees it: the files that the node will read, in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_admission::Policy;
use postkiln_control::users_assign::{self, Assigned};
use postkiln_control::{ControlFile, Subaddress, Virtualdomains};
use postkiln_routing::{LookUp, Route, RouteError, Step, UserState, block_on_ready, level, trace};

use crate::instructions::{Delivery, LAST};
use crate::model::Blueprint;

/// The routes of a blueprint.
#[derive(Debug)]
pub struct World<'a> {
    virtualdomains: Virtualdomains,
    subaddress: Subaddress,
    assign: Vec<u8>,
    deliveries: BTreeMap<&'a str, Delivery<'a>>,
}

impl<'a> World<'a> {
    /// Lays out the blueprint's files.
    #[must_use]
    pub fn new(blueprint: &'a Blueprint) -> Self {
        Self {
            virtualdomains: blueprint.control_file().unwrap_or_default(),
            subaddress: blueprint.control_file().unwrap_or_default(),
            assign: users_assign::compile(&blueprint.assignments()),
            deliveries: blueprint.deliveries(),
        }
    }

    /// Finds where mail for an address goes, and by which steps.
    ///
    /// # Errors
    /// When a delivery instruction cannot be obeyed; the blueprint's own always can.
    pub fn trace(&mut self, recipient: &Address) -> Result<(Route, Vec<Step>), RouteError<Infallible>> {
        block_on_ready(trace(self, recipient))
    }
}

/// The owner of an address, found by one level of the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    /// The address is not ours.
    Outside,
    /// Mail for the address is refused: it does not exist.
    Nobody,
    /// Mail for the address is refused: its account is closed.
    Closed,
    /// The catch-all of this domain takes the mail.
    CatchAll(&'a Domain),
    /// The address is declared, with or without a detail removed.
    Declared(&'a Domain, LocalPart),
}

impl<'a> World<'a> {
    /// Finds the owner of an address.
    pub(crate) fn owner(&mut self, address: &Address) -> Owner<'a> {
        let Ok((route, steps)) = block_on_ready(level(self, address)) else { return Owner::Nobody };
        let (mut directory, mut extension, mut is_last) = ("", "", false);
        for step in &steps {
            match step {
                Step::Assigned { domain, extension: assigned } => (directory, extension) = (domain, assigned),
                Step::Subaddress { address, .. } => extension = address,
                Step::File { name, .. } => is_last = name == LAST,
                Step::Virtual { .. } | Step::Followed(_) => {}
            }
        }
        let found = self.deliveries.get(directory).map(|delivery| (delivery.domain, delivery.mail()));
        let (Some((domain, mail)), Ok(local)) = (found, LocalPart::new(&extension.to_ascii_lowercase())) else {
            return if route == Route::NotOurs { Owner::Outside } else { Owner::Nobody };
        };
        match (mail.users.get(&local), route) {
            (_, Route::NotOurs) => Owner::Outside,
            (Some(user), _) if user.disabled => Owner::Closed,
            (_, Route::NoSuchAddress(_)) => Owner::Nobody,
            (None, _) if is_last => Owner::CatchAll(domain),
            _ => Owner::Declared(domain, local),
        }
    }
}

impl Blueprint {
    /// A control file's value; `None` when it is malformed, which the making of the blueprint has reported.
    #[must_use]
    pub fn control_file<F: ControlFile>(&self) -> Option<F> {
        F::read(|name: &str| -> io::Result<_> { Ok(self.control.get(name).map(|text| text.clone().into_bytes())) }).ok()
    }

    /// Who may send what to whom, by the control files.
    #[must_use]
    pub fn admission(&self) -> Policy {
        Policy {
            bad_senders: self.control_file().unwrap_or_default(),
            bad_recipients: self.control_file().unwrap_or_default(),
            hosts: self.control_file().unwrap_or_default(),
            more_hosts: self.control_file().unwrap_or_default(),
        }
    }

    /// The address as it is in a mail domain of ours, in lower case; `None` when the domain is not ours.
    #[must_use]
    pub fn own_address(&self, address: &Address) -> Option<(&Domain, LocalPart)> {
        let domain = self.alias_domains.get(address.domain()).unwrap_or_else(|| address.domain());
        let (domain, _) = self.domains.get_key_value(domain)?;
        LocalPart::new(&address.local().as_str().to_ascii_lowercase()).ok().map(|local| (domain, local))
    }
}

impl LookUp for World<'_> {
    type Error = Infallible;

    async fn virtual_domain(&mut self, address: &Address) -> Result<Option<String>, Infallible> {
        Ok(self.virtualdomains.prepend(address).map(str::to_owned))
    }

    async fn assign(&mut self, local: &str) -> Result<Option<Assigned>, Infallible> {
        // The bytes were compiled here, so they are whole.
        Ok(users_assign::lookup(&self.assign, local).unwrap_or_default())
    }

    async fn dot_qmail(&mut self, domain: &str, file: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.deliveries.get(domain).and_then(|delivery| delivery.file(file)).map(String::into_bytes))
    }

    async fn table(&mut self, domain: &str, _: &str, local: &str) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.deliveries.get(domain).and_then(|delivery| delivery.record(local)))
    }

    async fn user(&mut self, domain: &str, local: &str) -> Result<UserState, Infallible> {
        let known = self.deliveries.get(domain).and_then(|delivery| delivery.mail().users.get(local));
        Ok(known.map_or(UserState::Absent, |user| if user.disabled { UserState::Closed } else { UserState::Open }))
    }

    async fn separator(&mut self, domain: &str) -> Result<Option<char>, Infallible> {
        Ok(self.subaddress.separator(domain))
    }
}
