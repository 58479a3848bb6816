//! [`Site`]: a site to run: a copy of an example with a test's changes. Knows where examples lie; of the language it
//! knows only that records merge.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::repository;

/// A site in a temporary directory.
#[derive(Debug)]
pub struct Site {
    directory: TempDir,
}

impl Site {
    /// A copy of `examples/<name>`.
    ///
    /// # Panics
    /// When the example cannot be copied.
    #[must_use]
    pub fn example(name: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("pk-site-").tempdir().expect("a temporary directory");
        copy(&repository().join("examples").join(name), directory.path());
        Self { directory }
    }

    /// A copy of the example `small-office`, which has everything.
    #[must_use]
    pub fn small_office() -> Self {
        Self::example("small-office")
    }

    /// A site of 400 people in one domain, whose aliases and forwards are too many for files: `person7` with the
    /// aliases `alias7` and `other.7`; one in three has a forward, half of them to another person, and keeps a copy.
    #[must_use]
    pub fn many_aliases() -> Self {
        let row = |number: usize| {
            let forward = match number % 6 {
                0 => format!("person{},true", number + 2),
                3 => format!("person{number}@elsewhere.example,true"),
                _ => ",".to_owned(),
            };
            format!("person{number},$6$salt${},alias{number} other.{number},{forward}\n", "a".repeat(86))
        };
        let people: String = (0..400).map(row).collect();
        Self::example("minimal")
            .file_beside("people.csv", format!("name,password_hash,aliases,forward,forward_keep\n{people}"))
            .with("domains.\"example.org\" = { postmaster = \"ada\", users_from = \"people.csv\" }")
    }

    /// Replaces a piece of `site.ncl`, which must be there.
    ///
    /// # Panics
    /// When the piece is missing: the test would then check something else than it says.
    #[must_use]
    pub fn replace(self, old: &str, new: &str) -> Self {
        let path = self.file();
        let text = fs::read_to_string(&path).expect("site.ncl is text");
        assert!(text.contains(old), "{old:?} does not stand in site.ncl");
        fs::write(&path, text.replace(old, new)).expect("our own directory");
        self
    }

    /// Adds fields: the site becomes `(the site) & { … }`.
    ///
    /// # Panics
    /// When the directory cannot be written.
    #[must_use]
    pub fn with(self, fields: &str) -> Self {
        let path = self.file();
        let inner = (0..).map(|n| format!("inner{n}.ncl")).find(|name| !self.path().join(name).exists());
        let inner = inner.expect("some number is free");
        fs::rename(&path, self.path().join(&inner)).expect("our own directory");
        fs::write(&path, format!("(import \"{inner}\") & {{ {fields} }}\n")).expect("our own directory");
        self
    }

    /// Switches the scanner off.
    #[must_use]
    pub fn without_antivirus(self) -> Self {
        self.with("antivirus.engine | force = 'none, antivirus.signatures | force = []")
    }

    /// Keeps the scanner, but with signatures that match nothing real.
    #[must_use]
    pub fn without_signatures(self) -> Self {
        self.with("antivirus.signatures | force = []")
    }

    /// Puts a file beside `site.ncl`.
    ///
    /// # Panics
    /// When the directory cannot be written.
    #[must_use]
    pub fn file_beside(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.path().join(name), content).expect("our own directory");
        self
    }

    /// The path of the site's directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join("site.ncl")
    }
}

fn copy(from: &Path, to: &Path) {
    let entries = fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries {
        let entry = entry.expect("a readable directory");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a file type").is_dir() {
            fs::create_dir_all(&target).expect("our own directory");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("our own directory");
        }
    }
}
