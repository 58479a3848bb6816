//! The address that stands for a list as sender and contact when its settings name none.

use postkiln_address::{Address, LocalPart};

/// Addresses that stand for a list, the preferred one first: `LIST-owner` if it exists, else the domain's postmaster.
pub fn candidates(list: &Address) -> impl Iterator<Item = Address> {
    let names = [format!("{}-owner", list.local().as_str()), "postmaster".to_owned()];
    names.into_iter().filter_map(|name| Some(Address::new(LocalPart::new(&name).ok()?, list.domain().clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, expected: &[&str]) {
        let found: Vec<String> = candidates(&list.parse().unwrap()).map(|address| address.to_string()).collect();
        assert_eq!(found, expected, "{list}");
    }

    #[test]
    fn a_postmaster_stands_for_a_list_without_an_owner() {
        check("l@example.org", &["l-owner@example.org", "postmaster@example.org"]);
        // A local part has 64 octets at most (RFC 5321 §4.5.3.1.1).
        check(&format!("{}@example.org", "l".repeat(60)), &["postmaster@example.org"]);
    }
}
