//! `secrets.lock` as text; `decode/lock.rs` reads it back. Sorted, one block for each secret, so that changes and
//! merges are readable.

use std::fmt::Write as _;

use super::{DkimKey, DkimState, SecretKind, SecretVersion, SecretsLock};

impl SecretsLock {
    /// The content of the file. [`parse`](Self::parse) gives the same lock back, with other places.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = HEAD.to_owned();
        if let Some(sealed) = &self.sealed {
            let _ = writeln!(text, "sealed = \"{}\"", sealed.value);
        }
        text.push_str("recipients = [\n");
        for recipient in &self.recipients {
            let _ = writeln!(text, "  \"{}\",", recipient.value);
        }
        text.push_str("]\n");
        for (name, secret) in &self.secrets {
            let _ = write!(text, "\n[secrets.\"{name}\"]\n{}", block(&secret.value));
        }
        text
    }
}

fn block(secret: &SecretVersion) -> String {
    let mut text = format!("kind = \"{}\"\nversion = \"{}\"\n", secret.kind.word(), secret.version);
    match &secret.kind {
        SecretKind::Password | SecretKind::Token => {}
        SecretKind::TlsKey { spki_sha256 } => {
            let _ = writeln!(text, "spki_sha256 = \"{spki_sha256}\"");
        }
        SecretKind::Dkim { keys } => {
            text.push_str("keys = [\n");
            for key in keys {
                let _ = writeln!(text, "  {{ {} }},", fields(key));
            }
            text.push_str("]\n");
        }
    }
    text
}

fn fields(key: &DkimKey) -> String {
    let DkimKey { number, algorithm, state, public } = key;
    let since =
        if let DkimState::Retiring { since } = state { format!(", since = \"{since}\"") } else { String::new() };
    format!(
        "number = {number}, algorithm = \"{algorithm}\", state = \"{}\"{since}, public = \"{public}\"",
        state.word()
    )
}

const HEAD: &str = "\
# Versions of this site's secrets, and the public halves of its keys; the values are in secrets.age.
# Nothing here is secret. Written by `postkiln secret`: commit it together with the site.
format = 1
";
