//! Getting a value: from a file, a pipe, or a person who types it unseen. Never from the command line, which other
//! processes can read.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;

use postkiln_secrets::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::outcome::Failure;

/// The value of a secret: from a file when one is given, else from standard input, where a person is asked.
pub(super) fn value(name: &str, file: Option<&Path>) -> Result<Secret, Failure> {
    if let Some(path) = file {
        let cannot = |error| Failure::environment(format!("cannot read {}", path.display()), error);
        return from(File::open(path).map_err(cannot)?, &path.display().to_string());
    }
    if io::stdin().is_terminal() {
        return typed_twice(name);
    }
    from(io::stdin().lock(), "standard input")
}

/// The passphrase of a private key, when there is a person to ask.
pub(crate) fn passphrase(description: &str) -> Option<Secret> {
    if io::stdin().is_terminal() { typed(description).ok() } else { None }
}

fn from(reader: impl Read, what: &str) -> Result<Secret, Failure> {
    // All room is reserved at once: a growing vector would leave copies of the secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    reader
        .take(MOST as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::environment(format!("cannot read {what}"), error))?;
    Secret::from_bytes(bytes).map_err(super::failure)
}

fn typed_twice(name: &str) -> Result<Secret, Failure> {
    let cannot = |error| Failure::environment("cannot ask for the value", error);
    let one = typed(&format!("value of {name}")).map_err(cannot)?;
    let other = typed("once more").map_err(cannot)?;
    if one != other {
        return Err(Failure::Wrong("the two values differ: nothing is changed".to_owned()));
    }
    Ok(one)
}

/// A line that a person types without seeing it.
fn typed(what: &str) -> io::Result<Secret> {
    let stdin = io::stdin();
    let mut stderr = io::stderr().lock();
    let unseen = Unseen::new()?;
    write!(stderr, "{what}: ")?;
    stderr.flush()?;
    let mut line = Zeroizing::new(Vec::with_capacity(MOST));
    stdin.lock().take(MOST as u64).read_until(b'\n', &mut line)?;
    drop(unseen);
    writeln!(stderr)?;
    Secret::from_bytes(line).map_err(|error| io::Error::other(error.to_string()))
}

/// A terminal that does not show typed text until this value is dropped.
struct Unseen(Termios);

impl Unseen {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &unseen)?;
        Ok(Self(before))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// One more than the longest value, so that a longer one is noticed.
const MOST: usize = (64 << 10) + 2;
