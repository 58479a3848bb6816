//! Files that a qmail system has and ours has not. They are known by name, so that a person who looks for one learns
//! what replaces it.

/// A file's name (or, with a final slash, the beginning of names), and why there is none or what replaces it. In order
/// of names.
pub const REFUSED: &[(&str, &str)] = &[
    ("authsender", "the login at a relay is `smtp.smarthost`, with its password as a secret"),
    ("badmailto", "it is called badrcptto here"),
    ("bindroutes", "all outgoing connections come from one address: outgoingip"),
    ("clientca.pem", "logins are by password; client certificates are not asked for"),
    ("clientcert.pem", "outgoing connections show no certificate"),
    ("clientcrl.pem", "logins are by password; client certificates are not asked for"),
    ("defaultdelivery", "every mailbox is a Maildir; what happens to other addresses is `catch_all` of the domain"),
    ("dh1024.pem", "key exchange is by elliptic curves, which need no parameters"),
    ("dh2048.pem", "key exchange is by elliptic curves, which need no parameters"),
    ("dh512.pem", "key exchange is by elliptic curves, which need no parameters"),
    ("domainkeys/", "keys for signing are secrets: `domains.\"…\".dkim`"),
    ("filterargs", "no programs run on the node; the scanner is `antivirus`"),
    ("mailrules.default", "no programs run on the node; the scanner is `antivirus`"),
    ("moreipme", "the machine's addresses are `appliance.network` and `appliance.ipv6`"),
    ("notlshosts/", "outgoing connections use TLS wherever it is offered"),
    ("qfilters", "no programs run on the node; the scanner is `antivirus`"),
    ("qmqpservers", "mail is queued on the machine itself; to hand all of it to another one, use `smtp.smarthost`"),
    ("recipients", "which addresses exist is known from `domains`, and asked at RCPT"),
    ("rsa1024.pem", "key exchange is by elliptic curves, which need no parameters"),
    ("rsa512.pem", "key exchange is by elliptic curves, which need no parameters"),
    ("servercert.pem", "the certificate is `tls.certificate`"),
    ("signatures", "signature files of the scanner are `antivirus.signatures`"),
    ("simcontrol", "the scanner is `antivirus`; it looks at every message"),
    ("simsizelimit", "the scanner looks at messages of any accepted size"),
    ("simversions", "the scanner is `antivirus`"),
    ("smtpplugins", "no programs run on the node"),
    ("spfexp", "the text of a refusal is the other domain's own (RFC 7208 §6.2)"),
    ("spfguess", "a domain without an SPF record is not judged by a made one"),
    ("spfrules", "a domain's record is not amended"),
    ("srs_domain", "forwards keep their sender"),
    ("srs_secrets", "forwards keep their sender"),
    ("ssattach", "the scanner is `antivirus`"),
    ("taps", "copies are declared where mail goes: an alias with several targets, or a forward with `keep`"),
    ("tlsclientciphers", "which ciphers are good is known to the TLS library; `tls.minimum` chooses the version"),
    ("tlsclients", "logins are by password; client certificates are not asked for"),
    ("tlshosts/", "outgoing connections use TLS wherever it is offered"),
    ("tlsserverciphers", "which ciphers are good is known to the TLS library; `tls.minimum` chooses the version"),
    ("validrcptto", "which addresses exist is known from `domains`, and asked at RCPT"),
];

/// The reason why a known file has no place here. The cdb of a file counts as the file itself.
pub(crate) fn reason(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix(".cdb").unwrap_or(name);
    let is = |known: &str| if known.ends_with('/') { name.starts_with(known) } else { name == known };
    REFUSED.iter().find(|(known, _)| is(known)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::REGISTRY;

    #[test]
    fn names_are_in_order_and_no_file_of_ours() {
        assert!(REFUSED.is_sorted_by(|one, two| one.0 < two.0));
        assert!(REFUSED.iter().all(|(name, _)| REGISTRY.iter().all(|entry| entry.name != *name)));
    }

    #[test]
    fn families_are_known_by_their_beginning() {
        for (name, known) in [("tlshosts/mx.example.pem", true), ("validrcptto.cdb", true), ("rcpthosts", false)] {
            assert_eq!(reason(name).is_some(), known, "{name}");
        }
    }
}
