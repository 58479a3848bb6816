//! Decodes the tree of `secrets.lock` into a [`SecretsLock`]. How the site uses the secrets is judged later.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Node, Value};
use crate::decode::fields::Fields;
use crate::decode::walker::{At, Named, Walker};
use crate::secrets::{
    DkimAlgorithm, DkimKey, DkimState, SecretKind, SecretVersion, SecretsLock, Strength, is_secret_name, strength,
};
use crate::{Placed, codes, suggest};

pub(super) fn decode(walker: &Walker<'_>, tree: &Node) -> Option<SecretsLock> {
    let here = walker.root(tree);
    let fields = walker.fields(&here, "secrets.lock", &["format", "sealed", "recipients", "secrets"])?;
    let format = fields.required("format")?;
    if format.node.value != Value::Integer(1) {
        let hint = "a newer Postkiln has written it: use that one";
        walker.report(codes::LOCK_FORMAT, "this version reads format 1 of secrets.lock", &format.place, Some(hint));
        return None;
    }
    let sealed = fields.optional("sealed", |at| hex(walker, at, 64, "a SHA-256 digest"));
    let recipients = fields.required("recipients").and_then(|at| recipients(walker, &at));
    let secrets = fields.optional("secrets", |at| secrets(walker, at));
    Some(SecretsLock { sealed: sealed?, recipients: recipients?, secrets: secrets?.unwrap_or_default() })
}

/// The name of a secret, where a site names one.
pub(super) fn name(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<String>> {
    let text = walker.text(at, "the name of a secret")?;
    if is_secret_name(text) {
        return Some(at.placed(text.to_owned()));
    }
    walker.report(codes::VALUE, NAMES, &at.place, None);
    None
}

impl Walker<'_> {
    /// `{ secret = "name" }`: the secret's name.
    pub(super) fn secret(&self, at: &At<'_>, whose: &str) -> Option<Placed<String>> {
        if let Value::Text(_) = at.node.value {
            let hint = "write `{ secret = \"name\" }`; its value is set with `postkiln secret set SITE name`";
            self.report(
                codes::PASSWORD_IN_SITE,
                format!("the password of {whose} stands in the site"),
                &at.place,
                Some(hint),
            );
            return None;
        }
        let fields = self.fields(at, "a password by secret", &["secret"])?;
        fields.required("secret").and_then(|at| name(self, &at))
    }
}

