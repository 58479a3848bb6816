//! Questions to git about the repository in which a site lies. Neither the work tree nor the index is ever touched.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// The output of git, or its complaint in one line. `index` takes the place of the repository's own index.
pub(crate) fn git(folder: &Path, arguments: &[&str], index: Option<&Path>) -> Result<String, String> {
    let mut command = Command::new("git");
    // No program that a repository's configuration names is run to look for changes.
    command.args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"]).arg(folder).args(arguments);
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    let ended = command.output().map_err(|error| format!("cannot run git: {error}"))?;
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if ended.status.success() {
        return Ok(line(&ended.stdout));
    }
    Err(line(&ended.stderr).lines().next().unwrap_or("git failed").trim_start_matches("fatal: ").to_owned())
}

/// The reason why no commit gives a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoTime {
    /// The site lies in no repository, or git cannot be asked: in its words.
    NoRepository(String),
    /// This file of the site is not what the newest commit has.
    Uncommitted(String),
    /// The history was cut off (`git clone --depth`) before the commit that touched the site.
    Shallow,
}

/// The time of the newest commit up to `revision` that touched the folder, in seconds since 1970 modulo 2^32, as a
/// serial number counts (RFC 1982).
///
/// # Errors
/// When there is no such commit, or the history does not reach back to it.
pub(crate) fn newest(folder: &Path, revision: &str) -> Result<u32, NoTime> {
    let asked = git(folder, &["rev-list", "-1", "--timestamp", revision, "--", "."], None);
    let said = asked.map_err(NoTime::NoRepository)?;
    let parsed = said.split_once(' ').and_then(|(time, commit)| Some((time.parse::<u64>().ok()?, commit)));
    let (time, commit) = parsed.ok_or_else(|| NoTime::Uncommitted(".".to_owned()))?;
    if boundary(folder).contains(commit) {
        return Err(NoTime::Shallow);
    }
    Ok(u32::try_from(time & u64::from(u32::MAX)).unwrap_or(1).max(1))
}

/// The commits at which a shallow history ends (gitrepository-layout(5)); those seem to have made everything.
fn boundary(folder: &Path) -> BTreeSet<String> {
    let path = git(folder, &["rev-parse", "--git-path", "shallow"], None).unwrap_or_default();
    let text = fs::read_to_string(folder.join(path)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// [`newest`] up to now, when these files below the folder are as they were committed.
///
/// # Errors
/// When one of them is not, or no commit gives a time.
pub(crate) fn committed<'a>(folder: &Path, files: impl Iterator<Item = &'a str>) -> Result<u32, NoTime> {
    let time = newest(folder, "HEAD")?;
    let ask = |arguments: &[&str]| git(folder, arguments, None).map_err(NoTime::NoRepository);
    let changed = ask(&["status", "--porcelain", "--untracked-files=no", "--", "."])?;
    if let Some(line) = changed.lines().next() {
        return Err(NoTime::Uncommitted(line.get(2..).unwrap_or(line).trim().to_owned()));
    }
    let listed = ask(&["ls-files", "-z", "--", "."])?;
    let tracked: BTreeSet<&str> = listed.split('\0').collect();
    let absent = files.map(plain).find(|file| !file.to_str().is_some_and(|file| tracked.contains(file)));
    absent.map_or(Ok(time), |file| Err(NoTime::Uncommitted(file.display().to_string())))
}

/// A path without `.` and `..`, as git names files.
fn plain(path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_as_git_names_them() {
        for (path, expected) in [("site.ncl", "site.ncl"), ("./a.csv", "a.csv"), ("x/../y/./a.csv", "y/a.csv")] {
            assert_eq!(plain(path), Path::new(expected), "{path}");
        }
    }
}
