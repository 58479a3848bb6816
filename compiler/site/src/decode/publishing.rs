//! The fields about a domain that others can see: `dkim`, `spf`, `dmarc`, `mta_sts`, `tls_rpt`, `mx`, `client`.

use std::net::IpAddr;

use postkiln_address::{Address, Domain, LocalPart};

use crate::answer::{Node, Value};
use crate::decode::fields::Fields;
use crate::decode::meant::Name;
use crate::decode::secrets;
use crate::decode::walker::{At, Walker};
use crate::{
    AddressBlock, Dkim, DkimKeyType, Dmarc, DmarcPolicy, MtaSts, Place, Placed, Publishing, Spf, SpfPolicy, codes,
};

pub(super) fn decode(walker: &Walker<'_>, fields: &Fields<'_>, home: &Domain, place: &Place) -> Option<Publishing> {
    let dkim = fields.optional("dkim", |at| dkim(walker, at, home));
    let spf = fields.optional("spf", |at| spf(walker, at));
    let dmarc = fields.optional("dmarc", |at| dmarc(walker, at, home));
    let mta_sts = fields.optional("mta_sts", |at| walker.tag(at, &MTA_STS));
    let tls_rpt = fields.optional("tls_rpt", |at| walker.target(at, home));
    let mx = fields.optional("mx", |at| hosts(walker, at, "mail exchangers"));
    let client = fields.optional("client", |at| walker.boolean(at).map(|value| at.placed(value)));
    let reports = Address::new(LocalPart::new("postmaster").ok()?, home.clone());
    Some(Publishing {
        dkim: dkim?,
        spf: spf?.unwrap_or_else(|| placed(place, no_spf())),
        dmarc: dmarc?.unwrap_or_else(|| placed(place, only_reports(placed(place, reports)))),
        mta_sts: mta_sts?.unwrap_or_else(|| placed(place, MtaSts::None)),
        tls_rpt: tls_rpt?,
        mx: mx?.unwrap_or_default(),
        client: client?.unwrap_or_else(|| placed(place, true)),
    })
}

/// The settings of a domain that says nothing about them.
pub(super) fn stand_in(walker: &Walker<'_>, home: &Domain, place: &Place) -> Option<Publishing> {
    walker.stand_in(&Node { span: None, value: Value::Record(Vec::new()) }, place, |walker, at| {
        decode(walker, &walker.fields(at, "a domain", &[])?, home, place)
    })
}

fn placed<T>(place: &Place, value: T) -> Placed<T> {
    Placed { value, place: place.clone() }
}

const fn no_spf() -> Spf {
    Spf { policy: SpfPolicy::Fail, include: Vec::new(), addresses: Vec::new() }
}

const fn only_reports(reports: Placed<Address>) -> Dmarc {
    Dmarc { policy: DmarcPolicy::None, subdomains: None, reports, percent: 100 }
}

