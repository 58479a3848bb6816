//! The codes of the findings of this crate. A code never changes its meaning.

/// A kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `E0301`: an error; `W0301`: a warning.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
}

macro_rules! codes {
    ($($constant:ident $name:literal $about:literal)*) => {
        $(pub(crate) const $constant: Code = Code { name: $name, about: $about };)*

        /// Every code, in order.
        pub const CODES: &[Code] = &[$($constant),*];
    };
}

codes! {
    DUPLICATE "E0301" "an address is declared twice"
    DANGLING "E0302" "a target does not exist"
    LOOP "E0303" "addresses forward to one another in a circle"
    ALIAS_DOMAIN "E0304" "an alias domain does not lead to a mail domain"
    NOBODY_POSTS "E0305" "nobody may post to a list"
    QUOTA "E0307" "a quota is smaller than the largest accepted message"
    UNKNOWN_CONTROL "E0308" "there is no control file of this name"
    CONTROL_VALUE "E0309" "a control file cannot hold this value"
    OPEN_RELAY "E0310" "strangers could send through this system to others"
    EXPECTATION "E0311" "an expectation does not hold"
    NAME "E0312" "a local part cannot be used"
    RECORD "E0314" "a DNS record is malformed or contradicts another"
    SPF "E0315" "an SPF record needs more than ten look-ups"
    NO_DOMAIN "E0318" "there is no mail domain"
    SECRET_PASSWORD "W0301" "a password is a secret, and secrets are not delivered yet"
    PLACEHOLDER_ADDRESS "W0302" "no public address is known for the zones"
    NO_PASSWORD "W0303" "nobody can log in to a mailbox"
    UNREACHABLE "W0304" "mail for a domain of ours is refused"
    NO_RESOLVER "W0305" "a fixed address without DNS servers"
    EMPTY_LIST "W0306" "a list has no members"
    UNUSED_SIGNATURES "W0307" "signature files without an engine"
    NOT_YET "W0390" "the node does not act on an option yet"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_appear_once() {
        assert!(CODES.is_sorted_by(|one, two| one.name < two.name));
    }
}
