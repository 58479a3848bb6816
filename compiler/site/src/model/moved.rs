//! Types of the section `moved`: renames from one commit to the next.

use std::fmt;
use std::str::FromStr;

use postkiln_address::{Address, Domain};

use super::Placed;

/// A rename: the thing keeps its mail, its password and its subscribers under another name.
#[derive(Clone, Debug)]
pub struct Move {
    /// The name before.
    pub from: Placed<Movable>,
    /// The name now.
    pub to: Placed<Movable>,
}

/// A thing that can be renamed and stay the same; written as `user/ada@example.org`, `domain/example.org`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Movable {
    /// A person, by address.
    User(Address),
    /// An alias, by address.
    Alias(Address),
    /// A mailing list, by address.
    List(Address),
    /// An automatic reply, by address.
    Autoresponder(Address),
    /// A domain with everything in it.
    Domain(Domain),
}

impl Movable {
    /// The word before the slash.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Alias(_) => "alias",
            Self::List(_) => "list",
            Self::Autoresponder(_) => "autoresponder",
            Self::Domain(_) => "domain",
        }
    }

    /// All kinds, as they are written before the slash.
    pub const KINDS: [&'static str; 5] = ["user", "alias", "list", "autoresponder", "domain"];
}

impl fmt::Display for Movable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) | Self::Alias(name) | Self::List(name) | Self::Autoresponder(name) => {
                write!(f, "{}/{name}", self.kind())
            }
            Self::Domain(name) => write!(f, "domain/{name}"),
        }
    }
}

impl FromStr for Movable {
    type Err = String;

    /// Letters in upper case are made lower case: so are the names of mailboxes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || format!("{text:?} does not read kind/name");
        let (kind, name) = text.split_once('/').ok_or_else(form)?;
        if kind == "domain" {
            return name.parse().map(Self::Domain).map_err(|error| format!("{name:?} is no domain: {error}"));
        }
        let make = match kind {
            "user" => Self::User,
            "alias" => Self::Alias,
            "list" => Self::List,
            "autoresponder" => Self::Autoresponder,
            _ => return Err(format!("{kind:?} is none of {}", Self::KINDS.join(", "))),
        };
        let address: Result<Address, _> = name.to_ascii_lowercase().parse();
        address.map(make).map_err(|error| format!("{name:?} is no address: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let parsed = text.parse::<Movable>().map(|movable| movable.to_string());
        assert_eq!(parsed.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn names_have_a_kind() {
        check("user/Ada@Example.org", Ok("user/ada@example.org"));
        check("list/announce@example.org", Ok("list/announce@example.org"));
        check("domain/example.org", Ok("domain/example.org"));
        check("ada@example.org", Err("\"ada@example.org\" does not read kind/name"));
        check("person/ada@example.org", Err("\"person\" is none of user, alias, list, autoresponder, domain"));
        assert!("user/ada".parse::<Movable>().is_err());
        assert!("domain/ada@example.org".parse::<Movable>().is_err());
    }
}
