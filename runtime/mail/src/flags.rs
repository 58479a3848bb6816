//! The system flags of a stored message (RFC 3501 §2.3.2), as the store keeps and IMAP shows them.

use std::ops::BitOr;

/// A set of the five flags a client may change. `\Recent` is none of them: it belongs to a session, not to a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flags(u8);

impl Flags {
    /// `\Draft`: the message is not finished.
    pub const DRAFT: Self = Self(1);
    /// `\Flagged`: the message is marked as important.
    pub const FLAGGED: Self = Self(2);
    /// `\Answered`: the message has been answered.
    pub const ANSWERED: Self = Self(4);
    /// `\Seen`: the message has been read.
    pub const SEEN: Self = Self(8);
    /// `\Deleted`: the message goes at the next EXPUNGE.
    pub const DELETED: Self = Self(16);
    /// The flags' names on the wire, in the order in which they are listed.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::ANSWERED, "\\Answered"),
        (Self::FLAGGED, "\\Flagged"),
        (Self::DELETED, "\\Deleted"),
        (Self::SEEN, "\\Seen"),
        (Self::DRAFT, "\\Draft"),
    ];

    /// The empty set.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Whether all of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The flags of this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The flag with this name, case ignored.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(flag, _)| *flag)
    }

    /// The names of the flags in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| name)
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_listed() {
        let flags = Flags::named("\\SEEN").unwrap() | Flags::DRAFT;
        assert_eq!(flags.names().collect::<Vec<_>>(), ["\\Seen", "\\Draft"]);
        assert!(!flags.without(Flags::SEEN).contains(Flags::SEEN));
        assert_eq!(Flags::named("\\Recent"), None);
    }
}
