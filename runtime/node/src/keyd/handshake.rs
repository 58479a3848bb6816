//! The text that a TLS server signs in a handshake, recognised by its form. An attacker in control of a role may have
//! handshakes signed, in which the role could take part anyway. But the attacker gets no signature that means something
//! elsewhere: under a certificate request, a token, a message. Knows no key.

/// Whether a server signs this in a handshake.
pub(super) fn is_signed_by_a_server(message: &[u8]) -> bool {
    is_certificate_verify(message) || is_key_exchange(message)
}

/// TLS 1.3: 64 spaces, the context, a zero, the hash of the transcript: SHA-256 or SHA-384 (RFC 8446 §4.4.3, §B.4).
fn is_certificate_verify(message: &[u8]) -> bool {
    let hash = message.strip_prefix(&[b' '; 64]).and_then(|rest| rest.strip_prefix(CONTEXT));
    hash.is_some_and(|hash| matches!(hash.len(), 32 | 48))
}

/// TLS 1.2: both randoms, then the server's share on a named curve (RFC 8422 §5.4; RFC 7748 for X25519).
fn is_key_exchange(message: &[u8]) -> bool {
    let Some([NAMED_CURVE, high, low, length, point @ ..]) = message.get(64..) else { return false };
    let expected = match u16::from_be_bytes([*high, *low]) {
        X25519 => 32,
        // Uncompressed points, the only form that is left (RFC 8422 §5.4.1).
        SECP256R1 if point.first() == Some(&4) => 65,
        SECP384R1 if point.first() == Some(&4) => 97,
        _ => return false,
    };
    usize::from(*length) == expected && point.len() == expected
}

const CONTEXT: &[u8] = b"TLS 1.3, server CertificateVerify\0";
const NAMED_CURVE: u8 = 3;
// IANA, TLS Supported Groups.
const SECP256R1: u16 = 23;
const SECP384R1: u16 = 24;
const X25519: u16 = 29;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[&[u8]], expected: bool) {
        assert_eq!(is_signed_by_a_server(&parts.concat()), expected, "{parts:?}");
    }

    #[test]
    fn handshakes_have_a_form_and_everything_else_is_not_signed() {
        let (spaces, randoms) = ([b' '; 64], [7; 64]);
        check(&[&spaces, CONTEXT, &[1; 32]], true);
        check(&[&spaces, CONTEXT, &[1; 48]], true);
        check(&[&spaces, CONTEXT, &[1; 33]], false);
        check(&[&spaces, b"TLS 1.3, client CertificateVerify\0", &[1; 32]], false);
        check(&[&spaces[1..], CONTEXT, &[1; 32]], false);
        check(&[&randoms, &[3, 0, 29, 32], &[9; 32]], true);
        check(&[&randoms, &[3, 0, 23, 65, 4], &[9; 64]], true);
        check(&[&randoms, &[3, 0, 24, 97, 4], &[9; 96]], true);
        check(&[&randoms, &[3, 0, 23, 65, 2], &[9; 64]], false);
        check(&[&randoms, &[3, 0, 29, 32], &[9; 33]], false);
        check(&[&randoms, &[3, 0, 29, 33], &[9; 33]], false);
        check(&[&randoms, &[1, 0, 29, 32], &[9; 32]], false);
        check(&[&randoms, &[3, 0, 29]], false);
        check(&[b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0"], false);
        check(&[b"\x30\x82\x01\x0a a certificate request's content, as DER has it, longer than the randoms of a handshake"], false);
        check(&[], false);
    }
}
