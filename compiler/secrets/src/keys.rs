//! Key pairs: made, or read from a person's file, always kept as PKCS #8 in PEM. Knows nothing about where keys are
//! used.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkiln_site::DkimAlgorithm;
use rand_core::CryptoRngCore;
use rcgen::PublicKeyData;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Secret, SecretsError};

/// A private key with its public half.
pub struct KeyPair {
    /// The private key as PKCS #8 in PEM.
    pub private: Secret,
    /// For DKIM the `p=` of the record; for TLS the SHA-256 of the SubjectPublicKeyInfo in hex.
    pub public: String,
}

impl KeyPair {
    /// Makes a DKIM key: RSA of 2048 bits (RFC 8301 §3.2), or Ed25519.
    ///
    /// # Errors
    /// When the library cannot make a key.
    pub fn make_dkim(algorithm: DkimAlgorithm, chance: &mut impl CryptoRngCore) -> Result<Self, SecretsError> {
        match algorithm {
            DkimAlgorithm::Rsa => {
                let key = RsaPrivateKey::new(chance, RSA_BITS).map_err(|error| SecretsError::Generate(error.into()))?;
                rsa(&key)
            }
            DkimAlgorithm::Ed25519 => {
                let mut seed = Zeroizing::new([0_u8; 32]);
                chance.fill_bytes(seed.as_mut_slice());
                ed25519(&seed)
            }
        }
    }

    /// Reads a DKIM key from PEM (RSA as PKCS #1 or PKCS #8, Ed25519 as PKCS #8) and gives its algorithm.
    ///
    /// # Errors
    /// When the text is no key in one of these forms.
    pub fn read_dkim(pem: &Secret) -> Result<(DkimAlgorithm, Self), SecretsError> {
        let text = pem.expose();
        let rsa_key = RsaPrivateKey::from_pkcs8_pem(text).ok().or_else(|| RsaPrivateKey::from_pkcs1_pem(text).ok());
        if let Some(key) = rsa_key {
            return Ok((DkimAlgorithm::Rsa, rsa(&key)?));
        }
        let der = unarmoured(text).ok_or(SecretsError::Key("DKIM"))?;
        // OpenSSL writes 48 octets (RFC 8410 §7); other programs add the public half behind them.
        let seed = der.strip_prefix(ED25519_HEAD).or_else(|| der.strip_prefix(ED25519_HEAD_V2));
        let seed = seed.and_then(|rest| rest.first_chunk::<32>()).ok_or(SecretsError::Key("DKIM"))?;
        Ok((DkimAlgorithm::Ed25519, ed25519(seed)?))
    }

    /// Makes a key for TLS: ECDSA on P-256, which every client knows. Takes randomness from the system.
    ///
    /// # Errors
    /// When the library cannot make a key.
    pub fn make_tls() -> Result<Self, SecretsError> {
        let key = rcgen::KeyPair::generate().map_err(|error| SecretsError::Generate(error.into()))?;
        Ok(tls(Secret::new(key.serialize_pem()), &key))
    }

    /// Reads a key for TLS from PEM (PKCS #8): RSA, ECDSA on P-256 or P-384, Ed25519.
    ///
    /// # Errors
    /// When the text is no key of one of these kinds.
    pub fn read_tls(pem: &Secret) -> Result<Self, SecretsError> {
        let key = rcgen::KeyPair::from_pem(pem.expose()).map_err(|_| SecretsError::Key("TLS, in PKCS #8"))?;
        Ok(tls(pem.clone(), &key))
    }
}

fn rsa(key: &RsaPrivateKey) -> Result<KeyPair, SecretsError> {
    let private = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| SecretsError::Generate(error.into()))?;
    let public = key.to_public_key().to_public_key_der().map_err(|error| SecretsError::Generate(error.into()))?;
    // RFC 6376 §3.6.1 names RSAPublicKey; the SubjectPublicKeyInfo is the form that everybody publishes and reads
    // (erratum 3017).
    Ok(KeyPair { private: Secret::new(private.as_str().to_owned()), public: STANDARD.encode(public.as_bytes()) })
}

fn ed25519(seed: &[u8; 32]) -> Result<KeyPair, SecretsError> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SecretsError::Key("DKIM"))?;
    let mut der = Zeroizing::new(ED25519_HEAD.to_vec());
    der.extend_from_slice(seed);
    let body = Zeroizing::new(STANDARD.encode(der.as_slice()));
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", body.as_str());
    Ok(KeyPair { private: Secret::new(pem), public: STANDARD.encode(pair.public_key().as_ref()) })
}

fn tls(private: Secret, key: &rcgen::KeyPair) -> KeyPair {
    KeyPair { private, public: hex(&Sha256::digest(key.subject_public_key_info())) }
}

/// The decoded octets of a PEM block `PRIVATE KEY` (RFC 7468 §10).
fn unarmoured(pem: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
    STANDARD.decode(body.as_str()).ok().map(Zeroizing::new)
}

/// The bytes as hex digits in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const RSA_BITS: usize = 2048;
/// The octets before the seed in a PKCS #8 key of Ed25519 (RFC 8410 §7), in version 1 and version 2.
const ED25519_HEAD: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const ED25519_HEAD_V2: &[u8] = &[0x30, 0x51, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

#[cfg(test)]
mod tests {
    use super::*;
    use postkiln_site::{Strength, strength};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn keys_that_are_made_are_read_back_and_are_strong() {
        for algorithm in [DkimAlgorithm::Rsa, DkimAlgorithm::Ed25519] {
            let made = KeyPair::make_dkim(algorithm, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
            assert_eq!(strength(algorithm, &made.public), Ok(Strength::Full));
            let (found, read) = KeyPair::read_dkim(&made.private).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((found, read.public, read.private.expose()), (algorithm, made.public, made.private.expose()));
        }
        let made = KeyPair::make_tls().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(KeyPair::read_tls(&made.private).map(|read| read.public).ok(), Some(made.public));
    }

    fn refuse(text: &str) {
        let secret = Secret::new(text.to_owned());
        assert!(KeyPair::read_dkim(&secret).is_err() && KeyPair::read_tls(&secret).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        refuse("hunter2");
        refuse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        refuse("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
    }
}
