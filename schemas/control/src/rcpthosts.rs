//! `rcpthosts`: the domains that strangers may send to.

use postkiln_address::Domain;

use crate::HostPattern;
use crate::lines::list_file;

// A lost file must not open the relay, so we do not keep qmail's default here.
list_file!(
    /// The domains that RCPT accepts from clients that may not relay.
    Rcpthosts(HostPattern), "rcpthosts", "no domain (a stock qmail would relay for everybody)", &["smtpd"],
    "Domains that RCPT accepts from clients that may not relay; `.example.org` covers the names below."
);

impl Rcpthosts {
    /// Whether anybody may send to this domain.
    #[must_use]
    pub fn allows(&self, domain: &Domain) -> bool {
        self.0.iter().any(|pattern| pattern.covers(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;

    #[test]
    fn exact_names_and_names_below() {
        let hosts = Rcpthosts::parse(b"example.org\n.example.net\n").unwrap();
        assert_eq!(hosts.print(), "example.org\n.example.net\n");
        for (name, expected) in
            [("EXAMPLE.org", true), ("a.example.org", false), ("a.example.net", true), ("example.net", false)]
        {
            assert_eq!(hosts.allows(&name.parse().unwrap()), expected, "{name}");
        }
        assert!(!Rcpthosts::read(|_| Ok(None)).unwrap().allows(&"example.org".parse().unwrap()));
        assert!(Rcpthosts::parse(b"*\n").is_err());
    }
}
