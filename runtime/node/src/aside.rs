//! Work that may wait for a disk, off the loop that serves everybody. Start at [`aside`].

use std::io;
use std::time::Duration;

/// Does `work` on another thread and waits for it, within [`LONGEST`]. Work that takes longer goes on and is not waited
/// for: the disk does not answer, and whoever asked can be told so.
///
/// # Errors
/// Those of the work; `TimedOut` when it takes too long.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    match tokio::time::timeout(LONGEST, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the disk does not answer")),
    }
}

/// Longer than a disk that is only busy takes.
const LONGEST: Duration = Duration::from_secs(30);
