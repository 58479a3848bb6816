//! The errors of this crate. No variant holds a secret value, and none quotes a file that may hold one.

use std::path::PathBuf;

/// Why secrets could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file could not be read or written.
    #[error("cannot {what} {path}")]
    Io {
        /// The failed operation, a verb: `read`, `write`.
        what: &'static str,
        /// The file's path as it was opened.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// An identity file whose mode lets others read it; it must be 0600 or stricter.
    #[error("{path} can be read by others: run `chmod 600 {path}`", path = .0.display())]
    ExposedIdentity(PathBuf),
    /// A file that holds no private key we can use.
    #[error("{path} holds no identity: {why}", path = .path.display())]
    NoIdentity {
        /// The path of the file as the person named it.
        path: PathBuf,
        /// The reason, a sentence about the file's content.
        why: String,
    },
    /// An identity file would be overwritten.
    #[error("{path} exists already", path = .0.display())]
    Exists(PathBuf),
    /// `secrets.lock` is wrong; the text holds the findings about it.
    #[error("secrets.lock cannot be read: {0}")]
    Lock(String),
    /// The site has no `secrets.age`, so there is nothing to open.
    #[error("there is no secrets.age here: begin with `postkiln secret init`")]
    NoVault,
    /// The given identity is not one of the recipients the file is encrypted to.
    #[error("secrets.age cannot be opened with this identity: it is not encrypted to it")]
    NotARecipient,
    /// The encrypted file is damaged or of another format.
    #[error("secrets.age cannot be opened: {0}")]
    Damaged(String),
    /// The vault has no recipient, so nobody could open the file.
    #[error("without a recipient nobody could open the secrets again")]
    NoRecipient,
    /// A text that is no public key.
    #[error("{0:?} is no public key that secrets can be encrypted to")]
    Recipient(String),
    /// The vault holds no secret of this name.
    #[error("there is no secret {0:?}: `postkiln secret list SITE` shows those there are")]
    Absent(String),
    /// The text breaks the rules for names of secrets.
    #[error("{0:?} cannot name a secret: names have 1 to 64 letters, digits, hyphens, dots, underscores")]
    Name(String),
    /// The secret is of another kind than the operation is for.
    #[error("the secret {name:?} is {is}, not {wanted}")]
    Kind {
        /// The secret's name in the vault.
        name: String,
        /// The kind that the secret has.
        is: &'static str,
        /// The kind that the operation needs.
        wanted: &'static str,
    },
    /// A text that is no private key of its kind. The text is not repeated.
    #[error("this is no private key for {0}")]
    Key(&'static str),
    /// The cryptographic library could not make a key.
    #[error("cannot make a key")]
    Generate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The given value is empty, too large or no text; the message says which.
    #[error("a secret's value {0}")]
    Value(&'static str),
    /// This step of a key rotation is not possible now; the text says why.
    #[error("{0}")]
    Step(String),
    /// `secrets.age` and `secrets.lock` do not belong together; each text names a difference.
    #[error("secrets.age and secrets.lock do not belong together: {}", .0.join("; "))]
    Mismatch(Vec<String>),
}
