//! `ldap`: the address book.

use crate::Ldap;
use crate::decode::walker::{At, Walker};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Ldap> {
    let fields = walker.fields(at, "ldap", &["enabled", "base", "anonymous"])?;
    let enabled = fields.defaulted("enabled").and_then(|at| walker.switch(&at));
    let base = fields
        .optional("base", |at| walker.parsed(at, "a distinguished name", Some("write \"dc=example,dc=org\""), base));
    let anonymous = fields.defaulted("anonymous").and_then(|at| walker.switch(&at));
    Some(Ldap { enabled: enabled?, base: base?, anonymous: anonymous? })
}

/// `attribute=value` parts after commas (RFC 4514 §2), without its escapes, which no base needs.
fn base(text: &str) -> Result<String, String> {
    for part in text.split(',') {
        let (name, value) = part.trim().split_once('=').ok_or_else(|| format!("{part:?} has no ="))?;
        let letters = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !["dc", "o", "ou", "c", "l", "st", "cn"].contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!("{name:?} is none of dc, o, ou, c, l, st, cn"));
        }
        if !value.split(' ').all(letters) {
            return Err(format!("{value:?} is not letters, digits and hyphens"));
        }
    }
    Ok(text.split(',').map(str::trim).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        assert_eq!(base("dc=example, dc=org").as_deref(), Ok("dc=example,dc=org"));
        assert_eq!(base("o=Example Office,c=GB").as_deref(), Ok("o=Example Office,c=GB"));
        for bad in ["", "example.org", "dc=", "dc=a,", "x=y", "dc=example.org"] {
            assert!(base(bad).is_err(), "{bad:?}");
        }
    }
}
