//! `percenthack`: domains whose local parts hide another address.

use postkiln_address::Domain;

use crate::lines::list_file;

list_file!(
    /// Domains where `user%host@domain` means `user@host`.
    Percenthack(Domain), "percenthack", "none", &[],
    "Domains where `user%host@domain` means `user@host`. Never one that strangers may send to: that would be an open relay."
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let value = Percenthack(vec!["a.example".parse().unwrap()]);
        assert_eq!(Percenthack::parse(value.print().as_bytes()), Ok(value));
        assert!(Percenthack::parse(b".a.example\n").is_err());
    }
}
