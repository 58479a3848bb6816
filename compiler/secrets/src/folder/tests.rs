//! The two files after every possible cut, after changes by other people, and through every step of a rotation.

use std::os::unix::fs::PermissionsExt;

use postkiln_site::DkimAlgorithm;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::{KeyPair, Secret, Step, Value};

struct World {
    folder: tempfile::TempDir,
    identity: Identity,
    chance: ChaCha20Rng,
}

fn nobody(_: &str) -> Option<Secret> {
    None
}

fn right<T>(result: Result<T, SecretsError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        let public = right(Identity::make(&path));
        let world =
            Self { identity: right(Identity::read(&path, nobody)), folder, chance: ChaCha20Rng::seed_from_u64(1) };
        let mut vault = Vault { recipients: vec![public], ..Vault::default() };
        right(world.folder().write(&mut vault));
        world
    }

    fn folder(&self) -> Folder {
        Folder::new(self.folder.path())
    }

    fn set(&mut self, name: &str, value: &str) -> Vault {
        let mut vault = right(self.folder().open_whole(&self.identity));
        right(vault.set(name, Value::Password(Secret::new(value.to_owned())), &mut self.chance));
        vault
    }

    fn text(&self) -> String {
        fs::read_to_string(self.folder.path().join(SECRETS_LOCK)).unwrap()
    }

    fn value(&self, name: &str) -> Option<String> {
        let vault = right(self.folder().open(&self.identity)).vault;
        let Value::Password(secret) = &vault.get(name).ok()?.value else { return None };
        Some(secret.expose().to_owned())
    }
}

#[test]
fn a_write_that_is_cut_off_after_any_step_is_mended() {
    let steps = 6;
    for cut in 0..=steps {
        let mut world = World::new();
        let mut vault = world.set("grace", "first");
        right(world.folder().write(&mut vault));
        let old = world.text();
        let mut vault = world.set("grace", "second");
        let actions = right(world.folder().actions(&mut vault));
        assert_eq!(actions.len(), steps);
        for action in actions.into_iter().take(cut) {
            right(world.folder().act(action));
        }
        // Steps 2, 3 and 4 end between the two renames.
        let expected = if (2..=4).contains(&cut) { State::CutOff } else { State::Whole };
        assert_eq!(right(world.folder().open(&world.identity)).state, expected, "cut after {cut}");
        right(world.folder().open_whole(&world.identity));
        assert_eq!(right(world.folder().open(&world.identity)).state, State::Whole, "cut after {cut}");
        assert_eq!(world.value("grace").as_deref(), Some(if cut < 2 { "first" } else { "second" }), "cut after {cut}");
        assert_eq!(world.text() == old, cut < 2, "cut after {cut}");
        let mut vault = world.set("ada", "x");
        right(world.folder().write(&mut vault));
        assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 3, "no remnants: identity and two files");
    }
}

#[test]
fn what_people_changed_is_told_and_kept() {
    let mut world = World::new();
    let mut vault = world.set("grace", "x");
    right(world.folder().write(&mut vault));
    let (path, text) = (world.folder.path().join(SECRETS_LOCK), world.text());
    let other = age::x25519::Identity::generate().to_public().to_string();
    let check = |changed: &str, expected: &[&str]| {
        fs::write(&path, changed).unwrap();
        let state = right(world.folder().open(&world.identity)).state;
        let expected: Vec<String> = expected.iter().map(|&said| said.to_owned()).collect();
        assert_eq!(state, if expected.is_empty() { State::Whole } else { State::Different(expected) });
        assert_eq!(world.folder().open_whole(&world.identity).is_ok(), state == State::Whole);
        assert_eq!(fs::read_to_string(&path).unwrap(), changed);
    };
    check(&text.replace("format", "# ours\nformat"), &[]);
    check(
        &text.replace("recipients = [\n", &format!("recipients = [\n  {other:?},\n")),
        &[&format!("secrets.age is not encrypted to {other}")],
    );
    check(
        &text.replace("\"grace\"", "\"ada\""),
        &["secrets.age does not have \"ada\"", "secrets.lock does not have \"grace\""],
    );
    let version = &right(world.folder().open(&world.identity)).vault.secrets["grace"].version;
    check(&text.replace(version, "0000000000000000"), &["\"grace\" is another version in each"]);
    check("<<<<<<< ours\n", &["secrets.lock is malformed"]);
    fs::remove_file(&path).unwrap();
    let missing = State::Different(vec!["there is no secrets.lock".to_owned()]);
    assert_eq!(right(world.folder().open(&world.identity)).state, missing);
}

#[test]
fn modes_keep_others_out() {
    let world = World::new();
    let mode = |name: &str| fs::metadata(world.folder.path().join(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("identity"), mode(SECRETS_AGE)), (0o600, 0o600));
    assert!(!world.folder().is_exposed());
    let open_to_all = fs::Permissions::from_mode(0o644);
    fs::set_permissions(world.folder.path().join(SECRETS_AGE), open_to_all.clone()).unwrap();
    assert!(world.folder().is_exposed());
    fs::set_permissions(world.folder.path().join("identity"), open_to_all).unwrap();
    let read = Identity::read(&world.folder.path().join("identity"), nobody);
    assert!(matches!(read, Err(SecretsError::ExposedIdentity(_))));
}

