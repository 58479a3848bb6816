//! [`Watch`]: whether services can write where they have to. It looks on a thread of its own, since a disk that hangs
//! holds whoever asks it. Knows directories, not what services do with them. Start at [`Watch::begin`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use postkiln_bundle::{Role, Service};
use postkiln_operation::status::{Defect, Trouble};
use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
use rustix::io::Errno;

use super::status::now;

/// The state of all directories that services write to.
#[derive(Clone, Debug)]
pub(super) struct Watch(Arc<Mutex<Seen>>);

#[derive(Debug)]
struct Seen {
    data: PathBuf,
    /// The directories below the data directory, with the roles that write there.
    directories: BTreeMap<String, Vec<Role>>,
    /// The findings of the last look, with Unix seconds since when.
    defects: BTreeMap<String, (Defect, i64)>,
    /// The directory that is looked at, and since when.
    looking: Option<(String, Instant)>,
}

impl Watch {
    /// Looks once, and from then on every [`PAUSE`] on another thread.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn begin<'a>(data: &Path, services: impl Iterator<Item = &'a Service>) -> io::Result<Self> {
        let seen =
            Seen { data: data.to_owned(), directories: BTreeMap::new(), defects: BTreeMap::new(), looking: None };
        let watch = Self(Arc::new(Mutex::new(seen)));
        watch.follow(services);
        watch.look();
        let other = watch.clone();
        thread::Builder::new().name("watch".to_owned()).stack_size(STACK).spawn(move || {
            loop {
                thread::sleep(PAUSE);
                other.look();
            }
        })?;
        Ok(watch)
    }

    /// Takes the directories of another service table.
    pub(super) fn follow<'a>(&self, services: impl Iterator<Item = &'a Service>) {
        let mut directories: BTreeMap<String, Vec<Role>> = BTreeMap::new();
        for service in services {
            for directory in service.directories.iter().filter(|directory| directory.writable) {
                directories.entry(directory.path.clone()).or_default().push(service.role);
            }
        }
        let mut seen = self.seen();
        seen.defects.retain(|path, _| directories.contains_key(path));
        seen.directories = directories;
    }

    /// The directories that cannot be used now.
    pub(super) fn troubles(&self) -> Vec<Trouble> {
        self.seen().troubles()
    }

    fn look(&self) {
        let (data, directories) = {
            let seen = self.seen();
            (seen.data.clone(), seen.directories.keys().cloned().collect::<Vec<_>>())
        };
        for directory in directories {
            self.seen().looking = Some((directory.clone(), Instant::now()));
            let defect = examine(&data.join(&directory));
            let mut seen = self.seen();
            seen.looking = None;
            let since = seen.defects.remove(&directory).filter(|(before, _)| Some(before) == defect.as_ref());
            if let Some(defect) = defect {
                seen.defects.insert(directory, (defect, since.map_or_else(now, |(_, since)| since)));
            }
        }
    }

    /// Nobody panics while holding it, and what was seen stays true if somebody did.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn troubles(&self) -> Vec<Trouble> {
        let silent = self.looking.as_ref().filter(|(_, since)| since.elapsed() >= PATIENCE);
        let found = self.directories.iter().filter_map(|(directory, roles)| {
            let (defect, since) = match silent.filter(|(path, _)| path == directory) {
                Some((_, since)) => {
                    let waited = i64::try_from(since.elapsed().as_secs()).unwrap_or(i64::MAX);
                    (Defect::Silent, now().saturating_sub(waited))
                }
                None => self.defects.get(directory).cloned()?,
            };
            Some(Trouble { directory: directory.clone(), roles: roles.clone(), defect, since })
        });
        found.collect()
    }
}

/// The reason why nothing can be written to a directory.
fn examine(path: &Path) -> Option<Defect> {
    let system = match statvfs(path) {
        Ok(system) => system,
        Err(Errno::NOENT | Errno::NOTDIR) => return Some(Defect::Missing),
        Err(error) => return Some(Defect::Failing(error.to_string())),
    };
    if system.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Some(Defect::ReadOnly);
    }
    // Some file systems have no fixed number of files and say 0 of 0 (btrfs).
    let has_files = system.f_files == 0 || system.f_favail >= LEAST_FILES;
    if system.f_bavail.saturating_mul(system.f_frsize) < LEAST_OCTETS || !has_files {
        return Some(Defect::Full);
    }
    match access(path, Access::WRITE_OK.union(Access::EXEC_OK)) {
        Ok(()) => None,
        Err(Errno::ROFS) => Some(Defect::ReadOnly),
        Err(Errno::ACCESS | Errno::PERM) => Some(Defect::Forbidden),
        Err(error) => Some(Defect::Failing(error.to_string())),
    }
}

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// A directory that takes longer than this to be looked at does not answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// With less room than this no message of usual size can be kept, and the database cannot grow.
const LEAST_OCTETS: u64 = 8 << 20;
/// With fewer free files than this the next messages are refused.
const LEAST_FILES: u64 = 16;
/// Octets of stack; a look needs little.
const STACK: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use postkiln_bundle::Directory;

    #[test]
    fn a_directory_that_is_gone_is_trouble_for_those_who_write_there() {
        let data = tempfile::tempdir().unwrap();
        let service = |role, path: &str, writable| Service {
            directories: vec![Directory { path: path.to_owned(), writable }],
            ..Service::new(role)
        };
        let table = [
            service(Role::Local, "mail", true),
            service(Role::Imapd, "mail", true),
            service(Role::Remote, "run/net", false),
            service(Role::Queued, "queue", true),
        ];
        std::fs::create_dir(data.path().join("queue")).unwrap();
        let watch = Watch::begin(data.path(), table.iter()).unwrap();
        let troubles = watch.troubles();
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert_eq!((troubles[0].directory.as_str(), &troubles[0].defect), ("mail", &Defect::Missing));
        assert_eq!(troubles[0].roles, [Role::Local, Role::Imapd]);
        std::fs::create_dir(data.path().join("mail")).unwrap();
        watch.look();
        assert_eq!(watch.troubles(), []);
        std::fs::remove_dir(data.path().join("queue")).unwrap();
        watch.follow(table[..3].iter());
        watch.look();
        assert_eq!(watch.troubles(), []);
    }

    #[test]
    fn a_disk_that_does_not_answer_is_trouble() {
        let data = tempfile::tempdir().unwrap();
        let table = [Service {
            directories: vec![Directory { path: "queue".to_owned(), writable: true }],
            ..Service::new(Role::Queued)
        }];
        std::fs::create_dir(data.path().join("queue")).unwrap();
        let watch = Watch::begin(data.path(), table.iter()).unwrap();
        assert_eq!(watch.troubles(), []);
        let Some(long_ago) = Instant::now().checked_sub(PATIENCE) else { return };
        let troubles = {
            let mut seen = watch.seen();
            seen.looking = Some(("queue".to_owned(), long_ago));
            seen.troubles()
        };
        assert_eq!(troubles.iter().map(|trouble| &trouble.defect).collect::<Vec<_>>(), [&Defect::Silent]);
    }
}
