//! No open relay: domains that `rcpthosts` accepts from strangers are ours, or we are a declared relay for them.

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_control::{HostPattern, Morercpthosts, Percenthack, Rcpthosts, Smtproutes, VirtualKey, Virtualdomains};
use postkiln_site::Site;

use crate::codes;
use crate::findings::Findings;
use crate::model::Blueprint;

/// Judges the final files, whoever wrote them.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let Some(rcpthosts) = blueprint.control_file::<Rcpthosts>() else { return };
    let virtualdomains: Virtualdomains = blueprint.control_file().unwrap_or_default();
    let routes: Smtproutes = blueprint.control_file().unwrap_or_default();
    let more: Morercpthosts = blueprint.control_file().unwrap_or_default();
    for (name, patterns) in [("rcpthosts", &rcpthosts.0), ("morercpthosts", &more.0)] {
        let Some(written) = site.control.get(name) else { continue };
        for pattern in patterns {
            if !ours(&virtualdomains, pattern) && !routes.0.iter().any(|(route, _)| route.as_ref() == Some(pattern)) {
                let message = format!("{name} has {pattern}, so strangers could send through this system to others");
                findings
                    .add(codes::OPEN_RELAY, &written.place, message)
                    .hint("name domains of this site only; to relay for another domain, give it a line of its own in smtproutes");
            }
        }
    }
    for (name, entry) in &site.domains {
        let lives = blueprint.domains.contains_key(name) || blueprint.alias_domains.contains_key(name);
        if lives && !rcpthosts.allows(name) && !more.allows(name) {
            let written = ["rcpthosts", "morercpthosts"].iter().find_map(|file| site.control.get(*file));
            let place = written.map_or(&entry.place, |written| &written.place);
            findings
                .add(
                    codes::UNREACHABLE,
                    place,
                    format!("mail from others for {name} is refused: rcpthosts leaves it out"),
                )
                .hint("add it to rcpthosts");
        }
    }
    percenthack(site, blueprint, |domain| rcpthosts.allows(domain) || more.allows(domain), findings);
}

/// Reports `anybody%elsewhere@ours`, which would be accepted for our domain and then sent elsewhere.
fn percenthack(site: &Site, blueprint: &Blueprint, is_accepted: impl Fn(&Domain) -> bool, findings: &mut Findings) {
    let (Some(file), Some(written)) = (blueprint.control_file::<Percenthack>(), site.control.get("percenthack")) else {
        return;
    };
    for domain in file.0.iter().filter(|domain| is_accepted(domain)) {
        let message =
            format!("percenthack has {domain}, so strangers could send to anybody as anybody%elsewhere@{domain}");
        findings
            .add(codes::OPEN_RELAY, &written.place, message)
            .hint("take the domain off the list: nobody needs it today");
    }
}

fn ours(virtualdomains: &Virtualdomains, pattern: &HostPattern) -> bool {
    match pattern {
        HostPattern::Exact(domain) => accepts_anybody(virtualdomains, domain),
        // Everything below a name is ours only when a line says so for that name or one above it.
        HostPattern::Below(domain) => virtualdomains.0.iter().any(|line| {
            let covers = match &line.key {
                VirtualKey::Host(HostPattern::Below(above)) => {
                    above == domain || domain.parents().any(|parent| parent == above.as_str())
                }
                VirtualKey::Everything => true,
                VirtualKey::Host(HostPattern::Exact(_)) | VirtualKey::Address(_) => false,
            };
            covers && !line.prepend.is_empty()
        }),
    }
}

/// Whether a whole domain is ours; tested with an address that nobody would give a line of its own.
fn accepts_anybody(virtualdomains: &Virtualdomains, domain: &Domain) -> bool {
    LocalPart::new("anybody.at.all")
        .is_ok_and(|local| virtualdomains.prepend(&Address::new(local, domain.clone())).is_some())
}
