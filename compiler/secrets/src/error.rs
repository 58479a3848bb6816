//! What can go wrong. No variant holds a value, and none quotes a file that may hold one.

use std::path::PathBuf;

/// Why secrets could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file could not be read or written.
    #[error("cannot {what} {path}")]
    Io {
        /// `read`, `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An identity file that others can read.
    #[error("{path} can be read by others: run `chmod 600 {path}`", path = .0.display())]
    ExposedIdentity(PathBuf),
    /// A file that holds no private key we can use.
    #[error("{path} holds no identity: {why}", path = .path.display())]
    NoIdentity {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// An identity file would be overwritten.
    #[error("{path} exists already", path = .0.display())]
    Exists(PathBuf),
    /// The lock is wrong; the findings tell how.
    #[error("secrets.lock cannot be read: {0}")]
    Lock(String),
    /// There is nothing to open.
    #[error("there is no secrets.age here: begin with `postkiln secret init`")]
    NoVault,
    /// The identity is not one of the recipients.
    #[error("secrets.age cannot be opened with this identity: it is not encrypted to it")]
    NotARecipient,
    /// The encrypted file is damaged or of another format.
    #[error("secrets.age cannot be opened: {0}")]
    Damaged(String),
    /// No recipient, so nobody could open the file.
    #[error("without a recipient nobody could open the secrets again")]
    NoRecipient,
    /// A text that is no public key.
    #[error("{0:?} is no public key that secrets can be encrypted to")]
    Recipient(String),
    /// There is no such secret.
    #[error("there is no secret {0:?}")]
    Absent(String),
    /// A name that cannot be one.
    #[error("{0:?} cannot name a secret: names have 1 to 64 letters, digits, hyphens, dots, underscores")]
    Name(String),
    /// The secret is of another kind than the operation is for.
    #[error("the secret {name:?} is {is}, not {wanted}")]
    Kind {
        /// Which.
        name: String,
        /// Its kind.
        is: &'static str,
        /// The kind it would have to be.
        wanted: &'static str,
    },
    /// A text that is no private key of its kind. The text is not repeated.
    #[error("this is no private key for {0}")]
    Key(&'static str),
    /// A key could not be made.
    #[error("cannot make a key")]
    Generate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A value that cannot be one.
    #[error("a secret's value {0}")]
    Value(&'static str),
    /// A step of a rotation that cannot be taken now.
    #[error("{0}")]
    Step(String),
    /// The two files do not belong together.
    #[error("secrets.age and secrets.lock do not belong together: {}", .0.join("; "))]
    Mismatch(Vec<String>),
}
