//! Waiting until one of some files changes: inotify on their folders, or a look at them twice a second where there is
//! none. Knows nothing about sites.
//!
//! Folders are watched, not files, because editors write a new file and rename it over the old one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

/// The files that are waited for.
pub(super) struct Changes {
    files: BTreeSet<PathBuf>,
    means: Means,
}

enum Means {
    Inotify { queue: AsyncFd<OwnedFd>, folders: BTreeMap<i32, PathBuf> },
    Looking { seen: BTreeMap<PathBuf, Stamp> },
}

/// Enough of a file's state to see that it changed; `None` when there is no file.
type Stamp = Option<(SystemTime, u64)>;

impl Changes {
    /// Starts without any files.
    pub(super) fn new() -> Self {
        Self::by_inotify().unwrap_or_else(|_| Self::by_looking())
    }

    #[expect(
        deprecated,
        reason = "the sound one is unsafe; nothing closes this descriptor before its registration ends"
    )]
    fn by_inotify() -> io::Result<Self> {
        let queue = AsyncFd::new(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?)?;
        Ok(Self { files: BTreeSet::new(), means: Means::Inotify { queue, folders: BTreeMap::new() } })
    }

    fn by_looking() -> Self {
        Self { files: BTreeSet::new(), means: Means::Looking { seen: BTreeMap::new() } }
    }

    /// Waits for these files from now on. True when a change may have gone unseen before; then the files must be read
    /// once more.
    pub(super) fn follow(&mut self, files: BTreeSet<PathBuf>) -> bool {
        let new = match &mut self.means {
            Means::Inotify { queue, folders } => watch(queue, folders, &files),
            Means::Looking { seen } => {
                let now: BTreeMap<_, _> = files.iter().map(|file| (file.clone(), stamp(file))).collect();
                let new = now.keys().any(|file| !seen.contains_key(file));
                seen.extend(now);
                Ok(new)
            }
        };
        self.files = files;
        new.unwrap_or_else(|_| {
            // The system gives no more watches, so the files are looked at from here on.
            let files = std::mem::take(&mut self.files);
            *self = Self::by_looking();
            self.follow(files)
        })
    }

    /// Ends when a file has changed and nothing more happened for a moment.
    pub(super) async fn next(&mut self) {
        match &mut self.means {
            Means::Inotify { queue, folders } => loop {
                if events(queue, folders, &self.files).await {
                    break;
                }
            },
            Means::Looking { seen } => loop {
                sleep(GLANCE).await;
                let now = seen.keys().map(|file| (file.clone(), stamp(file)));
                let changed: Vec<(PathBuf, Stamp)> = now.filter(|(file, now)| seen.get(file) != Some(now)).collect();
                if !changed.is_empty() {
                    seen.extend(changed);
                    break;
                }
            },
        }
        self.settle().await;
    }

    /// Waits until all is quiet: saving in an editor makes several events that are one change.
    async fn settle(&mut self) {
        for _ in 0..MOST_EVENTS {
            sleep(MOMENT).await;
            let Means::Inotify { queue, folders } = &mut self.means else { return };
            if !drain(queue, folders, &self.files) {
                return;
            }
        }
    }
}

/// Watches the folders of the files, or the nearest existing folder above. True when one is new. Every folder is asked
/// for each time, since another folder may have its name by now, which the kernel shows by another number.
fn watch(
    queue: &AsyncFd<OwnedFd>,
    folders: &mut BTreeMap<i32, PathBuf>,
    files: &BTreeSet<PathBuf>,
) -> Result<bool, Errno> {
    let found = |file: &PathBuf| file.ancestors().skip(1).find(|above| above.is_dir()).map(Path::to_owned);
    let mut new = false;
    for folder in files.iter().filter_map(found).collect::<BTreeSet<_>>() {
        let watch = inotify::add_watch(queue, &folder, EVENTS)?;
        let stale: Vec<i32> =
            folders.iter().filter(|(at, known)| **known == folder && **at != watch).map(|(at, _)| *at).collect();
        for at in stale {
            folders.remove(&at);
            // Removing the watch fails when that folder is gone.
            let _ = inotify::remove_watch(queue, at);
        }
        new |= folders.insert(watch, folder.clone()).is_none_or(|known| known != folder);
    }
    Ok(new)
}

/// Waits for events; true when one is about the files.
async fn events(queue: &AsyncFd<OwnedFd>, folders: &mut BTreeMap<i32, PathBuf>, files: &BTreeSet<PathBuf>) -> bool {
    let Ok(mut ready) = queue.readable().await else { return true };
    let found = drain(queue, folders, files);
    ready.clear_ready();
    found
}

/// Takes all events there are; true when one is about the files.
fn drain(queue: &AsyncFd<OwnedFd>, folders: &mut BTreeMap<i32, PathBuf>, files: &BTreeSet<PathBuf>) -> bool {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(queue, &mut buffer);
    let mut found = false;
    while let Ok(event) = reader.next() {
        found |= event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW);
        // The event is about a folder that is no longer watched.
        let Some(folder) = folders.get(&event.wd()) else { continue };
        if let Some(name) = event.file_name().and_then(|name| name.to_str().ok()) {
            let path = folder.join(name);
            found |= files.iter().any(|file| file.starts_with(&path));
        }
        if event.events().intersects(GONE) {
            folders.remove(&event.wd());
            found = true;
        }
    }
    found
}

fn stamp(file: &Path) -> Stamp {
    let data = file.metadata().ok()?;
    Some((data.modified().ok()?, data.len()))
}

const EVENTS: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF);
const GONE: inotify::ReadFlags = inotify::ReadFlags::IGNORED.union(inotify::ReadFlags::MOVE_SELF);
const GLANCE: Duration = Duration::from_millis(500);
const MOMENT: Duration = Duration::from_millis(30);
const MOST_EVENTS: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of the file is seen, one of its neighbour is not.
    fn check(make: impl FnOnce() -> Changes) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("sub/a.csv"), folder.path().join("b"));
        let files = BTreeSet::from([file.clone()]);
        runtime.block_on(async {
            let mut changes = make();
            assert!(changes.follow(files.clone()), "nothing was watched before");
            // The folder is made, and the file in it.
            std::fs::create_dir(folder.path().join("sub")).unwrap();
            std::fs::write(&file, "1").unwrap();
            changes.next().await;
            changes.follow(files.clone());
            assert!(!changes.follow(files.clone()), "nothing new");
            std::fs::write(&other, "1").unwrap();
            let quiet = tokio::time::timeout(GLANCE * 2, changes.next()).await;
            assert!(quiet.is_err(), "a neighbour is not the site's");
            std::fs::write(folder.path().join("sub/new"), "22").unwrap();
            std::fs::rename(folder.path().join("sub/new"), &file).unwrap();
            changes.next().await;
            changes.follow(files.clone());
            // Another folder takes the name, as when a version control system changes to another branch.
            std::fs::rename(folder.path().join("sub"), folder.path().join("old")).unwrap();
            std::fs::create_dir(folder.path().join("sub")).unwrap();
            std::fs::write(&file, "333").unwrap();
            changes.next().await;
            changes.follow(files.clone());
            std::fs::write(folder.path().join("old/a.csv"), "1").unwrap();
            let quiet = tokio::time::timeout(GLANCE * 2, changes.next()).await;
            assert!(quiet.is_err(), "the old folder is not the site's");
            std::fs::write(&file, "4444").unwrap();
            changes.next().await;
        });
    }

    #[test]
    fn changes_are_seen() {
        check(Changes::by_looking);
        check(|| Changes::by_inotify().unwrap());
    }
}
