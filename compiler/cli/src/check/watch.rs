//! `postkiln check --watch`: checks again whenever a file of the site changes.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use postkiln_site::Reader;
use tokio::signal::unix::{SignalKind, signal};

use super::changes::Changes;
use crate::findings::{self, Deny};
use crate::outcome::{Exit, Failure};
use crate::{bundle, output};

/// Checks until a signal comes; ends as the last round did.
pub(super) fn run(site: &Path, deny: Option<Deny>) -> Result<Exit, Failure> {
    bundle::exists(site)?;
    let failed = |source| Failure::environment("cannot wait for changes", source);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut rounds = Rounds::new(site, deny);
        loop {
            let verdict = rounds.next();
            tokio::select! {
                _ = interrupt.recv() => return verdict.map(|()| Exit::Success),
                _ = terminate.recv() => return verdict.map(|()| Exit::Success),
                () = rounds.changes.next() => {}
            }
        }
    })
}

/// What is kept between rounds.
struct Rounds<'a> {
    site: &'a Path,
    folder: PathBuf,
    deny: Option<Deny>,
    reader: Reader,
    changes: Changes,
    files: BTreeSet<PathBuf>,
}

impl<'a> Rounds<'a> {
    fn new(site: &'a Path, deny: Option<Deny>) -> Self {
        let folder = findings::folder(site);
        let folder = folder.canonicalize().unwrap_or(folder);
        let mut changes = Changes::new();
        // Before the first look, so that nothing written meanwhile goes unseen.
        changes.follow(BTreeSet::from([folder.join("site.ncl")]));
        Self { site, folder, deny, reader: Reader::new(site), changes, files: BTreeSet::new() }
    }

    /// One round: reads, shows what is found, and how long it took.
    fn next(&mut self) -> Result<(), Failure> {
        let start = Instant::now();
        let mut read = self.read();
        while self.changes.follow(self.files.clone()) {
            read = self.read();
        }
        let found = bundle::lowered(self.site, read).found;
        let took = start.elapsed();
        if io::stderr().is_terminal() && io::stdout().is_terminal() {
            output::clear();
        }
        findings::show(self.site, &found);
        let said = if found.is_empty() { "no findings".to_owned() } else { findings::count(&found) };
        let files = self.files.len();
        let plural = if files == 1 { "" } else { "s" };
        output::result(&format!("{said} ({} ms); watching {files} file{plural}", took.as_millis()));
        findings::judge(&found, self.deny)
    }

    fn read(&mut self) -> postkiln_site::Read {
        let (read, asked) = self.reader.read();
        let files: BTreeSet<PathBuf> = asked.iter().map(|path| self.folder.join(path)).collect();
        if read.is_ok() {
            self.files = files;
        } else {
            // What stopped the reading may have hidden files that were read before.
            self.files.extend(files);
        }
        read
    }
}
