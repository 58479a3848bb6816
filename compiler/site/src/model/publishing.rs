//! Settings of a mail domain that the world sees.

use std::fmt;
use std::net::IpAddr;

use postkiln_address::{Address, Domain};

use super::Placed;

/// The part of a domain that ends in the DNS and in what mail programs read.
#[derive(Clone, Debug)]
pub struct Publishing {
    /// The key that signs; `None`: nothing is signed.
    pub dkim: Option<Placed<Dkim>>,
    /// The machines that may send mail of the domain (SPF).
    pub spf: Placed<Spf>,
    /// The policy for mail that fails SPF and DKIM (DMARC).
    pub dmarc: Placed<Dmarc>,
    /// Whether senders are asked to use TLS (MTA-STS).
    pub mta_sts: Placed<MtaSts>,
    /// The address that gets reports about TLS.
    pub tls_rpt: Option<Placed<Address>>,
    /// Mail exchangers besides the appliance, in the order to be tried.
    pub mx: Vec<Placed<Domain>>,
    /// Whether settings for mail programs are published.
    pub client: Placed<bool>,
}

/// A signing key (RFC 6376).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dkim {
    /// The selector: the key's name in the DNS, one label or more, in lower case.
    pub selector: String,
    /// The name of the secret that holds the key.
    pub secret: String,
    /// The algorithm of the key.
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

/// The machines that may send mail of a domain (RFC 7208).
#[derive(Clone, Debug)]
pub struct Spf {
    /// The policy for mail from other machines.
    pub policy: SpfPolicy,
    /// Domains whose machines may send too, in lower case; labels may begin with `_`.
    pub include: Vec<Placed<String>>,
    /// Machines and networks that may send too.
    pub addresses: Vec<Placed<AddressBlock>>,
}

/// The SPF result for machines that are not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpfPolicy {
    /// The result `fail`: `-all`.
    Fail,
    /// The result `softfail`: `~all`.
    Softfail,
    /// The result `neutral`: `?all`.
    Neutral,
    /// No SPF record is published.
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

/// The treatment of mail that fails SPF and DKIM, asked of receivers (RFC 7489).
#[derive(Clone, Debug)]
pub struct Dmarc {
    /// The policy for mail of the domain itself.
    pub policy: DmarcPolicy,
    /// The policy for names below the domain; `None`: the same.
    pub subdomains: Option<DmarcPolicy>,
    /// The address that gets reports.
    pub reports: Placed<Address>,
    /// The share of failing mail that the policy is applied to, 0 to 100 percent.
    pub percent: u8,
}

/// The treatment of mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmarcPolicy {
    /// Nothing is done.
    None,
    /// The mail is put aside as suspicious.
    Quarantine,
    /// The mail is refused.
    Reject,
}

/// Whether senders are asked for TLS (RFC 8461).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtaSts {
    /// Senders are not asked.
    None,
    /// Senders report deliveries that TLS would have stopped.
    Testing,
    /// Senders do not deliver without TLS.
    Enforce,
}
