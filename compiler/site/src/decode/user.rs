//! One user: name, quotas, password, aliases, forward, denied permissions.

use postkiln_address::{Domain, LocalPart};

use crate::decode::fields::Fields;
use crate::decode::walker::{At, Walker};
use crate::decode::{quantity, secrets};
use crate::{Forward, Gap, Password, Permission, Placed, User, codes};

/// A user, as far as it can be read.
pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>, local: &LocalPart, home: &Domain) -> User {
    let person = || Gap::Person(home.clone(), Some(local.clone()));
    let way = || Gap::Way(home.clone(), Some(local.clone()));
    let names = || Gap::Names(home.clone());
    let quotas = || Gap::Quotas(home.clone());
    let Some(fields) = walker.fields(at, "a user", FIELDS) else {
        [person(), way(), names(), quotas()].into_iter().for_each(|gap| walker.gap(gap));
        return User::default();
    };
    let name = fields.optional("name", |at| walker.line(at, "a person's name"));
    let quota = fields.optional("quota", |at| quantity::octets(walker, at));
    let quota_messages = fields.optional("quota_messages", |at| quantity::count(walker, at, "messages", 1));
    let password = fields.optional("password", |at| password(walker, at));
    let aliases = fields.optional("aliases", |at| aliases(walker, at));
    let forward = fields.optional("forward", |at| forward(walker, at, home));
    let deny = fields.optional("deny", |at| permissions(walker, at));
    let flag = |name| fields.optional(name, |at| walker.boolean(at).map(|value| at.placed(value)));
    let (admin, disabled) = (flag("admin"), flag("disabled"));
    let (password, password_reset) = walker.or_gap(password, person, || None).unzip();
    User {
        name: name.flatten(),
        quota: walker.or_gap(quota, quotas, || None),
        quota_messages: walker.or_gap(quota_messages, quotas, || None),
        password,
        password_reset: password_reset.flatten(),
        aliases: walker.or_gap(aliases, names, || None).unwrap_or_default(),
        forward: walker.or_gap(forward, way, || None),
        deny: walker.or_gap(deny, person, || None).unwrap_or_default(),
        admin: admin.flatten(),
        disabled: walker.or_gap(disabled, way, || None),
    }
}

