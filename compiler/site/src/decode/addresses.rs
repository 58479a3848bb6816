//! Domains, addresses and the local parts that a site declares.

use std::fmt::Display;
use std::str::FromStr;

use postkiln_address::{Address, Domain, LocalPart};

use crate::decode::meant::Name;
use crate::decode::walker::{At, Named, Walker};
use crate::{Place, Placed, codes};

impl Walker<'_> {
    /// The name of a field that is a domain, or something like it.
    pub(super) fn domain_name<T: FromStr<Err: Display>>(&self, named: &Named<'_>, hint: Option<&str>) -> Option<T> {
        self.judged(named.name, &named.place, &Name("a domain name"), hint, str::parse::<T>)
    }

    /// A mail domain or host name.
    pub(super) fn domain(&self, at: &At<'_>) -> Option<Placed<Domain>> {
        self.parsed(at, Name("a domain name"), None, str::parse::<Domain>)
    }

    /// `ada` (in `home`) or `ada@example.org`.
    pub(super) fn target(&self, at: &At<'_>, home: &Domain) -> Option<Placed<Address>> {
        self.parsed(at, "an address", Some("write `ada` for this domain, or `ada@example.org`"), |text| {
            if text.contains('@') {
                return text.parse();
            }
            format!("{text}@{home}").parse::<Address>()
        })
    }

    /// A list of addresses, each read by [`target`](Self::target).
    pub(super) fn targets(&self, at: &At<'_>, home: &Domain) -> Option<Vec<Placed<Address>>> {
        let items = self.list(at, "addresses")?;
        let found: Vec<_> = items.iter().map(|item| self.target(item, home)).collect();
        found.into_iter().collect()
    }

    /// Those of a list of addresses that can be read; the others were reported before.
    pub(super) fn readable_targets(&self, at: &At<'_>, home: &Domain) -> Vec<Placed<Address>> {
        let silent = self.silent();
        let items = silent.list(at, "addresses").unwrap_or_default();
        items.iter().filter_map(|item| silent.target(item, home)).collect()
    }

    /// The part before the `@` of an address that is declared, in lower case: mailboxes ignore case.
    pub(super) fn local_part(&self, text: &str, place: &Place) -> Option<LocalPart> {
        let problem = match text.parse::<LocalPart>() {
            // The name becomes part of file names: `.qmail-NAME`.
            Ok(_) if text.contains('/') => "has a slash",
            Ok(_) if text.starts_with('"') => "needs quotes in an address",
            Ok(local) => return Some(local.into_lower_case()),
            Err(_) if text.contains('@') => "has an @; the domain is where it stands",
            Err(_) if text.is_empty() => "is empty",
            Err(_) if text.len() > 64 => "has more than 64 characters",
            Err(_) if !text.is_ascii() => "has a letter that is not ASCII",
            Err(_) if text.split('.').any(str::is_empty) => "begins or ends with a dot, or has two in a row",
            Err(_) => "has a character that needs quotes in an address",
        };
        self.report(codes::VALUE, format!("{text:?} cannot be the name of a mailbox: it {problem}"), place, None);
        None
    }
}
