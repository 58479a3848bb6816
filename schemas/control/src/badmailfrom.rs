//! `badmailfrom`: senders that are refused.

use postkiln_address::ReversePath;

use crate::AddressPattern;
use crate::lines::list_file;

list_file!(
    /// Senders whose recipients are all refused with 553.
    Badmailfrom(AddressPattern), "badmailfrom", "none", &["smtpd"],
    "Senders that are refused: `user@domain`, or `@domain` for everybody there."
);

impl Badmailfrom {
    /// Whether a line covers this sender.
    #[must_use]
    pub fn refuses(&self, sender: &ReversePath) -> bool {
        sender.address().is_some_and(|sender| self.0.iter().any(|bad| bad.covers(sender)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;

    #[test]
    fn addresses_and_whole_domains() {
        let bad = Badmailfrom::parse(b"spam@a.example\n@b.example\n").unwrap();
        assert_eq!(bad.print(), "spam@a.example\n@b.example\n");
        for (sender, expected) in
            [("SPAM@a.example", true), ("ham@a.example", false), ("x@B.example", true), ("", false), ("#@[]", false)]
        {
            assert_eq!(bad.refuses(&sender.parse().unwrap()), expected, "{sender:?}");
        }
        assert!(Badmailfrom::parse(b"nobody\n").is_err());
    }
}
