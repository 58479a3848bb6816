//! `subaddress`: the separator between address and detail in each domain. Ours: a stock qmail ignores the file.

use std::io;

use postkiln_address::Domain;

use crate::{ControlFile, Kind, ParseError, ReadError, lines};

/// Lines `DOMAIN:SEPARATOR`; a domain that is not named takes its addresses whole (RFC 5233 §1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subaddress(pub Vec<(Domain, char)>);

impl Subaddress {
    /// The separator of this domain, when it has one. The lines are in the order of domains, as the file is printed.
    #[must_use]
    pub fn separator(&self, domain: &str) -> Option<char> {
        let found = self.0.binary_search_by(|(name, _)| name.as_str().cmp(domain)).ok()?;
        self.0.get(found).map(|(_, separator)| *separator)
    }
}

impl ControlFile for Subaddress {
    const NAME: &'static str = "subaddress";
    const KIND: Kind = Kind::Lines;
    const DEFAULT: &'static str = "no domain";
    const READERS: &'static [&'static str] = &["directoryd"];
    const DOC: &'static str = "Lines `domain:+` or `domain:-`: there `ada+anything` (`ada-anything`) reaches `ada`. A stock qmail ignores it.";

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let parse = |(number, line): (usize, &str)| {
            let bad = |problem: String| ParseError::new(number, problem);
            let (domain, separator) =
                line.rsplit_once(':').ok_or_else(|| bad(format!("{line:?} does not read domain:separator")))?;
            let separator = match separator {
                "+" => '+',
                "-" => '-',
                other => return Err(bad(format!("{other:?} is neither + nor -"))),
            };
            domain.parse().map(|domain| (domain, separator)).map_err(|error| bad(format!("{error}")))
        };
        let mut domains: Vec<(Domain, char)> = lines::all(bytes)?.into_iter().map(parse).collect::<Result<_, _>>()?;
        domains.sort();
        if let Some(twice) = domains.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(ParseError::new(1, format!("{} stands twice", twice[0].0)));
        }
        Ok(Self(domains))
    }

    fn print(&self) -> String {
        lines::print(self.0.iter().map(|(domain, separator)| format!("{domain}:{separator}")))
    }

    fn missing(_: &mut dyn FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_domain_has_its_separator() {
        let file = Subaddress::parse(b"example.org:+\nexample.net:-\n").unwrap();
        assert_eq!(file.print(), "example.net:-\nexample.org:+\n");
        assert_eq!(Subaddress::parse(file.print().as_bytes()), Ok(file.clone()));
        assert_eq!(file.separator("example.org"), Some('+'));
        assert_eq!(file.separator("example.net"), Some('-'));
        assert_eq!(file.separator("example.com"), None);
        assert_eq!(Subaddress::read(|_| Ok(None)).unwrap(), Subaddress::default());
        for bad in ["example.org", "example.org:", "example.org:=", "a..b:+", "a.example:+\nA.example:-"] {
            assert!(Subaddress::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
