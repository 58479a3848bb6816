//! The steps from site to blueprint. Each decides its part and adds its findings; the proofs come last.

mod antivirus;
mod control;
mod domains;
mod lists;
mod moved;
mod names;
mod order;
mod password;
mod record;
mod same;
mod secrets;
mod sections;
pub(crate) mod tcp;
mod users;
mod zones;

use postkiln_address::Domain;
use postkiln_bundle::Listener;
use postkiln_site::{Diagnostic, Place, Site};

pub(crate) use domains::lower_case;
pub(crate) use zones::{Draft, Entry, Zones, is_private, relative};

use crate::findings::Findings;
use crate::model::Blueprint;
use crate::{codes, not_yet, prove, services};

/// Decides everything the site leaves open and proves what it claims.
///
/// # Errors
/// With all findings, in the order of their places, when at least one is an error. Otherwise the warnings come with
/// the blueprint.
pub fn lower(site: &Site) -> Result<(Blueprint, Vec<Diagnostic>), Vec<Diagnostic>> {
    let unproved = decide(site);
    let proofs = unproved.prove(site);
    unproved.finish(proofs)
}

/// A blueprint whose proofs have not run yet, for callers that use it while they run.
#[derive(Debug)]
pub struct Unproved {
    /// The blueprint, complete.
    pub blueprint: Blueprint,
    findings: Findings,
}

impl Unproved {
    /// Whether there is an error already.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.findings.is_wrong()
    }

    /// Runs the proofs: whether the blueprint does what the site claims.
    #[must_use]
    pub fn prove(&self, site: &Site) -> Proofs {
        let mut findings = Findings::default();
        prove::all(site, &self.blueprint, &mut findings);
        not_yet::check(site, &mut findings);
        Proofs(findings)
    }

    /// The result of [`lower`], with the findings of the proofs.
    ///
    /// # Errors
    /// The same as those of [`lower`].
    pub fn finish(self, proofs: Proofs) -> Result<(Blueprint, Vec<Diagnostic>), Vec<Diagnostic>> {
        self.findings.and(proofs.0).finish(self.blueprint)
    }
}

/// The findings of the proofs.
#[derive(Debug)]
pub struct Proofs(Findings);

/// Decides everything the site leaves open; the first half of [`lower`].
#[must_use]
pub fn decide(site: &Site) -> Unproved {
    let mut findings = Findings::default();
    let (domains, alias_domains) = domains::lower(site, &mut findings);
    if domains.is_empty() {
        findings.add(codes::NO_DOMAIN, any_place(site), "the site has no mail domain of its own".to_owned());
    }
    let names: Vec<&Domain> = domains.keys().chain(alias_domains.keys()).collect();
    let control = control::lower(site, &names, &mut findings);
    let antivirus = antivirus::lower(site, &control, &mut findings);
    let services = services::services(antivirus.clamav);
    let listeners: Vec<Listener> = services.iter().flat_map(|service| service.listeners.iter().cloned()).collect();
    let zones = zones::draft(site, &listeners, &mut findings);
    prove::dns(site, &zones, &mut findings);
    let addresses = zones.addresses.clone();
    let zones = zones.finish(site);
    let tcp = tcp::lower(site, &services, &mut findings);
    let primary = control::primary(&site.appliance.hostname.value, &names);
    let moved = moved::lower(site, &domains, &alias_domains, &mut findings);
    let mut blueprint = Blueprint {
        version: Blueprint::VERSION,
        generation: site.generation,
        hostname: site.appliance.hostname.value.clone(),
        addresses,
        operators: site.appliance.operators.iter().map(|key| key.value.clone()).collect(),
        control,
        domains,
        alias_domains,
        moved,
        tcp,
        zones,
        tls: sections::tls(site),
        antivirus,
        web: sections::web(site),
        ldap: sections::ldap(site, &primary),
        storage: sections::storage(site),
        retention: sections::retention(site),
        services,
        secrets: secrets::lower(site),
    };
    same::unite(site, &mut blueprint, &mut findings);
    order::put(&mut blueprint);
    Unproved { blueprint, findings }
}

/// A place that every site has, that of the machine's name; for findings about something that is missing altogether.
fn any_place(site: &Site) -> &Place {
    &site.appliance.hostname.place
}
