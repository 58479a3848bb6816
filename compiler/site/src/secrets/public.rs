//! Public halves of DKIM keys: whether a text is a key at all, and how strong. Knows nothing about private keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::DkimAlgorithm;

/// The strength of a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// A key as recommended.
    Full,
    /// RSA of this many bits, fewer than the 2048 that signers should use (RFC 8301 §3.2).
    Weak(usize),
}

/// Looks at the `p=` of a DKIM record (RFC 6376 §3.6.1, RFC 8463 §4.2).
///
/// # Errors
/// With the reason, when the text is no such key or one that verifiers must refuse.
pub fn strength(algorithm: DkimAlgorithm, public: &str) -> Result<Strength, &'static str> {
    let bytes = STANDARD.decode(public).map_err(|_| "it is not base64")?;
    match algorithm {
        DkimAlgorithm::Ed25519 if bytes.len() == 32 => Ok(Strength::Full),
        DkimAlgorithm::Ed25519 => Err("an Ed25519 key has 32 octets"),
        DkimAlgorithm::Rsa => match rsa_bits(&bytes).ok_or("it is not the SubjectPublicKeyInfo of an RSA key")? {
            0..1024 => Err("RSA keys under 1024 bits are refused by everybody (RFC 8301 §3.2)"),
            bits @ 1024..2048 => Ok(Strength::Weak(bits)),
            _ => Ok(Strength::Full),
        },
    }
}

/// The bits of the modulus in a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7, RFC 8017 §A.1.1).
fn rsa_bits(spki: &[u8]) -> Option<usize> {
    let (spki, rest) = element(SEQUENCE, spki)?;
    let (algorithm, key) = element(SEQUENCE, spki)?;
    let (bits, after) = element(BIT_STRING, key)?;
    // The first octet of a bit string counts the bits that its last octet lacks.
    let (key, behind) = element(SEQUENCE, bits.strip_prefix(&[0])?)?;
    let (modulus, exponent) = element(INTEGER, key)?;
    let (_, end) = element(INTEGER, exponent)?;
    let whole = [rest, after, behind, end].iter().all(|rest| rest.is_empty());
    if !whole || algorithm != RSA_ENCRYPTION {
        return None;
    }
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let first = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    (modulus.len() * 8).checked_sub(first)
}

/// The content of the DER element of this kind at the start, and what follows it (X.690 §8.1).
fn element(kind: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, bytes) = bytes.split_first()?;
    let (first, bytes) = bytes.split_first()?;
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(*first), bytes),
        0x81 | 0x82 => {
            let (octets, bytes) = bytes.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), bytes)
        }
        // No key is longer than 64 KiB, so longer lengths are refused.
        _ => return None,
    };
    (*found == kind).then(|| bytes.split_at_checked(length)).flatten()
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
/// The object identifier `rsaEncryption` and NULL.
const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
