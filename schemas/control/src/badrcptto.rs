//! `badrcptto`: recipients that are refused.

use postkiln_address::Address;

use crate::AddressPattern;
use crate::lines::list_file;

list_file!(
    /// Recipients that are refused with 553, whoever writes to them.
    Badrcptto(AddressPattern), "badrcptto", "none", &["smtpd"],
    "Recipients that are refused, whoever writes to them: `user@domain`, or `@domain` for everybody there."
);

impl Badrcptto {
    /// Whether a line covers this recipient.
    #[must_use]
    pub fn refuses(&self, recipient: &Address) -> bool {
        self.0.iter().any(|bad| bad.covers(recipient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;

    #[test]
    fn addresses_and_whole_domains() {
        let bad = Badrcptto::parse(b"spam@a.example\n@b.example\n").unwrap();
        assert_eq!(bad.print(), "spam@a.example\n@b.example\n");
        for (recipient, expected) in [("SPAM@a.example", true), ("ham@a.example", false), ("x@B.example", true)] {
            assert_eq!(bad.refuses(&recipient.parse().unwrap()), expected, "{recipient}");
        }
        assert!(Badrcptto::parse(b"nobody\n").is_err());
    }
}
