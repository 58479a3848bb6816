//! `smtp.networks`: who relays by address, over the whole of both address spaces; and rules that are never used or give
//! less than they seem to.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_findings::codes;
use postkiln_site::{Decide, Placed, Site, SmtpListener, SmtpNetwork};

use crate::findings::Findings;
use crate::tcp::owners;

/// Judges each rule alone, then all of them together.
pub(super) fn check(site: &Site, findings: &mut Findings) {
    for network in &site.smtp.networks {
        let relays = network.value.relay.as_ref().is_some_and(|relay| relay.value);
        if relays && network.value.decide.value == Decide::Allow && network.value.listener != SmtpListener::Submission {
            relay(network, findings);
        }
    }
    dead(site, findings);
    not_inherited(site, findings);
}

/// Reports a network that may relay for too many clients.
fn relay(network: &Placed<SmtpNetwork>, findings: &mut Findings) {
    let from = &network.value.from;
    let width = from.value.keys.iter().map(|key| width(key)).fold(Width::default(), Width::and);
    let written = &from.value.written;
    if width.is_open() {
        let message = format!("everybody in {written} could send through this system to others");
        let hint = "name the networks that are yours; people on the move log in on port 587 or 465";
        findings.add(codes::OPEN_RELAY, &from.place, message).hint(hint);
    } else if width.is_wide() {
        let message = format!("{written} is a very wide network, and all of it may send to anybody without a login");
        findings.add(codes::WIDE_RELAY, &from.place, message).hint("name the networks that you really have");
    }
}

/// The number of clients that a rule covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Width {
    /// The number of public IPv4 addresses.
    public: u64,
    /// The number of addresses of RFC 1918, RFC 6598, loopback and link-local.
    private: u64,
    /// The number of IPv6 networks of size /48.
    sites: u64,
    /// Whether the rule covers clients by a host name, which anybody can give to a machine.
    by_name: bool,
}

impl Width {
    fn and(self, other: Self) -> Self {
        Self {
            public: self.public + other.public,
            private: self.private + other.private,
            sites: self.sites + other.sites,
            by_name: self.by_name || other.by_name,
        }
    }

    /// Whether these are more than a /16, or a /32 of IPv6: nobody answers for so many machines.
    const fn is_open(self) -> bool {
        self.public > 1 << 16 || self.sites > 1 << 16 || self.by_name
    }

    /// Whether these are more than a /24, a /16 of private addresses, or a /44 of IPv6.
    const fn is_wide(self) -> bool {
        self.public > 1 << 8 || self.private > 1 << 16 || self.sites > 1 << 4
    }
}

/// The clients that a key of tcprules covers.
fn width(key: &str) -> Width {
    if let Some(name) = key.strip_prefix('=') {
        // The key `=` covers any name, `=.org` names that anybody can have.
        let by_name = name.strip_prefix('.').map_or(name.is_empty(), |below| !below.contains('.'));
        return Width { by_name, ..Width::default() };
    }
    if key.is_empty() {
        return Width { public: 1 << 32, sites: 1 << 48, ..Width::default() };
    }
    if key.contains(':') {
        let groups = if key.ends_with(':') && !key.ends_with("::") { key.matches(':').count() } else { 8 };
        // The network 2000::/3 is the part of IPv6 that is given to anybody.
        let sites = u32::try_from(groups).ok().and_then(|groups| 1_u64.checked_shl(16 * 3_u32.saturating_sub(groups)));
        return Width {
            sites: if groups >= 3 { u64::from(groups == 3) } else { sites.unwrap_or(1 << 48) },
            ..Width::default()
        };
    }
    let octets: Vec<u8> = key.split('.').filter_map(|part| part.parse().ok()).collect();
    let count = 1_u64 << (8 * (4_usize.saturating_sub(octets.len())));
    match octets.as_slice() {
        [10 | 127, ..] | [192, 168, ..] | [172, 16..=31, ..] | [169, 254, ..] | [100, 64..=127, ..] => {
            Width { private: count, ..Width::default() }
        }
        _ => Width { public: count, ..Width::default() },
    }
}

/// Reports rules that are never used, since all their clients have a more specific one.
fn dead(site: &Site, findings: &mut Findings) {
    let mut used = BTreeSet::new();
    for listener in LISTENERS {
        let owners = owners(site, listener, &mut BTreeSet::new());
        used.extend(owners.iter().filter(|(key, _)| !is_covered(key, &owners)).map(|(_, number)| *number));
    }
    for (_, network) in site.smtp.networks.iter().enumerate().filter(|(number, _)| !used.contains(number)) {
        let from = &network.value.from;
        let message = format!("the rule about {} is never used", from.value.written);
        findings
            .add(codes::DEAD_NETWORK, &from.place, message)
            .hint("every client it is about has a more special rule: remove it, or one of those");
    }
}

