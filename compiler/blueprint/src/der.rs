//! The parts of a certificate (RFC 5280 §4.1) that are compared with a site: host names and the public key. Neither
//! signatures nor dates are checked.

/// The facts of a certificate that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// Host names of the subject alternative name.
    pub(crate) names: Vec<String>,
    /// The SubjectPublicKeyInfo, as it is encoded.
    pub(crate) public_key: Vec<u8>,
}

/// Reads a certificate; `None` when the bytes are none.
pub(crate) fn subject(bytes: &[u8]) -> Option<Subject> {
    let (certificate, rest) = element(bytes)?;
    let (body, _) = element(certificate.content)?;
    if certificate.kind != SEQUENCE || !rest.is_empty() || body.kind != SEQUENCE {
        return None;
    }
    let mut fields = elements(body.content)?.into_iter().peekable();
    // The fields: version, serial number, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions.
    fields.next_if(|version| version.kind == CONTEXT_0);
    let public_key = fields.nth(5)?;
    let extensions = fields.find(|field| field.kind == CONTEXT_3);
    let names = extensions.map_or(Some(Vec::new()), |extensions| alternative_names(extensions.content))?;
    (public_key.kind == SEQUENCE).then(|| Subject { names, public_key: public_key.whole.to_vec() })
}

/// The `dNSName`s of `id-ce-subjectAltName` (RFC 5280 §4.2.1.6).
fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let (list, _) = element(extensions)?;
    for extension in elements(list.content)? {
        let parts = elements(extension.content)?;
        if parts.first()?.content == SUBJECT_ALT_NAME {
            let (names, _) = element(parts.last()?.content)?;
            let names = elements(names.content)?.into_iter().filter(|name| name.kind == DNS_NAME);
            return Some(names.map(|name| String::from_utf8_lossy(name.content).into_owned()).collect());
        }
    }
    Some(Vec::new())
}

/// One element of DER (X.690 §8.1).
struct Element<'a> {
    kind: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (kind, after) = bytes.split_first()?;
    let (first, after) = after.split_first()?;
    let (length, after) = match first {
        0..=0x7f => (usize::from(*first), after),
        0x81..=0x83 => {
            let (octets, after) = after.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), after)
        }
        _ => return None,
    };
    let (content, rest) = after.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len().checked_sub(rest.len())?)?;
    Some((Element { kind: *kind, content, whole }, rest))
}

fn elements(mut bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (one, rest) = element(bytes)?;
        found.push(one);
        bytes = rest;
    }
    Some(found)
}

const SEQUENCE: u8 = 0x30;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_3: u8 = 0xa3;
/// The tag `[2]` of GeneralName: a host name.
const DNS_NAME: u8 = 0x82;
/// The object identifier 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_certificate_says_whose_it_is() {
        let text: String = include_str!("der/mail.example.org.b64").split_whitespace().collect();
        let bytes = STANDARD.decode(text).unwrap();
        let found = subject(&bytes).unwrap();
        assert_eq!(found.names, ["mail.example.org", "imap.example.org"]);
        assert_eq!(found.public_key.len(), 91, "a key on P-256");
        for cut in 0..bytes.len() {
            assert_eq!(subject(&bytes[..cut]), None, "{cut}");
        }
    }
}