/// The permissions under `deny`.
pub(super) fn permissions(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<Permission>>> {
    let items = walker.list(at, "permissions")?;
    let found: Vec<_> = items.iter().map(|item| walker.tag(item, &Permission::ALL)).collect();
    found.into_iter().collect()
}

fn aliases(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<LocalPart>>> {
    let items = walker.list(at, "local parts")?;
    let found = items.iter().map(|item| {
        let text = walker.text(item, "a local part")?;
        walker.local_part(text, &item.place).map(|local| item.placed(local))
    });
    found.collect::<Vec<_>>().into_iter().collect()
}

/// A first password, and how often it was set again.
fn password(walker: &Walker<'_>, at: &At<'_>) -> Option<(Placed<Password>, Option<Placed<u32>>)> {
    let fields = walker.fields(at, "a password", &["hash", "secret", "reset"])?;
    let reset = fields.optional("reset", |at| {
        let count = quantity::count(walker, at, "resets", 0)?;
        Some(at.placed(u32::try_from(count.value).unwrap_or(u32::MAX)))
    });
    let first = first_password(walker, at, &fields);
    Some((first?, reset?))
}

fn first_password(walker: &Walker<'_>, at: &At<'_>, fields: &Fields<'_>) -> Option<Placed<Password>> {
    match (fields.get("hash"), fields.get("secret")) {
        (Some(hash), None) => {
            walker.hide(&hash);
            let text = walker.text(&hash, "a password hash")?;
            if let Err(problem) = hash_form(text) {
                // The value is confidential even when it is wrong: it may be the password itself.
                let hint = "make one with `openssl passwd -6`, or argon2's command line";
                walker.report(codes::HASH, format!("not a password hash: {problem}"), &hash.place, Some(hint));
                return None;
            }
            Some(hash.placed(Password::Hash(text.to_owned())))
        }
        (None, Some(secret)) => {
            let name = secrets::name(walker, &secret)?;
            Some(secret.placed(Password::Secret(name.value)))
        }
        (None, None) if ["hash", "secret"].iter().any(|name| fields.is_misspelt(name)) => None,
        _ => {
            let hint = "write `{ hash = \"$argon2id$…\" }` or `{ secret = \"name\" }`";
            walker.report(codes::MISSING, "a password is either a hash or a secret", &at.place, Some(hint));
            None
        }
    }
}

fn forward(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<Placed<Forward>> {
    let fields = walker.fields(at, "a forward", &["to", "keep"])?;
    let to = fields.required("to").and_then(|at| {
        let to = walker.targets(&at, home)?;
        if to.is_empty() {
            walker.report(codes::VALUE, "a forward without targets leads nowhere", &at.place, None);
            return None;
        }
        Some(to)
    });
    let keep = fields.optional("keep", |at| walker.boolean(at));
    Some(at.placed(Forward { to: to?, keep: keep?.unwrap_or(false) }))
}

/// Whether a text has the form of a hash that `directoryd` checks: `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (PHC string),
/// or SHA-crypt's `$6$salt$hash` and `$5$salt$hash`, with rounds or without.
fn hash_form(text: &str) -> Result<(), &'static str> {
    let parts: Vec<&str> = text.split('$').collect();
    match parts.as_slice() {
        ["", "argon2id", "v=19", cost, salt, hash] => argon2id(cost, salt, hash),
        ["", "argon2id", ..] => Err("an argon2id hash reads $argon2id$v=19$m=…,t=…,p=…$salt$hash"),
        ["", "6", rest @ ..] => sha_crypt(rest, 86),
        ["", "5", rest @ ..] => sha_crypt(rest, 43),
        ["", _, _, ..] => Err("it is of a kind that is not supported: argon2id, $6$ and $5$ are"),
        _ => Err("it does not begin with $argon2id$, $6$ or $5$"),
    }
}

fn argon2id(cost: &str, salt: &str, hash: &str) -> Result<(), &'static str> {
    let number = |name: &str, part: Option<&str>| -> Option<u32> { part?.strip_prefix(name)?.parse().ok() };
    let mut parts = cost.split(',');
    let memory = number("m=", parts.next());
    let time = number("t=", parts.next());
    let lanes = number("p=", parts.next());
    match (memory, time, lanes, parts.next()) {
        // These bounds are what a node can spend on one login.
        (Some(8..=1_048_576), Some(1..=16), Some(1..=16), None) => {}
        (Some(_), Some(_), Some(_), None) => return Err("its cost is out of bounds (m 8 to 1048576, t and p 1 to 16)"),
        _ => return Err("its cost does not read m=…,t=…,p=…"),
    }
    let is_base64 = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'));
    if !is_base64(salt) || !is_base64(hash) || salt.len() < 11 || hash.len() < 22 {
        return Err("its salt or hash is too short, or not base64");
    }
    Ok(())
}

fn sha_crypt(rest: &[&str], length: usize) -> Result<(), &'static str> {
    let (salt, hash) = match rest {
        [salt, hash] => (salt, hash),
        [rounds, salt, hash] => {
            let rounds = rounds.strip_prefix("rounds=").and_then(|rounds| rounds.parse::<u32>().ok());
            if !rounds.is_some_and(|rounds| (1_000..=9_999_999).contains(&rounds)) {
                return Err("its rounds are not 1000 to 9999999");
            }
            (salt, hash)
        }
        _ => return Err("a SHA-crypt hash reads $6$salt$hash"),
    };
    let is_crypt64 = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'));
    if salt.is_empty() || salt.len() > 16 || !is_crypt64(salt) {
        return Err("its salt is not 1 to 16 characters of ./0-9A-Za-z");
    }
    if hash.len() != length || !is_crypt64(hash) {
        return Err("its last part does not have the right length or characters");
    }
    Ok(())
}

const FIELDS: &[&str] =
    &["name", "quota", "quota_messages", "password", "aliases", "forward", "deny", "admin", "disabled"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_column_in_files() {
        for field in FIELDS {
            assert!(crate::population::USERS.iter().any(|column| column.path.first() == Some(field)), "{field}");
        }
    }

    fn check(hash: &str, good: bool) {
        assert_eq!(hash_form(hash).is_ok(), good, "{hash}");
    }

    #[test]
    fn hashes_have_a_form() {
        let (sha512, sha256) = ("a".repeat(86), "b".repeat(43));
        check("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM$G5Q1bJkYyQfXNTYhT1JOZ9J9y9cvj8BqUo1kHwQ6l3E", true);
        check(&format!("$6$salt${sha512}"), true);
        check(&format!("$6$rounds=5000$salt${sha512}"), true);
        check(&format!("$5$salt${sha256}"), true);
        check(&format!("$6$salt${sha256}"), false);
        check(&format!("$6$rounds=1$salt${sha512}"), false);
        check("$argon2id$v=19$m=19456,t=2$c29tZXNhbHQxMjM$G5Q1bJkYyQfXNTYhT1JOZ9J9y9cvj8BqUo1kHwQ6l3E", false);
        check("$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQxMjM$G5Q1bJkYyQfXNTYhT1JOZ9J9y9cvj8BqUo1kHwQ6l3E", false);
        check("$argon2id$\u{2026}", false);
        check("$1$salt$qJH7.N4xYta3aEG/dfqo/0", false);
        check("correct horse battery staple", false);
        check("", false);
    }
}
