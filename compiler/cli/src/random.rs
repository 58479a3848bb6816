//! Octets of chance from the system (getrandom(2)).

use std::io;

use rustix::rand::{GetRandomFlags, getrandom};

/// Octets that nobody guesses.
///
/// # Errors
/// Where the system has no such call, or forbids it.
pub(crate) fn random<const LENGTH: usize>() -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        filled += getrandom(rest, GetRandomFlags::empty())?;
    }
    Ok(bytes)
}
