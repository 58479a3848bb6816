//! Files that mail programs and senders fetch over the web, one of each kind per domain:
//!
//! | file | answers |
//! |---|---|
//! | `web/autoconfig/DOMAIN.xml` | `autoconfig.DOMAIN/mail/config-v1.1.xml` (Thunderbird and others) |
//! | `web/autodiscover/DOMAIN.xml` | the POST to `autodiscover.DOMAIN/autodiscover/autodiscover.xml` (Outlook) |
//! | `web/mobileconfig/DOMAIN.mobileconfig` | a profile for Apple's devices, unsigned |
//! | `web/mta-sts/DOMAIN.txt` | `mta-sts.DOMAIN/.well-known/mta-sts.txt` (RFC 8461 §3.3) |
//!
//! `%EMAILADDRESS%` and `%EMAILNAME%` stand for the address and the person's name. Thunderbird fills them in itself; in
//! the other two the web server does, with `& < > " '` as references. Start at [`files`].

use postkiln_address::Domain;
use postkiln_blueprint::{ClientProtocol, ClientServer, Zone};
use postkiln_bundle::paths;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::template;

/// The files of one domain by their paths.
pub(crate) fn files(domain: &Domain, zone: &Zone) -> Vec<(String, String)> {
    let mut files = Vec::new();
    if let Some(policy) = &zone.mta_sts {
        files.push((paths::web("mta-sts", &format!("{domain}.txt")), policy.text()));
    }
    if ClientServer::suffice(&zone.client) {
        files.push((paths::web("autoconfig", &format!("{domain}.xml")), autoconfig(domain.as_str(), &zone.client)));
        files.push((paths::web("autodiscover", &format!("{domain}.xml")), autodiscover(&zone.client)));
    }
    if let Some(profile) = mobileconfig(domain.as_str(), &zone.client) {
        files.push((paths::web("mobileconfig", &format!("{domain}.mobileconfig")), profile));
    }
    files
}

/// The file for Thunderbird and others, with all servers in order: a program takes the first that it can use.
fn autoconfig(domain: &str, servers: &[ClientServer]) -> String {
    #[derive(Serialize)]
    struct Values<'a> {
        domain: &'a str,
        incoming: Vec<&'a ClientServer>,
        outgoing: Vec<&'a ClientServer>,
    }
    let (outgoing, incoming) = servers.iter().partition(|server| server.protocol == ClientProtocol::Submission);
    template::xml(include_str!("../templates/autoconfig.xml"), &Values { domain, incoming, outgoing })
}

/// The file for Outlook, with the best server for each protocol: Outlook looks at the first of each.
fn autodiscover(servers: &[ClientServer]) -> String {
    #[derive(Serialize)]
    struct Values<'a> {
        best: Vec<&'a ClientServer>,
    }
    let protocols = [ClientProtocol::Imap, ClientProtocol::Pop3, ClientProtocol::Submission];
    let best = protocols.into_iter().filter_map(|protocol| first(servers, protocol)).collect();
    template::xml(include_str!("../templates/autodiscover.xml"), &Values { best })
}

/// The profile for Apple's devices; `None` when the servers do not suffice for one.
fn mobileconfig(domain: &str, servers: &[ClientServer]) -> Option<String> {
    #[derive(Serialize)]
    struct Values<'a> {
        domain: &'a str,
        reversed: String,
        profile_uuid: String,
        account_uuid: String,
        incoming: &'a ClientServer,
        outgoing: &'a ClientServer,
    }
    let values = Values {
        domain,
        reversed: domain.rsplit('.').collect::<Vec<_>>().join("."),
        profile_uuid: uuid("profile", domain),
        account_uuid: uuid("account", domain),
        incoming: first(servers, ClientProtocol::Imap).or_else(|| first(servers, ClientProtocol::Pop3))?,
        outgoing: first(servers, ClientProtocol::Submission)?,
    };
    Some(template::xml(include_str!("../templates/mobileconfig.xml"), &values))
}

fn first(servers: &[ClientServer], protocol: ClientProtocol) -> Option<&ClientServer> {
    servers.iter().find(|server| server.protocol == protocol)
}

/// A UUID that is the same for the same domain (RFC 9562 §5.8, version 8).
fn uuid(what: &str, domain: &str) -> String {
    let digest = Sha256::digest(format!("postkiln mobileconfig {what} {domain}").as_bytes());
    let number = digest.iter().take(16).fold(0u128, |number, byte| number << 8 | u128::from(*byte));
    let number = number & !(0xf << 76) & !(0x3 << 62) | 8 << 76 | 2 << 62;
    let hex = format!("{number:032X}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use postkiln_bundle::Tls;

    use super::*;

    fn servers() -> Vec<ClientServer> {
        let server =
            |protocol, port, tls| ClientServer { protocol, host: "mail.example.org".parse().unwrap(), port, tls };
        vec![
            server(ClientProtocol::Imap, 993, Tls::Implicit),
            server(ClientProtocol::Imap, 143, Tls::Starttls),
            server(ClientProtocol::Submission, 465, Tls::Implicit),
        ]
    }

    #[test]
    fn hostile_names_stay_text() {
        let hostile = "a&b<c>\"d'e]]>.example";
        for text in [autoconfig(hostile, &servers()), mobileconfig(hostile, &servers()).unwrap()] {
            assert!(!text.contains("a&b") && !text.contains("<c>"), "{text}");
            assert!(text.contains("a&amp;b&lt;c&gt;&quot;d&#"), "{text}");
        }
    }

    #[test]
    fn each_program_gets_what_it_understands() {
        let thunderbird = autoconfig("example.org", &servers());
        assert_eq!(thunderbird.matches("<incomingServer type=\"imap\">").count(), 2, "{thunderbird}");
        assert!(thunderbird.contains("<socketType>STARTTLS</socketType>"), "{thunderbird}");
        let outlook = autodiscover(&servers());
        assert_eq!(outlook.matches("<Type>IMAP</Type>").count(), 1, "{outlook}");
        assert!(mobileconfig("example.org", &servers()[..2]).is_none());
    }

    #[test]
    fn uuids_are_the_same_for_the_same_domain_and_of_version_8() {
        let one = uuid("profile", "example.org");
        assert_eq!(one, uuid("profile", "example.org"));
        assert_ne!(one, uuid("account", "example.org"));
        assert_eq!((one.len(), one.get(14..15)), (36, Some("8")), "{one}");
        assert!("89AB".contains(one.get(19..20).unwrap()), "{one}");
    }
}
