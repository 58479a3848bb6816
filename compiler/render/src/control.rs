//! Control files: lines about a domain of the site were made for it, all others for the file.

use postkiln_address::Domain;
use postkiln_blueprint::{Blueprint, Cause, Kind};
use postkiln_control::{
    ControlFile, HostPattern, Locals, Morercpthosts, Rcpthosts, Subaddress, VirtualKey, Virtualdomains,
};

use crate::text::Text;

/// The text of the file called `name`.
pub(crate) fn file(blueprint: &Blueprint, name: &str, text: &str) -> Text {
    let hosts = |patterns: Vec<HostPattern>, one: fn(HostPattern) -> String| {
        patterns.into_iter().map(|pattern| (exact(&pattern).cloned(), one(pattern))).collect()
    };
    let lines: Vec<(Option<Domain>, String)> = match name {
        Locals::NAME => {
            let Locals(names) = read(blueprint);
            names.into_iter().map(|name| (Some(name.clone()), Locals(vec![name]).print())).collect()
        }
        Rcpthosts::NAME => hosts(read::<Rcpthosts>(blueprint).0, |host| Rcpthosts(vec![host]).print()),
        Morercpthosts::NAME => hosts(read::<Morercpthosts>(blueprint).0, |host| Morercpthosts(vec![host]).print()),
        Virtualdomains::NAME => {
            let lines = read::<Virtualdomains>(blueprint).0.into_iter();
            lines.map(|line| (virtual_host(&line.key).cloned(), Virtualdomains(vec![line]).print())).collect()
        }
        Subaddress::NAME => {
            let lines = read::<Subaddress>(blueprint).0.into_iter();
            lines.map(|line| (Some(line.0.clone()), Subaddress(vec![line]).print())).collect()
        }
        _ => Vec::new(),
    };
    let field = if name == Subaddress::NAME { &["subaddress"][..] } else { &[] };
    let file = Cause::of(Kind::Control, name);
    let mut made = Text::default();
    for (domain, line) in lines {
        let ours = domain.filter(|domain| is_ours(blueprint, domain));
        made.add(&line, Some(ours.map_or_else(|| file.clone(), |domain| Cause::of(Kind::Domain, domain).at(field))));
    }
    // A file of another kind, or one that the site wrote in its own way.
    if made.as_str() == text { made } else { Text::of(text, Some(file)) }
}

fn read<F: ControlFile + Default>(blueprint: &Blueprint) -> F {
    blueprint.control_file().unwrap_or_default()
}

fn is_ours(blueprint: &Blueprint, domain: &Domain) -> bool {
    blueprint.domains.contains_key(domain) || blueprint.alias_domains.contains_key(domain)
}

const fn exact(pattern: &HostPattern) -> Option<&Domain> {
    match pattern {
        HostPattern::Exact(domain) => Some(domain),
        HostPattern::Below(_) => None,
    }
}

const fn virtual_host(key: &VirtualKey) -> Option<&Domain> {
    match key {
        VirtualKey::Host(pattern) => exact(pattern),
        VirtualKey::Address(_) | VirtualKey::Everything => None,
    }
}
