//! `postkiln check --watch`: checks again whenever a file of the site changes.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use postkiln_bundle::Manifest;
use postkiln_site::Reader;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::changes::Changes;
use crate::findings::{self, Deny};
use crate::outcome::{Exit, Failure};
use crate::serials::Numbering;
use crate::{bundle, output};

/// Checks until a signal comes; the exit code is that of the last round.
pub(super) fn run(site: &Path, deny: Option<Deny>, numbering: Numbering) -> Result<Exit, Failure> {
    bundle::exists(site)?;
    let failed = |source| Failure::environment("cannot wait for changes", source);
    let (judged, verdicts) = unbounded_channel();
    let watched = site.to_owned();
    // The rounds run on a thread of their own, so that a signal ends a long round; nobody waits for the thread.
    std::thread::spawn(move || {
        if let Err(error) = check_on(&watched, deny, numbering, &judged) {
            let _ = judged.send(Err(failed(error)));
        }
    });
    runtime().map_err(failed)?.block_on(last(verdicts)).map(|()| Exit::Success)
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The last verdict before a signal, or before the rounds end.
async fn last(mut verdicts: UnboundedReceiver<Result<(), Failure>>) -> Result<(), Failure> {
    let failed = |source| Failure::environment("cannot wait for signals", source);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut last = Err(Failure::unavailable("stopped before the first answer"));
    loop {
        tokio::select! {
            // A verdict is sent before it is shown, so a person who has seen it gets it as the exit code.
            biased;
            verdict = verdicts.recv() => match verdict {
                Some(verdict) => last = verdict,
                None => return last,
            },
            _ = interrupt.recv() => {
                if io::stderr().is_terminal() {
                    // The terminal has written ^C; the following text begins on a line of its own.
                    output::note("");
                }
                return last;
            }
            _ = terminate.recv() => return last,
        }
    }
}

/// Round after round, without end.
fn check_on(
    site: &Path,
    deny: Option<Deny>,
    numbering: Numbering,
    judged: &UnboundedSender<Result<(), Failure>>,
) -> io::Result<()> {
    runtime()?.block_on(async {
        let mut rounds = Rounds::new(site, deny, numbering);
        loop {
            rounds.next(judged);
            rounds.changes.next().await;
        }
    })
}

/// The state that is kept between rounds.
struct Rounds<'a> {
    site: &'a Path,
    folder: PathBuf,
    deny: Option<Deny>,
    numbering: Numbering,
    reader: Reader,
    changes: Changes,
    files: BTreeSet<PathBuf>,
}

impl<'a> Rounds<'a> {
    fn new(site: &'a Path, deny: Option<Deny>, numbering: Numbering) -> Self {
        let folder = findings::folder(site);
        let folder = folder.canonicalize().unwrap_or(folder);
        let mut changes = Changes::new();
        // Watching starts before the first look, so that nothing written meanwhile goes unseen.
        changes.follow(BTreeSet::from([folder.join("site.ncl")]));
        Self { site, folder, deny, numbering, reader: Reader::new(site), changes, files: BTreeSet::new() }
    }

    /// One round: reads, judges, and shows the findings and the time it took.
    fn next(&mut self, judged: &UnboundedSender<Result<(), Failure>>) {
        let start = Instant::now();
        let mut read = self.read();
        while self.changes.follow(self.files.clone()) {
            read = self.read();
        }
        let found = bundle::lowered(self.site, read, Some(&self.numbering)).found;
        let took = start.elapsed();
        // Sending fails when the program is just ending.
        let _ = judged.send(findings::judge(&found, self.deny));
        if io::stderr().is_terminal() && io::stdout().is_terminal() {
            output::clear();
        }
        findings::show(self.site, &found);
        let said = if found.is_empty() { "no findings".to_owned() } else { findings::count(&found) };
        let files = self.files.len();
        let plural = if files == 1 { "" } else { "s" };
        output::result(&format!("{said} ({} ms); watching {files} file{plural}", took.as_millis()));
    }

    fn read(&mut self) -> postkiln_site::Read {
        let (read, asked) = self.reader.read();
        let files: BTreeSet<PathBuf> = asked.iter().map(|path| self.folder.join(path)).collect();
        if read.is_ok() {
            self.files = files;
        } else {
            // The mistake that stopped the reading may have hidden files that were read before; and when only the
            // site's name is known, any file below its folder may belong to it.
            if files.len() < 2 {
                collect(&self.folder, DEPTH, &mut self.files);
            }
            self.files.extend(files);
        }
        read
    }
}

/// Collects the files below a folder, except hidden ones and those of bundles.
fn collect(folder: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        match entry.file_type() {
            Ok(kind) if kind.is_file() && !is_hidden => drop(files.insert(path)),
            Ok(kind) if kind.is_dir() && !is_hidden && depth > 0 && !path.join(Manifest::NAME).exists() => {
                collect(&path, depth - 1, files);
            }
            _ => {}
        }
    }
}

/// The number of levels of folders that are looked at.
const DEPTH: usize = 4;
