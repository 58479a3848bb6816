//! The facts that the world is told about a domain: its zone, its key, and files that mail programs and senders read.

use std::fmt::Write as _;

use postkiln_address::Domain;
use postkiln_bundle::Tls;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The key that signs a domain's mail (RFC 6376). Its public half stands in the zone, and with its state in
/// [`Blueprint::secrets`](crate::Blueprint).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// The selector of the first key; those of later ones are made from it.
    pub selector: String,
    /// The name of the secret that holds the key.
    pub secret: String,
}

/// A zone, without its SOA record, whose serial number each bundle has of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Time to live of the records, in seconds.
    pub ttl: u32,
    /// Whether a zone file is made; else the records are entered elsewhere, one by one.
    pub publish: bool,
    /// The records in order: ours first.
    pub records: Vec<ZoneRecord>,
    /// The policy about TLS for senders, when there is one.
    pub mta_sts: Option<StsPolicy>,
    /// The servers for mail programs, the best first for each protocol; empty: programs are told nothing.
    pub client: Vec<ClientServer>,
}

/// A record of a zone, in its final form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneRecord {
    /// The owner's name relative to the zone, in lower case; `@` is the zone itself.
    pub name: String,
    /// The record's type: `A`, `AAAA`, `CNAME`, `MX`, `TXT`, `NS`, `SRV`, `CAA`, `TLSA`.
    pub kind: String,
    /// The data in presentation form with absolute names; the text of TXT whole and without quotes.
    pub value: String,
    /// The purpose of the record.
    pub purpose: Purpose,
}

impl ZoneRecord {
    /// Whether the world would see no difference.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (&self.name, &self.kind, &self.value) == (&other.name, &other.kind, &other.value)
    }
}

/// The purposes of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A record of the site's own that is not about mail.
    Site,
    /// A server of the zone.
    NameServer,
    /// The delegation of a zone below, or the addresses of its servers.
    Delegation,
    /// An address of the appliance.
    Host,
    /// A machine that takes mail.
    MailExchanger,
    /// The machines that may send mail (RFC 7208).
    Spf,
    /// The public half of a key that signs mail (RFC 6376).
    Dkim,
    /// The policy for mail that fails SPF and DKIM (RFC 7489).
    Dmarc,
    /// The permission for reports about another domain (RFC 7489 §7.1).
    DmarcAuthorisation,
    /// The announcement of a policy about TLS (RFC 8461).
    MtaSts,
    /// The host from which that policy is fetched.
    MtaStsHost,
    /// The address for reports about TLS (RFC 8460).
    TlsReports,
    /// A service for mail programs (RFC 6186, RFC 8314).
    ClientService,
    /// The host from which mail programs fetch settings.
    ClientSettings,
    /// The authorities that may issue certificates (RFC 8659).
    Caa,
    /// The key of the certificate (RFC 7672).
    Tlsa,
}

/// How much depends on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Without the record no mail arrives.
    Required,
    /// Without the record mail is trusted less.
    Recommended,
    /// The record is a convenience or a further protection.
    Optional,
}

impl Purpose {
    /// The reason for the record, in half a sentence for the person who enters it.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Site => "a further record of the site",
            Self::NameServer => "says who serves this zone; leave it to your provider where the provider does",
            Self::Delegation => "says who serves the zone below",
            Self::Host => "the address of the appliance",
            Self::MailExchanger => "says who takes mail for the domain",
            Self::Spf => "names the machines that send mail of the domain",
            Self::Dkim => "lets receivers verify signatures under the domain's mail",
            Self::Dmarc => "says what to do with mail that only claims to be the domain's, and who gets reports",
            Self::DmarcAuthorisation => "lets DMARC reports of another domain come here",
            Self::MtaSts => "says that there is a policy about TLS, and when it changed",
            Self::MtaStsHost => "where the policy about TLS is fetched",
            Self::TlsReports => "says who gets reports about TLS",
            Self::ClientService => "lets mail programs find this service, or says that there is none",
            Self::ClientSettings => "where mail programs fetch their settings",
            Self::Caa => "names an authority that may issue certificates",
            Self::Tlsa => "pins the key of the appliance's certificate; counts only in a signed zone",
        }
    }

    /// How much depends on the record.
    #[must_use]
    pub const fn need(self) -> Need {
        match self {
            Self::Site | Self::NameServer | Self::Delegation | Self::Host | Self::MailExchanger => Need::Required,
            Self::Spf | Self::Dkim | Self::Dmarc | Self::DmarcAuthorisation | Self::MtaSts | Self::MtaStsHost => {
                Need::Recommended
            }
            Self::TlsReports | Self::ClientService | Self::ClientSettings | Self::Caa | Self::Tlsa => Need::Optional,
        }
    }
}

/// A policy about TLS between servers (RFC 8461 §3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StsPolicy {
    /// The behaviour asked of senders.
    pub mode: StsMode,
    /// The exchangers whose certificates count: those of the zone.
    pub mx: Vec<Domain>,
    /// Seconds that a sender keeps the policy.
    pub max_age: u32,
}

/// The behaviour that a policy asks of senders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StsMode {
    /// Senders report deliveries that TLS would have stopped.
    Testing,
    /// Senders do not deliver without TLS.
    Enforce,
}

impl StsPolicy {
    /// The file `mta-sts.txt`, with CRLF (RFC 8461 §3.2).
    #[must_use]
    pub fn text(&self) -> String {
        let mode = match self.mode {
            StsMode::Testing => "testing",
            StsMode::Enforce => "enforce",
        };
        let mut text = format!("version: STSv1\r\nmode: {mode}\r\n");
        for mx in &self.mx {
            let _ = write!(text, "mx: {mx}\r\n");
        }
        let _ = write!(text, "max_age: {}\r\n", self.max_age);
        text
    }

    /// The id of the DNS record (RFC 8461 §3.1: at most 32 letters and digits): another one for each content.
    #[must_use]
    pub fn id(&self) -> String {
        Sha256::digest(self.text().as_bytes()).iter().take(10).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A server that mail programs connect to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientServer {
    /// The protocol of the service.
    pub protocol: ClientProtocol,
    /// The host name of the machine.
    pub host: Domain,
    /// The TCP port of the service.
    pub port: u16,
    /// The moment when TLS begins.
    pub tls: Tls,
}

impl ClientServer {
    /// Whether people can both read and send: mail programs do not set up half an account.
    #[must_use]
    pub fn suffice(servers: &[Self]) -> bool {
        let sends = |server: &Self| server.protocol == ClientProtocol::Submission;
        servers.iter().any(sends) && !servers.iter().all(sends)
    }
}

/// The protocols of mail programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientProtocol {
    /// IMAP: mailboxes stay on the server.
    Imap,
    /// POP3: mail is fetched from the server.
    Pop3,
    /// Submission: mail is sent.
    Submission,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_lines_of_crlf_and_an_id_of_its_own() {
        let policy = |mode| StsPolicy { mode, mx: vec!["mail.example.org".parse().unwrap()], max_age: 86400 };
        assert_eq!(
            policy(StsMode::Enforce).text(),
            "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 86400\r\n"
        );
        let (one, other) = (policy(StsMode::Enforce).id(), policy(StsMode::Testing).id());
        assert_ne!(one, other);
        assert!(one.len() <= 32 && one.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