#[test]
fn only_recipients_open_and_nothing_that_was_changed_is_opened() {
    let world = World::new();
    let path = world.folder.path().join("other");
    right(Identity::make(&path));
    let other = right(Identity::read(&path, nobody));
    assert!(matches!(world.folder().open(&other), Err(SecretsError::NotARecipient)));
    let sealed = fs::read(world.folder.path().join(SECRETS_AGE)).unwrap();
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone();
        bytes[at] ^= 1;
        assert!(seal::open(&bytes, &world.identity).is_err(), "octet {at}");
        assert!(seal::open(&sealed[..at], &world.identity).is_err(), "cut at {at}");
    }
}

#[test]
fn two_who_change_do_not_meet() {
    let world = World::new();
    let first = right(Folder::alone(world.folder.path()));
    assert!(Folder::alone(world.folder.path()).is_err());
    drop(first);
    right(Folder::alone(world.folder.path()));
}

#[test]
fn a_dkim_key_is_rotated_in_steps() {
    let mut chance = ChaCha20Rng::seed_from_u64(1);
    let mut vault = Vault::default();
    let first = right(KeyPair::make_dkim(DkimAlgorithm::Ed25519, &mut chance));
    right(vault.set("dkim", Vault::first_dkim(DkimAlgorithm::Ed25519, first), &mut chance));
    let check = |vault: &Vault, expected: &str| {
        let lock = vault.lock();
        let keys = lock.secrets["dkim"].value.dkim_keys();
        let said: Vec<String> = keys.iter().map(|key| format!("{} {}", key.number, key.state.word())).collect();
        assert_eq!(said.join(", "), expected);
        let text = lock.print();
        assert_eq!(SecretsLock::parse(text.as_bytes()).unwrap().0.print(), text);
    };
    check(&vault, "1 signing");
    assert!(vault.advance("dkim", "2026-11-22", |_| true, &mut chance).is_err(), "nothing to advance");
    let version = vault.secrets["dkim"].version.clone();
    assert_eq!(right(vault.publish_next("dkim", DkimAlgorithm::Ed25519, &mut chance)), Step::Published(2));
    assert_ne!(vault.secrets["dkim"].version, version);
    check(&vault, "1 signing, 2 published");
    assert!(vault.publish_next("dkim", DkimAlgorithm::Ed25519, &mut chance).is_err(), "one at a time");
    assert_eq!(right(vault.advance("dkim", "2026-11-22", |_| true, &mut chance)), Step::Signs(2, 1));
    check(&vault, "1 retiring, 2 signing");
    assert!(vault.advance("dkim", "2026-11-23", |since| since < "2026-11-16", &mut chance).is_err(), "still needed");
    check(&vault, "1 retiring, 2 signing");
    assert_eq!(right(vault.advance("dkim", "2026-11-30", |_| true, &mut chance)), Step::Removed(vec![1]));
    check(&vault, "2 signing");
    assert_eq!(right(vault.publish_next("dkim", DkimAlgorithm::Ed25519, &mut chance)), Step::Published(3));
    check(&vault, "2 signing, 3 published");
}

#[test]
fn a_kind_is_not_changed_by_setting() {
    let mut world = World::new();
    let mut vault = world.set("grace", "x");
    let token = Value::Token(Secret::new("y".to_owned()));
    assert!(matches!(vault.set("grace", token, &mut world.chance), Err(SecretsError::Kind { .. })));
    let password = || Value::Password(Secret::new("y".to_owned()));
    assert!(matches!(vault.set("a b", password(), &mut world.chance), Err(SecretsError::Name(_))));
    assert!(matches!(vault.remove("ada"), Err(SecretsError::Absent(_))));
}

/// Randomness is an argument: the same randomness gives the same lock, except for the digest of the file that age made.
#[test]
fn the_lock_follows_from_the_chance() {
    let mut chance = ChaCha20Rng::seed_from_u64(7);
    let mut vault = Vault { recipients: vec!["age1example".to_owned()], ..Vault::default() };
    let ed25519 = right(KeyPair::make_dkim(DkimAlgorithm::Ed25519, &mut chance));
    right(vault.set("dkim.example.org", Vault::first_dkim(DkimAlgorithm::Ed25519, ed25519), &mut chance));
    right(vault.set("grace", Value::Password(crate::password(&mut chance)), &mut chance));
    right(vault.publish_next("dkim.example.org", DkimAlgorithm::Rsa, &mut chance));
    right(vault.advance("dkim.example.org", "2026-11-22", |_| true, &mut chance));
    let pinned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden.lock");
    let made = vault.lock().print();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&pinned, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&pinned).unwrap_or_default(), made);
}
