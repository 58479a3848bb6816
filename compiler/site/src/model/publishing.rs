//! What a mail domain tells the world about its mail.

use std::fmt;
use std::net::IpAddr;

use postkiln_address::{Address, Domain};

use super::Placed;

/// The part of a domain that ends in the DNS and in what mail programs read.
#[derive(Clone, Debug)]
pub struct Publishing {
    /// The key that signs; `None`: nothing is signed.
    pub dkim: Option<Placed<Dkim>>,
    /// Who sends.
    pub spf: Placed<Spf>,
    /// What becomes of the rest.
    pub dmarc: Placed<Dmarc>,
    /// Whether TLS is asked of senders.
    pub mta_sts: Placed<MtaSts>,
    /// Who gets reports about TLS.
    pub tls_rpt: Option<Placed<Address>>,
    /// Exchangers besides the appliance, the first to be tried first.
    pub mx: Vec<Placed<Domain>>,
    /// Whether mail programs find their settings.
    pub client: Placed<bool>,
}

/// A signing key (RFC 6376).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dkim {
    /// Its name in the DNS, one label or more, in lower case.
    pub selector: String,
    /// The secret that holds it.
    pub secret: String,
    /// Its kind.
    pub algorithm: DkimKeyType,
}

/// The kind of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimKeyType {
    /// RSA of 2048 bits with SHA-256 (RFC 6376, RFC 8301).
    Rsa2048,
    /// Ed25519 (RFC 8463).
    Ed25519,
}

/// Who sends mail of a domain (RFC 7208).
#[derive(Clone, Debug)]
pub struct Spf {
    /// What becomes of mail from others.
    pub policy: SpfPolicy,
    /// Domains whose machines send too, in lower case; labels may begin with `_`.
    pub include: Vec<Placed<String>>,
    /// Machines and networks that send too.
    pub addresses: Vec<Placed<AddressBlock>>,
}

/// What SPF says of machines that are not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpfPolicy {
    /// `-all`.
    Fail,
    /// `~all`.
    Softfail,
    /// `?all`.
    Neutral,
    /// There is no record.
    None,
}

/// An address, or a network of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressBlock {
    /// The address; bits beyond the prefix are zero.
    pub address: IpAddr,
    /// Bits of the network part; 32 or 128 for one machine.
    pub prefix: u8,
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        match self.prefix {
            prefix if prefix == whole => self.address.fmt(f),
            prefix => write!(f, "{}/{prefix}", self.address),
        }
    }
}

/// What receivers do with mail that fails SPF and DKIM (RFC 7489).
#[derive(Clone, Debug)]
pub struct Dmarc {
    /// For the domain.
    pub policy: DmarcPolicy,
    /// For names below it; `None`: the same.
    pub subdomains: Option<DmarcPolicy>,
    /// Who is told.
    pub reports: Placed<Address>,
    /// The share of failing mail this is applied to, 0 to 100.
    pub percent: u8,
}

/// What is done with mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmarcPolicy {
    /// Nothing.
    None,
    /// It is put aside.
    Quarantine,
    /// It is refused.
    Reject,
}

/// Whether senders are asked for TLS (RFC 8461).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtaSts {
    /// No.
    None,
    /// They report what would fail.
    Testing,
    /// They do not send without.
    Enforce,
}
