//! `dnsbllist`: lists of bad clients in the DNS.

use std::fmt;
use std::str::FromStr;

use postkiln_address::{AddressError, Domain};

use crate::lines::list_file;

list_file!(
    /// Lists that are asked about a client, in this order.
    Dnsbllist(BlockList), "dnsbllist", "none", &[],
    "Lists of bad clients in the DNS, one zone per line; `zone defer` makes mail wait while the list does not answer."
);

/// One line of the file: `zone`, or `zone defer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockList {
    /// The zone in which a client's address is looked up.
    pub zone: Domain,
    /// `defer`: mail waits while the list does not answer (rblsmtpd's `-c`).
    pub defer: bool,
}

impl FromStr for BlockList {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (zone, defer) = text.strip_suffix(" defer").map_or((text, false), |zone| (zone, true));
        Ok(Self { zone: zone.parse()?, defer })
    }
}

impl fmt::Display for BlockList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.zone, if self.defer { " defer" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let text = "zen.example\nother.example defer\n";
        let lists = Dnsbllist::parse(text.as_bytes()).unwrap();
        assert_eq!(lists.print(), text);
        assert_eq!(lists.0.iter().map(|list| list.defer).collect::<Vec<_>>(), [false, true]);
        assert!(Dnsbllist::parse(b"a b c\n").is_err());
    }
}
