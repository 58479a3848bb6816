//! `virtualdomains`: the addresses that are ours, and the text put before their local parts.

use std::fmt;
use std::str::FromStr;

use postkiln_address::{Address, AddressError, Domain};

use crate::HostPattern;
use crate::lines::list_file;

list_file!(
    /// Lines `KEY:PREPEND`. The most special key wins, whatever the order of the lines.
    Virtualdomains(VirtualDomain), "virtualdomains", "none", &["directoryd", "queued"],
    "Which addresses are ours: `user@domain:prepend`, `domain:prepend`, `.domain:prepend`, `:prepend`; with nothing after the colon, an exception."
);

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualDomain {
    /// The addresses that the line covers.
    pub key: VirtualKey,
    /// `user@domain` becomes `prepend-user@domain`; an empty text says that the address is not ours after all.
    pub prepend: String,
}

/// The addresses that a line covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VirtualKey {
    /// `user@domain`.
    Address(Address),
    /// `domain` or `.domain`.
    Host(HostPattern),
    /// The empty key: every address.
    Everything,
}

impl Virtualdomains {
    /// The text put before the local part, or `None` when the address is not ours. Keys are tried in qmail-send's
    /// order: the whole address, the domain, each `.suffix`, the empty key; an empty text ends the search.
    #[must_use]
    pub fn prepend(&self, address: &Address) -> Option<&str> {
        let domain = address.domain();
        let keys = [VirtualKey::Address(address.clone()), VirtualKey::Host(HostPattern::Exact(domain.clone()))]
            .into_iter()
            .chain(domain.parents().filter_map(below))
            .chain([VirtualKey::Everything]);
        let found = keys.filter_map(|key| self.0.iter().find(|line| line.key.is(&key))).next()?;
        (!found.prepend.is_empty()).then_some(found.prepend.as_str())
    }
}

impl VirtualKey {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(one), Self::Address(two)) => one.key() == two.key(),
            _ => self == other,
        }
    }
}

fn below(parent: &str) -> Option<VirtualKey> {
    let domain: Domain = parent.parse().ok()?;
    Some(VirtualKey::Host(HostPattern::Below(domain)))
}

/// The reason why a line cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVirtualDomain {
    /// The line has no colon between key and text.
    #[error("{0:?} has no colon")]
    Colon(String),
    /// The text would not leave a valid local part.
    #[error("{0:?} cannot stand before a local part")]
    Prepend(String),
    /// The key is neither an address nor a host.
    #[error(transparent)]
    Key(#[from] AddressError),
}

impl FromStr for VirtualDomain {
    type Err = NoVirtualDomain;

    fn from_str(line: &str) -> Result<Self, NoVirtualDomain> {
        let (key, prepend) = line.split_once(':').ok_or_else(|| NoVirtualDomain::Colon(line.to_owned()))?;
        if prepend.contains([':', ' ', '@']) {
            return Err(NoVirtualDomain::Prepend(prepend.to_owned()));
        }
        let key = match key {
            "" => VirtualKey::Everything,
            key if key.contains('@') => VirtualKey::Address(key.parse()?),
            key => VirtualKey::Host(key.parse()?),
        };
        Ok(Self { key, prepend: prepend.to_owned() })
    }
}

impl fmt::Display for VirtualDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            VirtualKey::Address(address) => write!(f, "{address}:{}", self.prepend),
            VirtualKey::Host(pattern) => write!(f, "{pattern}:{}", self.prepend),
            VirtualKey::Everything => write!(f, ":{}", self.prepend),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;

    #[test]
    fn the_most_special_key_wins_whatever_the_order() {
        let text = ":rest\n.example.org:below\nexample.org:main\nx@example.org:one\nno.example.org:\n";
        let table = Virtualdomains::parse(text.as_bytes()).unwrap();
        assert_eq!(table.print(), text);
        for (address, expected) in [
            ("X@Example.org", Some("one")),
            ("y@example.org", Some("main")),
            ("y@a.b.example.org", Some("below")),
            ("y@no.example.org", None),
            ("y@elsewhere.example", Some("rest")),
        ] {
            assert_eq!(table.prepend(&address.parse().unwrap()), expected, "{address}");
        }
        assert_eq!(Virtualdomains::default().prepend(&"a@b.c".parse().unwrap()), None);
        assert!(Virtualdomains::parse(b"example.org\n").is_err());
    }
}
