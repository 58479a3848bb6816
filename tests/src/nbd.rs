//! A disk that forgets: a network block device on a Unix socket whose writes stay in a volatile cache until the guest
//! flushes, as on a drive with a write cache. [`Disk::cut`] is the power failure. Knows nothing about file systems.
//!
//! The protocol is the NBD project's `doc/proto.md`: fixed newstyle negotiation, simple replies. Start with [`Disk`];
//! the cache is [`cache`], the conversation [`wire`].

mod cache;
mod wire;

use std::fs::File;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use cache::Cache;
pub use cache::{Counts, Cut};

/// A disk and its server.
#[derive(Clone, Debug)]
pub struct Disk {
    cache: Arc<Mutex<Cache>>,
    file: PathBuf,
    socket: PathBuf,
}

impl Disk {
    /// A blank disk of so many bytes in `folder`, served on a socket there.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn blank(folder: &Path, size: u64) -> Self {
        let file = folder.join("disk");
        let handle = File::options().read(true).write(true).create_new(true).open(&file).expect("a new file");
        handle.set_len(size).expect("a sparse file");
        let socket = folder.join("nbd.sock");
        let listener = UnixListener::bind(&socket).expect("a short path");
        let disk = Self { cache: Arc::new(Mutex::new(Cache::new(handle, size))), file, socket };
        let served = Arc::clone(&disk.cache);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let cache = Arc::clone(&served);
                thread::spawn(move || wire::serve(&stream, &cache));
            }
        });
        disk
    }

    /// The address that QEMU takes in place of a file name.
    #[must_use]
    pub fn address(&self) -> String {
        format!("nbd+unix:///?socket={}", self.socket.display())
    }

    /// The power fails: unflushed writes are gone, all or some of them. A client that is still connected is served
    /// nothing more until [`Self::power`].
    pub fn cut(&self, cut: Cut) {
        self.lock().cut(cut);
    }

    /// The power comes back.
    pub fn power(&self) {
        self.lock().power();
    }

    /// From now on flushes are answered and not carried out; that is how a missing fsync looks to the disk.
    pub fn ignore_flushes(&self, ignore: bool) {
        self.lock().ignore_flushes(ignore);
    }

    /// The numbers of requests so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts()
    }

    /// The file with the content of stable storage.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use wire::Client;

    fn disk() -> (tempfile::TempDir, Disk) {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::blank(folder.path(), 1 << 20);
        (folder, disk)
    }

    fn stored(disk: &Disk, at: u64) -> u8 {
        let mut byte = [0];
        File::open(disk.file()).unwrap().read_exact_at(&mut byte, at).unwrap();
        byte[0]
    }

    #[test]
    fn what_was_flushed_stays_and_the_rest_is_gone() {
        let (_folder, disk) = disk();
        let mut client = Client::connect(&disk.socket);
        assert_eq!(client.size, 1 << 20);
        client.write(0, &[1; 4096], false);
        client.flush();
        client.write(0, &[2; 512], false);
        client.write(8192, &[3; 512], true);
        client.write(16384, &[4; 1000], false);
        // The guest reads its own writes, whether they are flushed or in the cache.
        assert_eq!(client.read(0, 1024), [[2; 512], [1; 512]].concat());
        assert_eq!(client.read(16384, 1001).last(), Some(&0));
        disk.cut(Cut::AllGone);
        disk.power();
        let mut client = Client::connect(&disk.socket);
        assert_eq!(client.read(0, 512), [1; 512], "the flushed write");
        assert_eq!(client.read(8192, 512), [3; 512], "the write with FUA");
        assert_eq!(client.read(16384, 1000), [0; 1000], "the forgotten write");
        assert_eq!((stored(&disk, 0), stored(&disk, 8192), stored(&disk, 16384)), (1, 3, 0));
    }

    #[test]
    fn a_cut_may_keep_any_part_of_what_was_not_flushed() {
        let (_folder, disk) = disk();
        let mut client = Client::connect(&disk.socket);
        client.write(0, &[9; 512 * 100], false);
        disk.cut(Cut::SomeGone { seed: 7 });
        disk.power();
        let kept = (0..100).filter(|sector| stored(&disk, sector * 512) == 9).count();
        assert!((20..80).contains(&kept), "about half: {kept}");
    }

    #[test]
    fn an_ignored_flush_keeps_nothing() {
        let (_folder, disk) = disk();
        let mut client = Client::connect(&disk.socket);
        disk.ignore_flushes(true);
        client.write(0, &[5; 512], false);
        client.flush();
        client.write(1024, &[5; 512], true);
        disk.cut(Cut::AllGone);
        disk.power();
        assert_eq!((stored(&disk, 0), stored(&disk, 1024)), (0, 0));
        assert_eq!(disk.counts().flushes, 1);
    }

    #[test]
    fn nothing_reaches_the_disk_between_the_cut_and_the_power() {
        let (_folder, disk) = disk();
        let mut client = Client::connect(&disk.socket);
        client.write(0, &[1; 512], false);
        disk.cut(Cut::AllGone);
        assert!(!client.try_write(0, &[2; 512]), "the disk is dead");
        disk.power();
        assert_eq!(stored(&disk, 0), 0);
    }

    #[test]
    fn beyond_the_end_is_an_error() {
        let (_folder, disk) = disk();
        let mut client = Client::connect(&disk.socket);
        assert!(!client.try_write(1 << 20, &[1; 512]));
        assert!(client.try_write((1 << 20) - 512, &[1; 512]));
    }
}
