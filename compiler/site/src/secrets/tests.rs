//! Valid and faulty locks, and the findings about them.

use super::*;
use crate::Diagnostic;

fn check(text: &str, expected: &[&str]) {
    let findings = match SecretsLock::parse(text.as_bytes()) {
        Ok((_, warnings)) => warnings,
        Err(findings) => findings,
    };
    let line = |finding: &Diagnostic| {
        let place = finding.place.as_ref().map(|at| (at.line, at.column)).unwrap_or_default();
        format!("{}:{} {} {}", place.0, place.1, finding.code, finding.message)
    };
    let found: Vec<String> = findings.iter().map(line).collect();
    assert_eq!(found, expected, "{text}");
}

fn whole() -> String {
    format!(
        "{}sealed = \"{}\"\nrecipients = [\n  \"age1abc\",\n  \"ssh-ed25519 AAAA ada@desk\",\n]\n\
         \n[secrets.\"dkim.example.org\"]\nkind = \"dkim\"\nversion = \"0123456789abcdef\"\nkeys = [\n  \
         {{ number = 1, algorithm = \"rsa\", state = \"retiring\", since = \"2026-11-22\", public = \"{RSA}\" }},\n  \
         {{ number = 2, algorithm = \"ed25519\", state = \"signing\", public = \"{ED25519}\" }},\n]\n\
         \n[secrets.\"grace\"]\nkind = \"password\"\nversion = \"fedcba9876543210\"\n\
         \n[secrets.\"web\"]\nkind = \"tls-key\"\nversion = \"fedcba9876543210\"\nspki_sha256 = \"{}\"\n",
        "# Versions of this site's secrets, and the public halves of its keys; the values are in secrets.age.\n\
         # Nothing here is secret. Written by `postkiln secret`: commit it together with the site.\nformat = 1\n",
        "a".repeat(64),
        "b".repeat(64),
    )
}

#[test]
fn what_is_printed_is_read_back() {
    let text = whole();
    let (lock, warnings) = SecretsLock::parse(text.as_bytes()).unwrap();
    assert_eq!((lock.print(), warnings), (text, Vec::new()));
    let secret = &lock.secrets["dkim.example.org"].value;
    let selectors: Vec<String> = secret.dkim_keys().iter().map(|key| key.selector("postkiln")).collect();
    assert_eq!(selectors, ["postkiln", "postkiln-2"]);
    assert_eq!(secret.signing().unwrap().record(), format!("v=DKIM1; k=ed25519; p={ED25519}"));
    assert_eq!(lock.secrets["grace"].place.line, 18);
}

#[test]
fn mistakes_are_found_where_they_stand() {
    check(
        "format = 1\nrecipients = []\n[secrets.a\n",
        &["3:11 E0270 secrets.lock is not TOML: unclosed table, expected `]`"],
    );
    check("format = 2\nrecipients = []\n", &["1:10 E0271 this version reads format 1 of secrets.lock"]);
    check(
        "format = 1\nrecipients = [\"age1x\", \"AGE-SECRET-KEY-1\"]\n",
        &["2:24 E0276 this is a private key, and everybody can read this file"],
    );
    let secret = |fields: &str| format!("format = 1\nrecipients = []\n[secrets.\"a\"]\n{fields}");
    check(
        &secret("knid = \"password\"\nversion = \"xyz\"\n"),
        &["4:1 E0203 unknown field `knid` in a secret", "5:11 E0274 not a version: that has 16 hex digits"],
    );
    let version = "version = \"0123456789abcdef\"\n";
    check(
        &secret(&format!("{version}kind = \"pasword\"\n")),
        &["5:8 E0204 \"pasword\" is not a kind: password, token, tls-key, dkim"],
    );
    let dkim = |keys: &str| secret(&format!("{version}kind = \"dkim\"\nkeys = [{keys}]\n"));
    let key = |number: u8, state: &str, public: &str| {
        format!("{{ number = {number}, algorithm = \"rsa\", state = \"{state}\", public = \"{public}\" }},")
    };
    check(&dkim(""), &["6:8 E0275 the keys contradict one another: no key signs"]);
    let two = key(1, "signing", RSA) + &key(2, "signing", RSA);
    check(&dkim(&two), &["6:8 E0275 the keys contradict one another: several keys sign"]);
    check(
        &dkim(&key(1, "signing", ED25519)),
        &["6:70 E0273 this is no public rsa key: it is not the SubjectPublicKeyInfo of an RSA key"],
    );
    check(
        &dkim(&key(1, "signing", WEAK)),
        &["6:70 W0271 an RSA key of 1024 bits is weak: signers should use 2048 (RFC 8301)"],
    );
    check(
        &dkim("{ number = 1, algorithm = \"rsa\", state = \"retiring\", since = \"2026-13-01\", public = \"AA==\" }"),
        &[
            "6:70 E0274 not a day",
            "6:93 E0273 this is no public rsa key: it is not the SubjectPublicKeyInfo of an RSA key",
        ],
    );
}

#[test]
fn any_prefix_of_a_lock_is_read_or_refused() {
    let text = whole();
    for end in 0..text.len() {
        let _ = SecretsLock::parse(&text.as_bytes()[..end]);
    }
}

// Made by `openssl genrsa` and `openssl genpkey`.
const RSA: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAp3xqROyGOrYsmlI3kdoC/Z6XT7SPFPfJnMx6tFbM0T/rc01fok0R0r1DMK2oq0FYIC7krv0mOqCgaIxfcapgq90pVbAOu9Myh/l/spBm6d86D52dT9pne791wpwgSb+Qs0MJ5MId46AeDgt/IHzVs2jwAW6fxh+5HCo4erOvhyWQrvS5uDsqWlJyWyet8m9erPSPmqs4kbc/jDc2pDuwntOjrXrjxihe5xwD6BNcpJPk+fyV6/AH0JealZqV7BSJxnkOCbU7f2kIFpNY7PYi9vOK+03gmR9HpAo5ffbn3wyNs3e/H+s4TA+BAZlorrYm8b+VKOhqwFH7Gv+IJMDHMQIDAQAB";
const WEAK: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/KjD69ehOtmn8sVR2ioUkVqd265vc5siszQlUE4mxRs/AOBuOr1xUElc/BYuFfPa1tKDD+p21vNYf4rchgjIuYpGGmBrZ8KsOwDkrAy7lBqpjCoKlbPJhmYeQaMzGLVteOKQYHtFVNz3zM02tALYa9HCBtdWdGCcFXYTr87MRrQIDAQAB";
const ED25519: &str = "e+gjazESZxMVP/5+9xoiw+ayXVEnCFqh9iJjY+nQgQ8=";
