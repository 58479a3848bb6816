//! The steps from site to blueprint. Each decides its part and adds its findings; the proofs come last.

mod antivirus;
mod control;
mod domains;
mod lists;
mod moved;
mod names;
mod order;
mod password;
mod placed;
mod same;
mod secrets;
mod sections;
pub(crate) mod settings;
mod users;

use postkiln_address::Domain;
use postkiln_bundle::Listener;
use postkiln_control::{ControlFile, Smarthost};
use postkiln_site::{Diagnostic, Gap, Place, Section, Site};

use crate::findings::Findings;
use crate::memory::Load;
use crate::model::Blueprint;
use crate::services::Needs;
use crate::{codes, not_yet, prove, services, tcp, zones};

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

    /// The blueprint with all findings, be they errors or not.
    #[must_use]
    pub fn judged(self, proofs: Proofs) -> (Blueprint, Vec<Diagnostic>) {
        (self.blueprint, self.findings.and(proofs.0).all())
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
    let gaps = &site.gaps;
    if domains.is_empty() && !gaps.any_section(&[Section::Domains]) {
        findings.add(codes::NO_DOMAIN, any_place(site), "the site has no mail domain of its own".to_owned());
    }
    let names: Vec<&Domain> = domains.keys().chain(alias_domains.keys()).collect();
    let control = control::lower(site, &names, &mut findings);
    let sized = !gaps.any_section(&[Section::Antivirus, Section::Smtp, Section::Control]);
    let antivirus = findings.counting(sized, |findings| antivirus::lower(site, &control, findings));
    let login = control.get(Smarthost::NAME).is_some_and(|text| !text.is_empty());
    let services = services::services(Needs { clamav: antivirus.clamav, login, load: Load::of(&control, &antivirus) });
    let listeners: Vec<Listener> = services.iter().flat_map(|service| service.listeners.iter().cloned()).collect();
    let published = prove::can_judge_zones(site);
    let zones = findings.counting(published, |findings| zones::draft(site, &listeners, findings));
    findings.counting(published, |findings| prove::dns(site, &zones, findings));
    let addresses = zones.addresses.clone();
    let zones = zones.finish(site);
    let tcp = tcp::lower(site, &services, &mut findings);
    let primary = control::primary(&site.appliance.hostname.value, &names);
    let named = !gaps.any_section(&[Section::Domains]) && !gaps.any(|gap| matches!(gap, Gap::Names(_)));
    let moved = findings.counting(named, |findings| moved::lower(site, &domains, &alias_domains, findings));
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
    let traced = named && !gaps.any(|gap| matches!(gap, Gap::Way(..)));
    findings.counting(traced, |findings| same::unite(site, &mut blueprint, findings));
    order::put(&mut blueprint);
    Unproved { blueprint, findings }
}

/// A place that every site has, that of the machine's name; for findings about something that is missing altogether.
fn any_place(site: &Site) -> &Place {
    &site.appliance.hostname.place
}
