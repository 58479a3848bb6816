//! The paths of files in a bundle, for those who make them and those who read them. Knows nothing about what
//! is in them.

use std::fmt::Display;

/// The typed model, for later plans.
pub const MODEL: &str = "blueprint.json";
/// Where each thing of the site was written.
pub const MAP: &str = "source/map.json";
/// The certificate of the site, with those above it.
pub const CHAIN: &str = "tls/chain.pem";
/// The domains and their directories, as people read them.
pub const ASSIGN: &str = "users/assign";
/// The same as `directoryd` reads it.
pub const ASSIGN_CDB: &str = "users/cdb";
/// The secrets that passwords of people are, by name and version.
pub const PASSWORD_SECRETS: &str = "users/secrets";
/// Every DNS record with its parts and its reason.
pub const RECORDS: &str = "dns/records.json";
/// The settings of the scanner.
pub const CLAMD: &str = "clamav/clamd.conf";
/// The settings of the scanner's updater.
pub const FRESHCLAM: &str = "clamav/freshclam.conf";
/// The folder of the site's own signatures.
pub const SIGNATURES: &str = "clamav/signatures";
/// The seed of the database that the node has.
pub const SEED: &str = "seeds/sqlite.sql";

/// The folder of all domains' delivery instructions.
pub const DOMAINS: &str = "domains/";
/// The folder of all mailing lists.
pub const LISTS: &str = "lists/";
/// The folder of all autoresponders' messages.
pub const ROBOTS: &str = "robots/";
/// The folder of the certificate.
pub const TLS: &str = "tls/";

/// A control file, by its name.
#[must_use]
pub fn control(name: &str) -> String {
    format!("control/{name}")
}

/// The tcprules of a listener.
#[must_use]
pub fn rules(listener: &str) -> String {
    format!("tcp/{listener}")
}

/// The same as roles read them.
#[must_use]
pub fn rules_cdb(listener: &str) -> String {
    format!("tcp/{listener}.cdb")
}

/// A file of a domain's delivery instructions: `.qmail-sales`.
#[must_use]
pub fn instructions(domain: impl Display, file: &str) -> String {
    format!("domains/{domain}/{file}")
}

/// The message of an autoresponder.
#[must_use]
pub fn robot(domain: impl Display, local: &str) -> String {
    format!("robots/{domain}/{local}")
}

/// The folder of a mailing list.
#[must_use]
pub fn list(domain: impl Display, local: &str) -> String {
    format!("lists/{domain}/{local}")
}

/// The settings and members of the list in a folder.
#[must_use]
pub fn list_settings(folder: &str) -> String {
    format!("{folder}/list.json")
}

/// The zone of a domain.
#[must_use]
pub fn zone(domain: impl Display) -> String {
    format!("dns/{domain}.zone")
}

/// A file of the site as it was written, by its path there.
#[must_use]
pub fn source(path: &str) -> String {
    format!("source/{path}")
}

/// A seed of the user database, by its file's name.
#[must_use]
pub fn seed(file: &str) -> String {
    format!("seeds/{file}")
}

/// A file that mail programs or senders fetch: the kind, and the domain with an ending.
#[must_use]
pub fn web(kind: &str, file: &str) -> String {
    format!("web/{kind}/{file}")
}

/// Whether a file holds password hashes.
#[must_use]
pub fn is_seed(path: &str) -> bool {
    path.starts_with("seeds/")
}

/// Whether a file is a zone.
#[must_use]
pub fn is_zone(path: &str) -> bool {
    path.strip_prefix("dns/").is_some_and(|file| file.ends_with(".zone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files_are_known_by_their_paths() {
        assert!(is_seed(SEED) && is_seed(&seed("mysql.sql")) && !is_seed(ASSIGN));
        assert!(is_zone(&zone("a.example")) && !is_zone(RECORDS) && !is_zone(&source("dns/a.zone")));
    }
}
