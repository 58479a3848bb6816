//! What ClamAV's programs need from `init`: their configuration with this node's paths, the site's signatures in the
//! database directory, and somebody who asks whether clamd answers. Knows nothing about scanning.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postkiln_bundle::{Bundle, Manifest, Program, Role, User};
use postkiln_sys::sync;

use super::{Place, layout};

/// Whether clamd can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Yes.
    Possible,
    /// The program is not there.
    NotInstalled,
    /// It would refuse to start.
    NoSignatures,
}

impl Readiness {
    /// What `status` and the console say.
    pub(super) const fn note(self) -> &'static str {
        match self {
            Self::Possible => "",
            Self::NotInstalled => "clamd is not installed: mail is deferred",
            Self::NoSignatures => "no virus signatures: mail is deferred",
        }
    }
}

/// Writes the configuration and the site's signatures; gives whether anything is different from before.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn prepare(place: &Place, bundle: &Bundle) -> Result<bool, String> {
    if !has_clamd(bundle.manifest()) {
        return Ok(false);
    }
    let mut changed = false;
    for name in ["clamd.conf", "freshclam.conf"] {
        let Some(text) = bundle.file(&format!("clamav/{name}")) else { continue };
        let text = with_paths(&String::from_utf8_lossy(text), &place.data);
        let path = place.data.join("run").join(name);
        changed |= replace(place, &path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let signatures = place.data.join("clamav");
    changed |= site_signatures(place, bundle, &signatures).map_err(|e| format!("{}: {e}", signatures.display()))?;
    Ok(changed)
}

/// Whether clamd can be started now.
pub(super) fn readiness(place: &Place, program: &Program) -> Readiness {
    let Program::External { path, .. } = program else { return Readiness::Possible };
    if !Path::new(path).exists() {
        return Readiness::NotInstalled;
    }
    let Ok(entries) = fs::read_dir(place.data.join("clamav")) else { return Readiness::NoSignatures };
    let is_signature = |entry: io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        SIGNATURES.contains(&path.extension()?.to_str()?).then_some(())
    };
    if entries.filter_map(is_signature).next().is_some() { Readiness::Possible } else { Readiness::NoSignatures }
}

/// Whether clamd answers PING on the socket that its configuration names.
pub(super) fn answers(place: &Place) -> bool {
    let Some(socket) = socket(place) else { return false };
    let ask = || -> io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(b"zPING\0")?;
        let mut reply = [0; 5];
        stream.read_exact(&mut reply)?;
        Ok(&reply == b"PONG\0")
    };
    ask().unwrap_or(false)
}

fn has_clamd(manifest: &Manifest) -> bool {
    manifest.services.iter().any(|service| service.role == Role::Clamd)
}

/// The bundle's text names `/data`, the directory of the machine; a run has another.
fn with_paths(text: &str, data: &Path) -> String {
    let data = data.to_string_lossy();
    let line = |line: &str| match line.split_once(' ') {
        Some((key, value)) if value.trim() == "/data" || value.trim().starts_with("/data/") => {
            format!("{key} {data}{}\n", value.trim().strip_prefix("/data").unwrap_or_default())
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn socket(place: &Place) -> Option<PathBuf> {
    let text = fs::read_to_string(place.data.join("run/clamd.conf")).ok()?;
    crate::scanner::socket_of(&text, &place.data)
}

/// Copies the site's signature files and removes those that an earlier bundle brought.
fn site_signatures(place: &Place, bundle: &Bundle, folder: &Path) -> io::Result<bool> {
    let list = folder.join("site.list");
    let earlier = fs::read_to_string(&list).unwrap_or_default();
    let mut changed = false;
    let mut names = String::new();
    for (entry, bytes) in bundle.files() {
        if let Some(name) = entry.path.strip_prefix("clamav/signatures/") {
            changed |= replace(place, &folder.join(name), bytes)?;
            names.push_str(name);
            names.push('\n');
        }
    }
    for gone in earlier.lines().filter(|name| !names.lines().any(|kept| kept == *name) && !name.contains('/')) {
        changed |= fs::remove_file(folder.join(gone)).is_ok();
    }
    if names != earlier {
        replace(place, &list, names.as_bytes())?;
    }
    Ok(changed)
}

fn replace(place: &Place, path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    sync::replace_volatile(path, bytes, 0o644)?;
    layout::give(place, path, User::Clamav)?;
    Ok(true)
}

/// What clamd takes for a signature database.
const SIGNATURES: &[&str] = &[
    "cvd", "cld", "cud", "ndb", "ndu", "hdb", "hdu", "hsb", "hsu", "mdb", "mdu", "msb", "msu", "ldb", "ldu", "db",
    "fp", "sfp", "cdb", "cbc", "ftm", "gdb", "pdb", "wdb", "idb", "crb", "imp", "yar", "yara", "zmd", "rmd",
];

/// How long clamd may take to say PONG; it answers in microseconds when it answers at all.
const PATIENCE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(with_paths(text, Path::new("/tmp/node")), expected);
    }

    #[test]
    fn paths_of_the_machine_become_paths_of_the_run() {
        check("LocalSocket /data/run/clamav/clamd.sock\n", "LocalSocket /tmp/node/run/clamav/clamd.sock\n");
        check("DatabaseDirectory /data", "DatabaseDirectory /tmp/node\n");
        check("LogFile /database/x\nScanMail yes\n# /data/x", "LogFile /database/x\nScanMail yes\n# /tmp/node/x\n");
    }
}
