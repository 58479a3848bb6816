//! Ids of things in plans, source maps, `explain` and the site's `moved`: `user/ada@example.org`, `control/databytes`.
//! Knows nothing about the things themselves. Start at [`ObjectId`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kinds of things, in the order in which a plan lists them within a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the kinds")]
pub enum Kind {
    Appliance,
    Domain,
    User,
    Alias,
    List,
    Autoresponder,
    Zone,
    Listener,
    Service,
    Smtp,
    Tls,
    Antivirus,
    Web,
    Ldap,
    Storage,
    Retention,
    Control,
    Secret,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 18] = [
        Self::Appliance,
        Self::Domain,
        Self::User,
        Self::Alias,
        Self::List,
        Self::Autoresponder,
        Self::Zone,
        Self::Listener,
        Self::Service,
        Self::Smtp,
        Self::Tls,
        Self::Antivirus,
        Self::Web,
        Self::Ldap,
        Self::Storage,
        Self::Retention,
        Self::Control,
        Self::Secret,
    ];

    /// The word before the slash.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Appliance => "appliance",
            Self::Domain => "domain",
            Self::User => "user",
            Self::Alias => "alias",
            Self::List => "list",
            Self::Autoresponder => "autoresponder",
            Self::Zone => "zone",
            Self::Listener => "listener",
            Self::Service => "service",
            Self::Smtp => "smtp",
            Self::Tls => "tls",
            Self::Antivirus => "antivirus",
            Self::Web => "web",
            Self::Ldap => "ldap",
            Self::Storage => "storage",
            Self::Retention => "retention",
            Self::Control => "control",
            Self::Secret => "secret",
        }
    }

    /// The plural for people: `aliases`.
    #[must_use]
    pub fn plural(self) -> String {
        if self == Self::Alias { "aliases".to_owned() } else { format!("{}s", self.name()) }
    }

    /// Whether there is at most one in a blueprint; its id is the kind alone.
    #[must_use]
    pub const fn is_single(self) -> bool {
        use Kind::{Antivirus, Appliance, Ldap, Retention, Smtp, Storage, Tls, Web};
        matches!(self, Appliance | Smtp | Tls | Antivirus | Web | Ldap | Storage | Retention)
    }
}

/// The id of a thing: `kind/name`, or the kind alone when there is only one. Ids are ordered by domain, kind and name;
/// those without a domain come first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectId {
    kind: Kind,
    name: String,
}

impl ObjectId {
    /// The id of the only thing of its kind.
    #[must_use]
    pub const fn single(kind: Kind) -> Self {
        Self { kind, name: String::new() }
    }

    /// The id of a thing by its name: a domain, an address, a file's name.
    #[must_use]
    pub fn new(kind: Kind, name: impl fmt::Display) -> Self {
        Self { kind, name: name.to_string() }
    }

    /// The id of a thing in a domain: `user/ada@example.org`.
    #[must_use]
    pub fn within(kind: Kind, local: impl fmt::Display, domain: impl fmt::Display) -> Self {
        Self { kind, name: format!("{local}@{domain}") }
    }

    /// The kind of the thing.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The text after the slash; empty for the only thing of its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The domain that the thing belongs to.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        match self.kind {
            Kind::Domain | Kind::Zone => Some(&self.name),
            Kind::User | Kind::Alias | Kind::List | Kind::Autoresponder => {
                self.name.rsplit_once('@').map(|(_, domain)| domain)
            }
            _ => None,
        }
    }

    /// The local part, when the name is an address.
    #[must_use]
    pub fn local(&self) -> Option<&str> {
        self.name.rsplit_once('@').map(|(local, _)| local)
    }
}

impl Ord for ObjectId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.domain(), self.kind, &self.name).cmp(&(other.domain(), other.kind, &other.name))
    }
}

impl PartialOrd for ObjectId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if self.name.is_empty() { Ok(()) } else { write!(f, "/{}", self.name) }
    }
}

impl FromStr for ObjectId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = text.split_once('/').unwrap_or((text, ""));
        let found = Kind::ALL.into_iter().find(|known| known.name() == kind);
        let Some(kind) = found else { return Err(format!("there is no kind of object called {kind:?}")) };
        if kind.is_single() != name.is_empty() {
            let form = if kind.is_single() { "stands alone" } else { "needs a name after a slash" };
            return Err(format!("{:?} {form}", kind.name()));
        }
        Ok(Self { kind, name: name.to_owned() })
    }
}

impl TryFrom<String> for ObjectId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(Kind, &str, Option<&str>), &str>) {
        let parsed: Result<ObjectId, String> = text.parse();
        match (&parsed, expected) {
            (Ok(id), Ok((kind, name, domain))) => {
                assert_eq!((id.kind(), id.name(), id.domain()), (kind, name, domain));
                assert_eq!(id.to_string(), text);
            }
            _ => assert_eq!(parsed.as_ref().map(|_| ()).map_err(String::as_str), expected.map(|_| ())),
        }
    }

    #[test]
    fn ids_are_parsed_and_printed() {
        check("user/ada@example.org", Ok((Kind::User, "ada@example.org", Some("example.org"))));
        check("domain/example.org", Ok((Kind::Domain, "example.org", Some("example.org"))));
        check("control/databytes", Ok((Kind::Control, "databytes", None)));
        check("appliance", Ok((Kind::Appliance, "", None)));
        check("user", Err("\"user\" needs a name after a slash"));
        check("tls/x", Err("\"tls\" stands alone"));
        check("usr/ada@example.org", Err("there is no kind of object called \"usr\""));
    }

    #[test]
    fn ids_are_ordered_by_domain_then_kind_then_name() {
        let ids =
            ["control/me", "domain/example.net", "user/bo@example.net", "alias/al@example.net", "domain/example.org"];
        let mut parsed: Vec<ObjectId> = ids.iter().rev().map(|id| id.parse().unwrap()).collect();
        parsed.sort();
        assert_eq!(parsed.iter().map(ToString::to_string).collect::<Vec<_>>(), ids);
        assert_eq!(Kind::ALL.map(|kind| kind as usize).to_vec(), (0..Kind::ALL.len()).collect::<Vec<_>>());
    }
}
