//! A host, or everything below it, in the form of `rcpthosts`, `virtualdomains` and `smtproutes`.

use std::fmt;
use std::str::FromStr;

use postkiln_address::{AddressError, Domain};

/// A pattern for hosts: one name, or every name below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// `example.org`: this name alone.
    Exact(Domain),
    /// `.example.org`: every name below it, but not the name itself.
    Below(Domain),
}

impl HostPattern {
    /// Whether the pattern covers the name.
    #[must_use]
    pub fn covers(&self, domain: &Domain) -> bool {
        match self {
            Self::Exact(exact) => exact == domain,
            Self::Below(parent) => domain.parents().any(|name| name == parent.as_str()),
        }
    }

    /// The pattern's name, without the leading dot.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        match self {
            Self::Exact(domain) | Self::Below(domain) => domain,
        }
    }
}

impl FromStr for HostPattern {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        text.strip_prefix('.').map_or_else(|| text.parse().map(Self::Exact), |rest| rest.parse().map(Self::Below))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(domain) => write!(f, "{domain}"),
            Self::Below(domain) => write!(f, ".{domain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_dot_means_below() {
        let check = |pattern: &str, name: &str, expected: bool| {
            let pattern: HostPattern = pattern.parse().unwrap();
            assert_eq!(pattern.covers(&name.parse().unwrap()), expected, "{pattern} {name}");
        };
        check("example.org", "example.org", true);
        check("example.org", "a.example.org", false);
        check(".example.org", "example.org", false);
        check(".example.org", "b.a.example.org", true);
        check(".example.org", "badexample.org", false);
    }
}
