//! The certificate of `tls`: proves that the file is a chain for this host and for the key of the secret, and that an
//! authority would issue one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkiln_address::Domain;
use postkiln_findings::codes;
use postkiln_site::{Certificate, Placed, SecretKind, Site};
use sha2::{Digest, Sha256};

use crate::der::{self, Subject};
use crate::findings::Findings;

/// Judges the site's settings of the certificate.
pub(super) fn check(site: &Site, findings: &mut Findings) {
    match &site.tls.certificate.value {
        Certificate::SelfSigned => {}
        Certificate::Acme { agree, email, .. } => acme(site, agree, email, findings),
        Certificate::Own { secret, chain, pem } => own(site, secret, chain, pem, findings),
    }
}

fn acme(site: &Site, agree: &Placed<bool>, email: &Placed<String>, findings: &mut Findings) {
    if !agree.value {
        findings.add(codes::ACME, &agree.place, "nobody has agreed to the authority's terms of service").hint(format!(
            "read them at the authority's directory, then write `agree = true`; it will write to {}",
            email.value
        ));
    }
    let hostname = &site.appliance.hostname;
    if is_private(&hostname.value) {
        let message = format!("{} is a name that nobody can look up: no authority certifies it", hostname.value);
        findings
            .add(codes::ACME, &hostname.place, message)
            .hint("take a public name, or 'own with your own authority's certificate");
    }
}

/// Whether a name is not in the public DNS (RFC 6761, RFC 6762, RFC 8375). Names for examples are let pass.
fn is_private(name: &Domain) -> bool {
    let last = name.as_str().rsplit('.').next().unwrap_or_default();
    ["local", "localhost", "test", "invalid", "internal", "lan", "home", "corp", "intranet"].contains(&last)
        || name.as_str().ends_with(".home.arpa")
}

fn own(site: &Site, secret: &Placed<String>, chain: &Placed<String>, pem: &[u8], findings: &mut Findings) {
    let hint = "the file holds this host's certificate and then those above it, in PEM form";
    let subject = match first_certificate(pem) {
        Ok(subject) => subject,
        Err(problem) => {
            findings.add(codes::CERTIFICATE, &chain.place, format!("{:?} {problem}", chain.value)).hint(hint);
            return;
        }
    };
    let hostname = &site.appliance.hostname.value;
    if !subject.names.iter().any(|name| covers(name, hostname.as_str())) {
        let names = if subject.names.is_empty() { "no host name".to_owned() } else { subject.names.join(", ") };
        let message = format!("{:?} is a certificate for {names}, not for {hostname}", chain.value);
        findings.add(codes::CERTIFICATE, &chain.place, message).hint(hint);
    }
    let Some(version) = site.secrets.secrets.get(&secret.value) else { return };
    let SecretKind::TlsKey { spki_sha256 } = &version.value.kind else { return };
    if *spki_sha256 != hex(&Sha256::digest(&subject.public_key)) {
        let message = format!("{:?} is the certificate of another key than the secret {:?}", chain.value, secret.value);
        findings
            .add(codes::CERTIFICATE, &chain.place, message)
            .hint("take the certificate that was made for this key")
            .related(&version.place, "the key");
    }
}

/// The subject of the first certificate, when all blocks of the file are certificates.
fn first_certificate(pem: &[u8]) -> Result<Subject, &'static str> {
    let text = std::str::from_utf8(pem).map_err(|_| "is not PEM: it is no text")?;
    if text.contains("PRIVATE KEY-----") {
        return Err("holds a private key, which would be copied into every bundle: replace that key");
    }
    let mut first = None;
    for block in text.split(BEGIN).skip(1) {
        let (body, _) = block.split_once(END).ok_or("ends in the middle of a certificate")?;
        let bytes: String = body.split_whitespace().collect();
        let bytes = STANDARD.decode(bytes).map_err(|_| "has a certificate that is not base64")?;
        let subject = der::subject(&bytes).ok_or("has a certificate that cannot be read")?;
        first.get_or_insert(subject);
    }
    first.ok_or("holds no certificate")
}

/// Whether a certificate's name covers a host; a star is one whole label (RFC 6125 §6.4.3).
fn covers(name: &str, host: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == host || name.strip_prefix("*.").zip(host.split_once('.')).is_some_and(|(name, (_, rest))| name == rest)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cover_hosts() {
        for (name, host, expected) in [
            ("Mail.example.org", "mail.example.org", true),
            ("*.example.org", "mail.example.org", true),
            ("*.example.org", "a.mail.example.org", false),
            ("*.example.org", "example.org", false),
            ("example.org", "mail.example.org", false),
        ] {
            assert_eq!(covers(name, host), expected, "{name} {host}");
        }
    }
}
