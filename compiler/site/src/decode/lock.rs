//! `secrets.lock` from its text. How it is printed is said in `secrets/print.rs`.

use postkiln_findings::is_wrong;

use crate::answer::Node;
use crate::decode::secrets;
use crate::decode::walker::Walker;
use crate::lines::Lines;
use crate::secrets::{node, start};
use crate::{Diagnostic, SECRETS_LOCK, SecretsLock, codes};

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
        decoded(&tree, &lines)
    }
}

fn decoded(tree: &Node, lines: &Lines) -> Result<(SecretsLock, Vec<Diagnostic>), Vec<Diagnostic>> {
    let walker = Walker::new(lines);
    let lock = secrets::decode(&walker, tree);
    let findings = walker.finish().findings;
    match lock {
        Some(lock) if !is_wrong(&findings) => Ok((lock, findings)),
        _ => Err(findings),
    }
}

/// The advice for a lock with a merge conflict: neither file can be merged by lines.
const MERGED: &str = "take one side's two files whole (`git checkout --ours secrets.age secrets.lock`), then set or rotate again what \
    the other side changed";
