//! The errors on the way to an image. Every text names the thing concerned and, where there is one, the way out.

use std::io;
use std::path::PathBuf;

/// The reason why there is no image, or no lock.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ImageError {
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is no lock of packages", path.display())]
    Lock { path: PathBuf, source: serde_json::Error },
    #[error("the data compiled into this program is broken: {0}")]
    Builtin(String),
    #[error(
        "package {name} {version} is not in the store and --offline was given; build once without it, \
         or copy the file into the store as packages/{sha256}.deb"
    )]
    Offline { name: String, version: String, sha256: String },
    #[error(
        "package {name} {version} is gone from {url} ({reason}); `postkiln images lock` moves the lock to what \
         the archive has now, or name an archive that still has it with --mirror"
    )]
    Gone { name: String, version: String, url: String, reason: String },
    #[error(
        "package {name} {version} is not what the lock says: SHA-256 {found}, locked {locked}. It was altered on its \
         way or in the archive; if the archive is right, `postkiln images lock` moves the lock"
    )]
    Altered { name: String, version: String, found: String, locked: String },
    #[error("the lock has no set of packages called {0:?}; `postkiln images lock` writes a complete one")]
    NoSet(String),
    #[error(
        "no Debian archive is known: {searched} name none; say which one with --mirror URL (the folder that holds \
         dists/ and pool/; its security archive is looked for at the same address with -security behind it)"
    )]
    NoMirror { searched: String },
    #[error("cannot fetch {url}: {reason}")]
    Fetch { url: String, reason: String },
    #[error("{url} is not signed by a key of the release: {reason}")]
    Signature { url: String, reason: String },
    #[error("{url} cannot be understood: {reason}")]
    Index { url: String, reason: String },
    #[error("the archive has no package {name} for {suites}")]
    NoPackage { name: String, suites: String },
    #[error("package {name} cannot be unpacked: {reason}")]
    Package { name: String, reason: String },
    #[error("{file} needs the library {library}, which no package of the set brings; add it to images/packages.json")]
    Library { file: String, library: String },
    #[error("the kernel package has no module {0:?}, neither built in nor loadable")]
    Module(String),
    #[error("{what} takes {size} octets, its partition has {room}")]
    TooLarge { what: String, size: u64, room: u64 },
    #[error("{} is no image of Postkiln: {reason}", path.display())]
    NoImage { path: PathBuf, reason: String },
    #[error("cannot make {what}: {reason}")]
    Make { what: String, reason: String },
    #[error("{} is missing: it is built with the command (cargo build --release) and looked for beside it; say where it is with {option}", path.display())]
    Program { path: PathBuf, option: String },
}

impl ImageError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn make(what: &str) -> impl Fn(String) -> Self + '_ {
        move |reason| Self::Make { what: what.to_owned(), reason }
    }
}