fn recipients(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<String>>> {
    let items = walker.list(at, "public keys")?;
    let found: Vec<_> = items
        .iter()
        .map(|item| {
            let text = walker.text(item, "a public key")?;
            let is_plain = text.chars().all(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'));
            if is_plain && ["age1", "ssh-ed25519 ", "ssh-rsa "].iter().any(|start| text.starts_with(start)) {
                return Some(item.placed(text.to_owned()));
            }
            if text.starts_with("AGE-SECRET-KEY-") || text.starts_with("-----BEGIN") {
                let message = "this is a private key, and everybody can read this file";
                let hint =
                    "make another one, take this one out of `postkiln secret recipients`, and rotate what it opens";
                walker.report(codes::EXPOSED, message, &item.place, Some(hint));
                return None;
            }
            let hint = "`postkiln secret identity` prints one: `age1…`; `ssh-ed25519 …` does as well";
            walker.report(
                codes::RECIPIENT,
                "this is no public key that secrets can be encrypted to",
                &item.place,
                Some(hint),
            );
            None
        })
        .collect();
    found.into_iter().collect()
}

fn secrets(walker: &Walker<'_>, at: &At<'_>) -> Option<BTreeMap<String, Placed<SecretVersion>>> {
    let named = walker.entries(at, "the secrets")?;
    let found: Vec<_> = named.iter().map(|named| secret(walker, named)).collect();
    found.into_iter().collect()
}

fn secret(walker: &Walker<'_>, named: &Named<'_>) -> Option<(String, Placed<SecretVersion>)> {
    if !is_secret_name(named.name) {
        walker.report(codes::VALUE, NAMES, &named.place, None);
        return None;
    }
    let fields = walker.fields(&named.value, "a secret", &["kind", "version", "spki_sha256", "keys", "value"])?;
    exposed(walker, fields.get("value"));
    let version = fields.required("version").and_then(|at| hex(walker, &at, 16, "a version"));
    let kind = fields.required("kind").and_then(|at| kind(walker, &at, &fields));
    let value = SecretVersion { version: version?.value, kind: kind? };
    Some((named.name.to_owned(), Placed { value, place: named.place.clone() }))
}

/// Reports a secret's value that somebody wrote into the file. The value is never quoted.
fn exposed(walker: &Walker<'_>, value: Option<At<'_>>) {
    if let Some(at) = value {
        let message = "a value stands in secrets.lock, where everybody can read it";
        let hint = "take it out, and set another value with `postkiln secret set`: this one is no secret any more";
        walker.report(codes::EXPOSED, message, &at.place, Some(hint));
    }
}

fn kind(walker: &Walker<'_>, at: &At<'_>, fields: &Fields<'_>) -> Option<SecretKind> {
    match word(walker, at, "a kind", KINDS)? {
        "password" => Some(SecretKind::Password),
        "token" => Some(SecretKind::Token),
        "tls-key" => {
            let digest = fields.required("spki_sha256").and_then(|at| hex(walker, &at, 64, "a SHA-256 digest"))?;
            Some(SecretKind::TlsKey { spki_sha256: digest.value })
        }
        _ => fields.required("keys").and_then(|at| keys(walker, &at)).map(|keys| SecretKind::Dkim { keys }),
    }
}

fn keys(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<DkimKey>> {
    let items = walker.list(at, "keys")?;
    let found: Vec<Option<DkimKey>> = items.iter().map(|item| key(walker, item)).collect();
    let keys: Vec<DkimKey> = found.into_iter().collect::<Option<_>>()?;
    let count = |state: &DkimState| keys.iter().filter(|key| key.state == *state).count();
    let numbers: BTreeSet<u32> = keys.iter().map(|key| key.number).collect();
    let problem = match (count(&DkimState::Signing), count(&DkimState::Published)) {
        (0, _) => "no key signs",
        (2.., _) => "several keys sign",
        (_, 2..) => "several keys wait to sign",
        _ if numbers.len() < keys.len() || !keys.is_sorted_by_key(|key| key.number) => {
            "the keys are not numbered in order"
        }
        _ => return Some(keys),
    };
    let hint = "`postkiln secret check` writes the file again from secrets.age";
    walker.report(codes::DKIM_STATES, format!("the keys contradict one another: {problem}"), &at.place, Some(hint));
    None
}

fn key(walker: &Walker<'_>, at: &At<'_>) -> Option<DkimKey> {
    let fields = walker.fields(at, "a key", &["number", "algorithm", "state", "since", "public", "value"])?;
    exposed(walker, fields.get("value"));
    let number = fields.required("number").and_then(|at| number(walker, &at));
    let algorithm = fields.required("algorithm").and_then(|at| word(walker, &at, "an algorithm", ALGORITHMS));
    let state = fields.required("state").and_then(|at| state(walker, &at, &fields));
    let public = fields.required("public").and_then(|at| Some((walker.text(&at, "a public key")?.to_owned(), at)));
    let algorithm = if algorithm? == "rsa" { DkimAlgorithm::Rsa } else { DkimAlgorithm::Ed25519 };
    let (public, place) = public.map(|(text, at)| (text, at.place))?;
    match strength(algorithm, &public) {
        Ok(Strength::Full) => {}
        Ok(Strength::Weak(bits)) => {
            let message = format!("an RSA key of {bits} bits is weak: signers should use 2048 (RFC 8301)");
            walker.report(codes::WEAK_KEY, message, &place, Some("`postkiln secret rotate` makes the next one"));
        }
        Err(problem) => {
            let message = format!("this is no public {algorithm} key: {problem}");
            walker.report(
                codes::PUBLIC_KEY,
                message,
                &place,
                Some("`postkiln secret check` compares the file with secrets.age"),
            );
            return None;
        }
    }
    Some(DkimKey { number: number?, algorithm, state: state?, public })
}

fn number(walker: &Walker<'_>, at: &At<'_>) -> Option<u32> {
    let Value::Integer(number) = at.node.value else {
        walker.mistyped(at, "a number", None);
        return None;
    };
    let found = u32::try_from(number).ok().filter(|number| *number > 0);
    if found.is_none() {
        walker.report(codes::VALUE, "keys are numbered from 1", &at.place, None);
    }
    found
}

fn state(walker: &Walker<'_>, at: &At<'_>, fields: &Fields<'_>) -> Option<DkimState> {
    match word(walker, at, "a state", STATES)? {
        "published" => Some(DkimState::Published),
        "signing" => Some(DkimState::Signing),
        _ => {
            let at = fields.required("since")?;
            let since = walker.text(&at, "a day")?;
            if since.parse::<jiff::civil::Date>().is_err() || since.len() != "2026-11-22".len() {
                walker.report(codes::LOCK_VALUE, "not a day", &at.place, Some("written as 2026-11-22"));
                return None;
            }
            Some(DkimState::Retiring { since: since.to_owned() })
        }
    }
}

/// A string that must be one of the known words.
fn word(walker: &Walker<'_>, at: &At<'_>, what: &str, known: &[&'static str]) -> Option<&'static str> {
    let text = walker.text(at, what)?;
    let found = known.iter().find(|word| **word == text).copied();
    if found.is_none() {
        let hint = suggest::nearest(text, known.iter().copied()).map(|near| format!("did you mean {near:?}?"));
        let message = format!("{text:?} is not {what}: {}", known.join(", "));
        walker.report(codes::VALUE, message, &at.place, hint.as_deref());
    }
    found
}

/// A string of exactly `length` hex digits, in lower case.
fn hex(walker: &Walker<'_>, at: &At<'_>, length: usize, what: &str) -> Option<Placed<String>> {
    let text = walker.text(at, what)?;
    if text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Some(at.placed(text.to_owned()));
    }
    walker.report(codes::LOCK_VALUE, format!("not {what}: that has {length} hex digits"), &at.place, None);
    None
}

const KINDS: &[&str] = &["password", "token", "tls-key", "dkim"];
const ALGORITHMS: &[&str] = &["rsa", "ed25519"];
const STATES: &[&str] = &["published", "signing", "retiring"];
/// The rule for names, for messages.
const NAMES: &str = "the name of a secret has 1 to 64 letters, digits, hyphens, dots, underscores";
