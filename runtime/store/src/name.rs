//! Names of messages: `SECONDS.UNIQUE.HOST,S=SIZE,W=WIRESIZE[:2,FLAGS]`. The part before the colon never changes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postkiln_mail::Flags;

/// Makes names that no other delivery has: one for a process, shared by its threads.
#[derive(Debug)]
pub struct Uniques {
    host: String,
    pid: u32,
    random: u32,
    counter: AtomicU64,
}

impl Uniques {
    /// `random` differs between two processes that happen to have the same number (after a reboot, on another node);
    /// half of it is used, so that a name with its sizes fits the 70 octets of a POP3 UIDL (RFC 1939 §7).
    #[must_use]
    pub fn new(host: &str, pid: u32, random: u64) -> Self {
        Self {
            host: host.replace('/', "\\057").replace(':', "\\072"),
            pid,
            random: (random >> 32 ^ random & 0xffff_ffff) as u32,
            counter: AtomicU64::new(0),
        }
    }

    /// The next unique name.
    #[must_use]
    pub fn next(&self, now: SystemTime) -> Unique {
        let time = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        Unique {
            now,
            name: format!(
                "{}.M{}P{}Q{}R{:x}.{}",
                time.as_secs(),
                time.subsec_micros(),
                self.pid,
                count,
                self.random,
                self.host
            ),
        }
    }
}

/// A unique name for one new message.
#[derive(Clone, Debug)]
pub struct Unique {
    pub(crate) now: SystemTime,
    pub(crate) name: String,
}

impl fmt::Display for Unique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The part of a file name before its flags, and the flags' letters. `None` for names that are no message: hidden ones,
/// and those that could not stand in a line of the UID list.
pub(crate) fn split(file_name: &str) -> Option<(&str, &str)> {
    if file_name.is_empty() || file_name.starts_with('.') || file_name.bytes().any(|b| b < b' ' || b == 0x7f) {
        return None;
    }
    let (unique, info) = file_name.split_once(':').unwrap_or((file_name, ""));
    (!unique.is_empty()).then_some((unique, info.strip_prefix("2,").unwrap_or_default()))
}

/// The file's name in `cur`.
pub(crate) fn with_letters(unique: &str, letters: &str) -> String {
    format!("{unique}:2,{letters}")
}

/// The size of the file in octets, when its name tells it.
pub(crate) fn size(unique: &str) -> Option<u64> {
    field(unique, "S=")
}

/// The size in octets with CRLF line ends, when the name tells it.
pub(crate) fn wire_size(unique: &str) -> Option<u64> {
    field(unique, "W=")
}

fn field(unique: &str, key: &str) -> Option<u64> {
    unique.split(',').skip(1).find_map(|part| part.strip_prefix(key)?.parse().ok())
}

/// The flags for the letters after `:2,`.
pub(crate) fn flags(letters: &str) -> Flags {
    let known = LETTERS.iter().filter(|(letter, _)| letters.contains(*letter));
    known.fold(Flags::none(), |flags, (_, flag)| flags.with(*flag))
}

/// The letters for `flags`, in ASCII order; letters of `old` that are no flag of ours (P, keywords) stay.
pub(crate) fn letters(flags: Flags, old: &str) -> String {
    let foreign = old.chars().filter(|c| LETTERS.iter().all(|(letter, _)| letter != c));
    let ours = LETTERS.iter().filter(|(_, flag)| flags.contains(*flag)).map(|(letter, _)| *letter);
    let mut letters: Vec<char> = foreign.chain(ours).collect();
    letters.sort_unstable();
    letters.dedup();
    letters.into_iter().collect()
}

const LETTERS: [(char, Flags); 5] =
    [('D', Flags::DRAFT), ('F', Flags::FLAGGED), ('R', Flags::ANSWERED), ('S', Flags::SEEN), ('T', Flags::DELETED)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(split("1.M2.h,S=10,W=12:2,FS"), Some(("1.M2.h,S=10,W=12", "FS")));
        assert_eq!(split("1.M2.h"), Some(("1.M2.h", "")));
        assert_eq!(split("1.M2.h:1,x"), Some(("1.M2.h", "")));
        for none in [".hidden", "", ":2,S", "a\nb"] {
            assert_eq!(split(none), None, "{none:?}");
        }
        assert_eq!((size("1.M2.h,S=10,W=12"), wire_size("1.M2.h,S=10,W=12")), (Some(10), Some(12)));
        assert_eq!((size("1.M2.h,W=x"), wire_size("1.M2.h,W=x")), (None, None));
    }

    #[test]
    fn letters_keep_what_is_not_ours() {
        assert_eq!(letters(flags("FPSa").with(Flags::ANSWERED).without(Flags::SEEN), "FPSa"), "FPRa");
        assert_eq!(letters(Flags::none(), "S"), "");
    }

    #[test]
    fn two_names_are_never_the_same() {
        let uniques = Uniques::new("a/b:c", 7, 9);
        let (one, other) = (uniques.next(UNIX_EPOCH), uniques.next(UNIX_EPOCH));
        assert_eq!(one.to_string(), "0.M0P7Q0R9.a\\057b\\072c");
        assert_ne!(one.to_string(), other.to_string());
    }
}