/// Whether every IPv4 address below a prefix has a rule of its own, or stands below one.
fn is_covered(prefix: &str, rules: &BTreeMap<&str, usize>) -> bool {
    let dots = prefix.matches('.').count();
    let is_prefix = prefix.is_empty() || prefix.ends_with('.');
    if !is_prefix || prefix.contains([':', '=']) || dots > 3 {
        return false;
    }
    (0..256).all(|number| {
        let below = if dots == 3 { format!("{prefix}{number}") } else { format!("{prefix}{number}.") };
        rules.contains_key(below.as_str()) || (dots < 3 && is_covered_by_some(&below, rules))
    })
}

/// The search goes deeper only where a rule stands below.
fn is_covered_by_some(prefix: &str, rules: &BTreeMap<&str, usize>) -> bool {
    let first = rules.range(prefix..).next();
    first.is_some_and(|(key, _)| key.starts_with(prefix)) && is_covered(prefix, rules)
}

/// Reports rules inside a relaying network that do not say whether they relay.
fn not_inherited(site: &Site, findings: &mut Findings) {
    for special in site.smtp.networks.iter().filter(|one| one.value.relay.is_none()) {
        if special.value.decide.value != Decide::Allow {
            continue;
        }
        let wider = site.smtp.networks.iter().find(|wider| {
            let relays = wider.value.relay.as_ref().is_some_and(|relay| relay.value);
            relays && meet(wider.value.listener, special.value.listener) && holds(&wider.value, &special.value)
        });
        if let Some(wider) = wider {
            let (special, wider) = (&special.value.from, &wider.value.from);
            let message = format!("{} may not relay, although {} may", special.value.written, wider.value.written);
            findings
                .add(codes::NOT_INHERITED, &special.place, message)
                .hint("the most special rule counts alone: write `relay = true`, or `relay = false` if that is meant")
                .related(&wider.place, "the wider network");
        }
    }
}

const fn meet(one: SmtpListener, other: SmtpListener) -> bool {
    matches!(
        (one, other),
        (SmtpListener::All, _)
            | (_, SmtpListener::All)
            | (SmtpListener::Smtp, SmtpListener::Smtp)
            | (SmtpListener::Submission, SmtpListener::Submission)
    )
}

/// Whether the rule of `wider` would hold for a client of `special`.
fn holds(wider: &SmtpNetwork, special: &SmtpNetwork) -> bool {
    let (wide, narrow) = (&wider.from.value.keys, &special.from.value.keys);
    let below = |key: &String| wide.iter().any(|wide| key.len() > wide.len() && is_below(key, wide));
    narrow.iter().any(|key| !key.starts_with('=') && (below(key) || (wide.len() > narrow.len() && wide.contains(key))))
}

fn is_below(key: &str, prefix: &str) -> bool {
    (prefix.is_empty() || prefix.ends_with(['.', ':'])) && key.starts_with(prefix)
}

const LISTENERS: [&str; 2] = ["smtp", "submission"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cover_addresses() {
        let check = |key: &str, public: u64, private: u64, sites: u64, by_name: bool| {
            assert_eq!(width(key), Width { public, private, sites, by_name }, "{key}");
        };
        check("", 1 << 32, 0, 1 << 48, false);
        check("192.", 1 << 24, 0, 0, false);
        check("192.168.", 0, 1 << 16, 0, false);
        check("10.", 0, 1 << 24, 0, false);
        check("192.0.2.7", 1, 0, 0, false);
        check("2001:", 0, 0, 1 << 32, false);
        check("2001:db8:", 0, 0, 1 << 16, false);
        check("2001:db8:0:", 0, 0, 1, false);
        check("2001:db8::1", 0, 0, 0, false);
        check("=", 0, 0, 0, true);
        check("=.org", 0, 0, 0, true);
        check("=.example.org", 0, 0, 0, false);
        check("=host.example.org", 0, 0, 0, false);
    }

    #[test]
    fn a_prefix_is_covered_by_everything_below_it() {
        let keys: Vec<String> = (0..256).map(|number| format!("192.0.2.{number}")).collect();
        let mut rules: BTreeMap<&str, usize> = keys.iter().map(|key| (key.as_str(), 1)).collect();
        rules.insert("192.0.2.", 0);
        assert!(is_covered("192.0.2.", &rules) && !is_covered("192.0.", &rules) && !is_covered("", &rules));
        rules.remove("192.0.2.9");
        assert!(!is_covered("192.0.2.", &rules));
    }
}
