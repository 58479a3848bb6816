//! The kind of a secret, and values of each kind: asked for, read, or made.

use std::path::Path;

use clap::ValueEnum;
use postkiln_blueprint::DkimAlgorithm;
use postkiln_secrets::{KeyPair, Value, Vault, password};
use postkiln_site::{DkimKeyType, DomainEntry, Site, Wanted};
use rand_core::OsRng;

use super::{ask, failure};
use crate::outcome::Failure;

/// The values of `--kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A password: a person's, or one for another server
    Password,
    /// Any other text
    Token,
    /// A private key for TLS, in PEM
    TlsKey,
    /// A private key that signs mail, in PEM
    Dkim,
}

/// The values of `--algorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Algorithm {
    /// RSA of 2048 bits, which every receiver checks
    Rsa,
    /// Ed25519, short and strong; not every receiver checks it yet
    Ed25519,
}

impl From<Algorithm> for DkimAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Rsa => Self::Rsa,
            Algorithm::Ed25519 => Self::Ed25519,
        }
    }
}

/// The source of a value.
pub(super) struct Source<'a> {
    pub(super) generate: bool,
    pub(super) file: Option<&'a Path>,
    pub(super) algorithm: DkimAlgorithm,
}

impl Kind {
    /// The kind of a value in the vault.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Password(_) => Self::Password,
            Value::Token(_) => Self::Token,
            Value::TlsKey { .. } => Self::TlsKey,
            Value::Dkim(_) => Self::Dkim,
        }
    }

    /// The kind that the site wants where it names the secret.
    pub(super) fn wanted(site: Option<&Site>, name: &str) -> Option<Self> {
        let uses = site?.secret_uses();
        uses.iter().find(|used| used.name == name).map(|used| match used.wanted {
            Wanted::Password => Self::Password,
            Wanted::Dkim => Self::Dkim,
            Wanted::TlsKey => Self::TlsKey,
        })
    }

    /// Gets a value of this kind.
    pub(super) fn value(self, name: &str, source: &Source<'_>) -> Result<Value, Failure> {
        let given = || ask::value(name, source.file);
        let value = match (self, source.generate) {
            (Self::Password, true) => Value::Password(password(&mut OsRng)),
            (Self::Password, false) => Value::Password(given()?),
            (Self::Token, true) => Value::Token(password(&mut OsRng)),
            (Self::Token, false) => Value::Token(given()?),
            (Self::TlsKey, generate) => {
                let pair =
                    if generate { KeyPair::make_tls() } else { KeyPair::read_tls(&given()?) }.map_err(failure)?;
                Value::TlsKey { private: pair.private, spki_sha256: pair.public }
            }
            (Self::Dkim, true) => {
                let pair = KeyPair::make_dkim(source.algorithm, &mut OsRng).map_err(failure)?;
                Vault::first_dkim(source.algorithm, pair)
            }
            (Self::Dkim, false) => {
                let (algorithm, pair) = KeyPair::read_dkim(&given()?).map_err(failure)?;
                Vault::first_dkim(algorithm, pair)
            }
        };
        Ok(value)
    }
}

/// The algorithm that the site asks for where it names the secret.
pub(super) fn algorithm(site: Option<&Site>, name: &str) -> Option<DkimAlgorithm> {
    let named = site?.domains.values().filter_map(|entry| match &entry.value {
        DomainEntry::Mail(mail) => mail.publishing.dkim.as_ref(),
        DomainEntry::AliasOf(_) => None,
    });
    let dkim = named.map(|dkim| &dkim.value).find(|dkim| dkim.secret == name)?;
    Some(match dkim.algorithm {
        DkimKeyType::Rsa2048 => DkimAlgorithm::Rsa,
        DkimKeyType::Ed25519 => DkimAlgorithm::Ed25519,
    })
}