fn dkim(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<Placed<Dkim>> {
    let fields = walker.fields(at, "dkim", &["selector", "secret", "algorithm"])?;
    let selector = fields.defaulted("selector").and_then(|at| {
        walker.parsed(&at, "a selector", Some("letters, digits and hyphens, as `postkiln`"), |text| {
            text.parse::<Domain>().map(|name| name.as_str().to_owned())
        })
    });
    let secret = fields.optional("secret", |at| secrets::name(walker, at));
    let algorithm = fields.defaulted("algorithm").and_then(|at| walker.tag(&at, &ALGORITHMS));
    let secret = secret?.map_or_else(|| format!("dkim.{home}"), |secret| secret.value);
    Some(at.placed(Dkim { selector: selector?.value, secret, algorithm: algorithm?.value }))
}

fn spf(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Spf>> {
    let fields = walker.fields(at, "spf", &["policy", "include", "addresses"])?;
    let policy = fields.defaulted("policy").and_then(|at| walker.tag(&at, &SPF_POLICIES));
    let include = fields.optional("include", |at| included(walker, at));
    let addresses = fields.optional("addresses", |at| {
        let hint = Some("write an address, or a network as `192.0.2.0/24`");
        each(walker, at, "addresses", |item| walker.parsed(item, "an address or network", hint, block))
    });
    let (include, addresses) = (include?.unwrap_or_default(), addresses?.unwrap_or_default());
    Some(at.placed(Spf { policy: policy?.value, include, addresses }))
}

/// The domains of `spf.include`. They often begin with an underscore: `_spf.example.net`.
fn included(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<String>>> {
    each(walker, at, "domains", |item| walker.parsed(item, Name("a domain with an SPF record"), None, underscored))
}

fn underscored(text: &str) -> Result<String, String> {
    let plain = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let hosts: Vec<&str> = plain.split('.').map(|label| label.strip_prefix('_').unwrap_or(label)).collect();
    hosts.join(".").parse::<Domain>().map(|_| plain).map_err(|error| error.to_string())
}

fn dmarc(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<Placed<Dmarc>> {
    let fields = walker.fields(at, "dmarc", &["policy", "subdomains", "reports", "percent"])?;
    let policy = fields.defaulted("policy").and_then(|at| walker.tag(&at, &DMARC_POLICIES));
    let subdomains = fields.optional("subdomains", |at| walker.tag(at, &DMARC_POLICIES));
    let reports = fields.defaulted("reports").and_then(|at| walker.target(&at, home));
    let percent = fields.defaulted("percent").and_then(|at| percent(walker, &at));
    let subdomains = subdomains?.map(|policy| policy.value);
    Some(at.placed(Dmarc { policy: policy?.value, subdomains, reports: reports?, percent: percent? }))
}

fn percent(walker: &Walker<'_>, at: &At<'_>) -> Option<u8> {
    let Value::Integer(number) = at.node.value else {
        walker.mistyped(at, "a whole number from 0 to 100", None);
        return None;
    };
    let share = u8::try_from(number).ok().filter(|share| *share <= 100);
    if share.is_none() {
        walker.report(codes::VALUE, format!("{number} is not between 0 and 100"), &at.place, None);
    }
    share
}

/// Fully qualified names of machines.
pub(super) fn hosts(walker: &Walker<'_>, at: &At<'_>, what: &str) -> Option<Vec<Placed<Domain>>> {
    each(walker, at, what, |item| {
        walker.parsed(item, Name("the full name of a machine"), Some("write all of it, as `mx2.example.net`"), |text| {
            let name = text.strip_suffix('.').unwrap_or(text).parse::<Domain>().map_err(|error| error.to_string())?;
            if name.as_str().contains('.') { Ok(name) } else { Err(format!("{text:?} has no domain")) }
        })
    })
}

fn each<T>(walker: &Walker<'_>, at: &At<'_>, what: &str, decode: impl FnMut(&At<'_>) -> Option<T>) -> Option<Vec<T>> {
    let found: Vec<Option<T>> = walker.list(at, what)?.iter().map(decode).collect();
    found.into_iter().collect()
}

/// Parses `192.0.2.7`, `192.0.2.0/24` or `2001:db8::/64`. Bits beyond the prefix must be zero: anything else is most
/// often a mistake.
fn block(text: &str) -> Result<AddressBlock, String> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().map_err(|_| format!("{address:?} is no IP address"))?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Ok(whole), str::parse::<u8>).ok().filter(|prefix| (1..=whole).contains(prefix));
    let prefix = prefix.ok_or_else(|| format!("{text:?} has no prefix length of 1 to {whole}"))?;
    let network = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    };
    if network != address {
        return Err(format!("{text:?} is no network: did you mean {network}/{prefix}, or {address} alone?"));
    }
    Ok(AddressBlock { address, prefix })
}

const ALGORITHMS: [(&str, DkimKeyType); 2] = [("rsa2048", DkimKeyType::Rsa2048), ("ed25519", DkimKeyType::Ed25519)];
const SPF_POLICIES: [(&str, SpfPolicy); 4] = [
    ("fail", SpfPolicy::Fail),
    ("softfail", SpfPolicy::Softfail),
    ("neutral", SpfPolicy::Neutral),
    ("none", SpfPolicy::None),
];
const DMARC_POLICIES: [(&str, DmarcPolicy); 3] =
    [("none", DmarcPolicy::None), ("quarantine", DmarcPolicy::Quarantine), ("reject", DmarcPolicy::Reject)];
const MTA_STS: [(&str, MtaSts); 3] =
    [("none", MtaSts::None), ("testing", MtaSts::Testing), ("enforce", MtaSts::Enforce)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_networks() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(block(text).ok().map(|block| block.to_string()).as_deref(), expected, "{text}");
        };
        check("192.0.2.7", Some("192.0.2.7"));
        check("192.0.2.7/32", Some("192.0.2.7"));
        check("192.0.2.0/24", Some("192.0.2.0/24"));
        check("2001:db8::/64", Some("2001:db8::/64"));
        for bad in ["192.0.2.7/24", "192.0.2.0/0", "192.0.2.0/33", "2001:db8::1/64", "mail.example.org", ""] {
            check(bad, None);
        }
    }

    #[test]
    fn included_names_may_have_underscores() {
        assert_eq!(underscored("_SPF.Example.net."), Ok("_spf.example.net".to_owned()));
        for bad in ["", "a b", "_", "include:x.example", "a..b"] {
            assert!(underscored(bad).is_err(), "{bad}");
        }
    }
}
