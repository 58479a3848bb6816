//! The one driver between sockets, TLS and protocol sessions. Knows no protocol and no policy: bytes go into a session,
//! its questions go to an [`Answers`], its deadlines are kept. Start at [`drive`], then [`accept`].

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod accept;
mod answers;
mod driver;
mod stream;
mod tls;

pub use accept::{Counting, Limits, Place, accept};
pub use answers::Answers;
pub use driver::{Begin, DriveError, drive};
pub use tls::ServerTls;
