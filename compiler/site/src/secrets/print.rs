//! `secrets.lock` as text and back. Sorted, one block for each secret, so that changes and merges are readable.

use std::fmt::Write as _;

use super::beside::start;
use super::{DkimKey, DkimState, SECRETS_LOCK, SecretKind, SecretVersion, SecretsLock, node};
use crate::lines::Lines;
use crate::{Diagnostic, codes, decode};

impl SecretsLock {
    /// Reads the content of the file. Gives warnings beside it.
    ///
    /// # Errors
    /// With every finding, when one of them is an error.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let wrong = |what: &str| Diagnostic::new(codes::LOCK, format!("{SECRETS_LOCK} is not {what}"));
        let text = std::str::from_utf8(bytes).map_err(|_| vec![wrong("UTF-8 text").at(&start())])?;
        let lines = Lines::new(&[(SECRETS_LOCK.to_owned(), bytes.to_vec())]);
        let tree = node(text).map_err(|(message, span)| {
            let mut finding = wrong(&format!("TOML: {message}")).at(&lines.place(span));
            let merged = text.lines().any(|line| line.starts_with("<<<<<<< "));
            finding.hint(if merged {
                MERGED
            } else {
                "`postkiln secret` writes this file: `postkiln secret check SITE --mend`"
            });
            vec![finding]
        })?;
        decode::secrets_lock(&tree, &lines)
    }

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

/// The advice for a lock with a merge conflict: neither file can be merged by lines.
const MERGED: &str = "take one side's two files whole (`git checkout --ours secrets.age secrets.lock`), then set or rotate again what \
    the other side changed";
