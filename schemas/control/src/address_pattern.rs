//! An address, or everybody of a domain, in the form of `badmailfrom` and `badrcptto`.

use std::fmt;
use std::str::FromStr;

use postkiln_address::{Address, AddressError, Domain};

/// A pattern for addresses: one address, or everybody of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressPattern {
    /// `user@domain`.
    Address(Address),
    /// `@domain`: everybody in this domain, not in domains below it.
    Domain(Domain),
}

impl AddressPattern {
    /// Whether the pattern covers the address.
    #[must_use]
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::Address(one) => one.key() == address.key(),
            Self::Domain(domain) => domain == address.domain(),
        }
    }
}

impl FromStr for AddressPattern {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        text.strip_prefix('@')
            .map_or_else(|| text.parse().map(Self::Address), |domain| domain.parse().map(Self::Domain))
    }
}

impl fmt::Display for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_whole_domains() {
        let check = |pattern: &str, address: &str, expected: bool| {
            let pattern: AddressPattern = pattern.parse().unwrap();
            assert_eq!(pattern.covers(&address.parse().unwrap()), expected, "{pattern} {address}");
        };
        check("spam@a.example", "SPAM@A.example", true);
        check("spam@a.example", "ham@a.example", false);
        check("@b.example", "x@B.example", true);
        check("@b.example", "x@a.b.example", false);
        assert!("nobody".parse::<AddressPattern>().is_err());
    }
}
