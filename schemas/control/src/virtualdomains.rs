//! `virtualdomains`: which addresses are ours, and what is put before their local parts.

use std::{fmt, io};

use postkiln_address::{Address, Domain};

use crate::{ControlFile, HostPattern, Kind, ParseError, ReadError, lines};

/// Lines `KEY:PREPEND`. The most special key wins, whatever the order of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Virtualdomains(pub Vec<VirtualDomain>);

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualDomain {
    /// What it covers.
    pub key: VirtualKey,
    /// `user@domain` becomes `prepend-user@domain`; empty: not ours after all.
    pub prepend: String,
}

/// What a line covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VirtualKey {
    /// `user@domain`.
    Address(Address),
    /// `domain` or `.domain`.
    Host(HostPattern),
    /// The empty key: everything.
    Everything,
}

impl Virtualdomains {
    /// What is put before the local part, or `None` when the address is not ours. Tried in qmail-send's order: the whole
    /// address, the domain, each `.suffix`, the empty key; an empty prepend ends the search.
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

impl ControlFile for Virtualdomains {
    const NAME: &'static str = "virtualdomains";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "none";
    const READERS: &'static [&'static str] = &["directoryd"];
    const DOC: &'static str = "Which addresses are ours: `user@domain:prepend`, `domain:prepend`, `.domain:prepend`, `:prepend`; with nothing after the colon, an exception.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        lines::all(bytes)?
            .into_iter()
            .map(|(number, line)| parse_line(number, line))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn print(&self) -> String {
        lines::print(&self.0)
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

fn parse_line(number: usize, line: &str) -> Result<VirtualDomain, ParseError> {
    let bad = |problem: String| ParseError::new(number, problem);
    let (key, prepend) = line.split_once(':').ok_or_else(|| bad(format!("{line:?} has no colon")))?;
    if prepend.contains([':', ' ', '@']) {
        return Err(bad(format!("{prepend:?} cannot stand before a local part")));
    }
    let key = match key {
        "" => VirtualKey::Everything,
        key if key.contains('@') => VirtualKey::Address(key.parse().map_err(|error| bad(format!("{error}")))?),
        key => VirtualKey::Host(key.parse().map_err(|error| bad(format!("{error}")))?),
    };
    Ok(VirtualDomain { key, prepend: prepend.to_owned() })
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
