//! `timeservers` (ours): the servers that the machine asks for the time.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use postkiln_address::{AddressError, Domain};

use crate::lines::list_file;

list_file!(
    /// NTP servers; empty: those that DHCP names.
    Timeservers(Timeserver), "timeservers", "those that DHCP names", &[],
    "NTP servers, one name or address per line; none: those that DHCP names."
);

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timeserver {
    /// A name, looked up in the DNS.
    Name(Domain),
    /// An address, used without a look-up.
    Address(IpAddr),
}

impl FromStr for Timeserver {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        text.parse().map_or_else(|_| text.parse().map(Self::Name), |address| Ok(Self::Address(address)))
    }
}

impl fmt::Display for Timeserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let text = "192.0.2.123\n2001:db8::123\ntime.example\n";
        assert_eq!(Timeservers::parse(text.as_bytes()).unwrap().print(), text);
        assert!(Timeservers::parse(b"a b\n").is_err());
    }
}
