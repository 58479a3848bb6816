//! Secrets as people keep them: set by pipe, file and keyboard, read by Debian's `age`, never seen in any output or
//! file; and sites that compile to the same bytes for people who can open nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use postkiln_tests::{Ended, Site, binary, finish};
use serde_json::Value;
use tempfile::TempDir;

/// A person with a home directory, and a site that names secrets.
struct Desk {
    folder: TempDir,
    /// All output so far.
    said: String,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pk-secrets-").tempdir().unwrap();
        fs::create_dir(folder.path().join("site")).unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::write(folder.path().join("site/site.ncl"), SITE).unwrap();
        Self { folder, said: String::new() }
    }

    fn begun() -> Self {
        let mut desk = Self::new();
        let _ = desk.secret(&["init", "site"], "").success();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `postkiln` with these arguments and this standard input.
    fn postkiln(&mut self, arguments: &[&str], input: &str) -> Ended {
        let piped = self.path("input");
        fs::write(&piped, input).unwrap();
        let mut command = Command::new(binary("postkiln"));
        command.args(arguments).current_dir(self.folder.path()).stdin(File::open(&piped).unwrap());
        command.env_remove("XDG_CONFIG_HOME").env_remove("POSTKILN_IDENTITY").env("HOME", self.path("home"));
        let ended = finish(&mut command, LIMIT);
        fs::remove_file(piped).unwrap();
        self.said.push_str(&ended.output);
        self.said.push_str(&ended.errors);
        ended
    }

    fn secret(&mut self, arguments: &[&str], input: &str) -> Ended {
        self.postkiln(&[&["secret"], arguments].concat(), input)
    }

    /// The content of the file as Debian's `age` decrypts it.
    fn opened(&self, identity: &Path) -> Value {
        let mut age = Command::new("age");
        let ended = finish(age.arg("-d").arg("-i").arg(identity).arg(self.path("site/secrets.age")), LIMIT).success();
        serde_json::from_str(&ended.output).expect("JSON inside")
    }

    fn identity(&self) -> PathBuf {
        self.path("home/.config/postkiln/identity")
    }

    /// Every file that `compile` writes, with its content.
    fn compiled(&mut self, site: &str) -> Vec<(String, Vec<u8>)> {
        let out = tempfile::tempdir().unwrap();
        let bundle = out.path().join("bundle");
        let _ = self.postkiln(&["compile", site, "-o", bundle.to_str().unwrap()], "").success();
        files(&bundle, &bundle)
    }
}

fn files(root: &Path, folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(root, &path));
        } else {
            found.push((path.strip_prefix(root).unwrap().display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn debians_age_reads_what_we_write() {
    let mut desk = Desk::begun();
    let set = desk.secret(&["set", "site", "grace"], "correct horse\n").success();
    assert!(set.output.starts_with("grace password "), "{}", set.output);
    let _ = desk.secret(&["set", "site", "dkim.example.org", "--generate"], "").success();
    let inside = desk.opened(&desk.identity());
    assert_eq!(inside["secrets"]["grace"]["value"], "correct horse");
    let key = &inside["secrets"]["dkim.example.org"]["keys"][0];
    assert_eq!((&key["algorithm"], &key["state"]), (&"ed25519".into(), &"signing".into()), "as the site asks");
    // OpenSSL finds the public half in the private one that the lock has.
    let pem = desk.path("key.pem");
    fs::write(&pem, key["value"].as_str().unwrap()).unwrap();
    let mut openssl = Command::new("openssl");
    let text = finish(openssl.args(["pkey", "-noout", "-text_pub", "-in"]).arg(&pem), LIMIT).success().output;
    assert!(text.contains("ED25519 Public-Key"), "{text}");
    let lock = fs::read_to_string(desk.path("site/secrets.lock")).unwrap();
    assert!(lock.contains(&format!("public = {}", key["public"])), "{lock}");
}

#[test]
fn we_read_what_debians_age_writes() {
    let mut desk = Desk::begun();
    let _ = desk.secret(&["set", "site", "grace"], "first").success();
    let mut inside = desk.opened(&desk.identity());
    inside["secrets"]["grace"]["value"] = "second".into();
    inside["secrets"]["grace"]["version"] = "00000000000000ff".into();
    let recipient = inside["recipients"][0].as_str().unwrap().to_owned();
    let plain = desk.path("plain");
    fs::write(&plain, inside.to_string()).unwrap();
    let mut age = Command::new("age");
    let _ = finish(age.args(["-r", &recipient, "-o"]).arg(desk.path("site/secrets.age")).arg(&plain), LIMIT).success();
    // Somebody else changed the lock, so nothing is changed before a person says so.
    let refused = desk.secret(&["set", "site", "ada"], "x");
    assert_eq!(refused.code(), 1);
    assert!(refused.errors.contains("\"grace\" is another version in each"), "{}", refused.errors);
    assert_eq!(desk.secret(&["check", "site"], "").code(), 1);
    let checked = desk.postkiln(&["check", "site"], "");
    assert!(checked.errors.contains("warning[W0270]"), "{}", checked.errors);
    let _ = desk.secret(&["check", "site", "--mend"], "");
    let _ = desk.secret(&["set", "site", "ada"], "x").success();
    assert!(fs::read_to_string(desk.path("site/secrets.lock")).unwrap().contains("00000000000000ff"));
    assert_eq!(desk.opened(&desk.identity())["secrets"]["grace"]["value"], "second");
}

#[test]
fn ssh_keys_and_colleagues_are_let_in_and_out() {
    let mut desk = Desk::begun();
    let _ = desk.secret(&["set", "site", "grace"], "x").success();
    let ssh = desk.path("id_ed25519");
    let mut keygen = Command::new("ssh-keygen");
    let _ = finish(keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ada@desk", "-f"]).arg(&ssh), LIMIT).success();
    let public = fs::read_to_string(ssh.with_extension("pub")).unwrap();
    let other = desk.path("other");
    let colleague = desk.secret(&["identity", "--identity", other.to_str().unwrap()], "").success().output;
    let with_ssh = ["--identity", ssh.to_str().unwrap()];
    let denied = desk.secret(&["set", "site", "grace", with_ssh[0], with_ssh[1]], "y");
    assert_eq!(denied.code(), 1, "{}", denied.errors);
    let _ = desk.secret(&["recipients", "site", "--add", &public, "--add", colleague.trim()], "").success();
    let _ = desk.secret(&["set", "site", "grace", with_ssh[0], with_ssh[1]], "y").success();
    for identity in [&ssh, &other, &desk.identity()] {
        assert_eq!(desk.opened(identity)["secrets"]["grace"]["value"], "y", "{}", identity.display());
    }
    let removed = desk.secret(&["recipients", "site", "--remove", colleague.trim()], "").success();
    assert_eq!(removed.output.lines().count(), 2);
    let mut age = Command::new("age");
    let ended = finish(age.arg("-d").arg("-i").arg(&other).arg(desk.path("site/secrets.age")), LIMIT);
    assert_ne!(ended.code(), 0, "a removed key opens nothing");
}

/// No output of any command, no error and no bundle holds a value that was put in.
#[test]
fn values_are_nowhere() {
    let mut desk = Desk::begun();
    let _ = desk.secret(&["set", "site", "grace"], "tvalue-of-grace").success();
    fs::write(desk.path("ada.txt"), "tvalue-of-ada\n").unwrap();
    let _ = desk.secret(&["set", "site", "ada", "--from-file", "ada.txt"], "").success();
    let _ = desk.secret(&["set", "site", "dkim.example.org", "--generate"], "").success();
    let _ = desk.secret(&["set", "site", "token", "--kind", "token", "--generate"], "").success();
    let inside = desk.opened(&desk.identity());
    let token = inside["secrets"]["token"]["value"].as_str().unwrap().to_owned();
    let pem = inside["secrets"]["dkim.example.org"]["keys"][0]["value"].as_str().unwrap().to_owned();
    let private = fs::read_to_string(desk.identity()).unwrap();
    let private = private.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap().to_owned();
    // Error messages quote their subject, but never a secret.
    fs::write(desk.path("wrong.pem"), pem.replace("MC4", "tvalue-of-wrong")).unwrap();
    for arguments in [
        &["set", "site", "key", "--kind", "dkim", "--from-file", "wrong.pem"][..],
        &["set", "site", "key", "--kind", "tls-key", "--from-file", "ada.txt"],
        &["set", "site", "grace", "--kind", "token", "--from-file", "ada.txt"],
        &["set", "site", "grace", "--identity", "ada.txt"],
        &["recipients", "site", "--add", "age1nobody"],
        &["remove", "site", "grace"],
    ] {
        assert_ne!(desk.secret(arguments, "tvalue-of-input").code(), 0, "{arguments:?}");
    }
    for arguments in [
        &["secret", "list", "site"][..],
        &["secret", "list", "site", "--json"],
        &["secret", "check", "site"],
        &["secret", "recipients", "site"],
        &["secret", "rotate", "site", "ada"],
        &["secret", "rotate", "site", "dkim.example.org"],
        &["check", "site"],
        &["check", "site", "--json"],
    ] {
        let _ = desk.postkiln(arguments, "").success();
    }
    // Somebody takes a private key for a public one.
    let lock = fs::read_to_string(desk.path("site/secrets.lock")).unwrap();
    fs::write(desk.path("site/secrets.lock"), lock.replace("\"age1", &format!("\"{private}\",\n\"age1"))).unwrap();
    let wrong = desk.postkiln(&["check", "site"], "");
    assert!(wrong.code() == 1 && wrong.errors.contains("error[E0276]"), "{}", wrong.errors);
    fs::write(desk.path("site/secrets.lock"), lock).unwrap();
    let bundle = desk.compiled("site");
    assert!(bundle.iter().any(|(name, _)| name == "source/secrets.lock"), "the bundle holds the lock");
    let key = pem.lines().nth(1).unwrap();
    for value in ["tvalue", &token, key, private.as_str(), "PRIVATE KEY"] {
        assert!(!desk.said.contains(value), "{value} was printed:\n{}", desk.said);
        for (name, bytes) in &bundle {
            assert!(!bytes.windows(value.len()).any(|part| part == value.as_bytes()), "{value} is in {name}");
        }
    }
}

/// Two people with the same commit compile to the same bytes, though neither can open the secrets.
#[test]
fn clones_without_a_key_compile_to_the_same_bytes() {
    let mut desk = Desk::begun();
    let _ = desk.secret(&["set", "site", "grace"], "x").success();
    let _ = desk.secret(&["set", "site", "ada", "--generate"], "").success();
    let _ = desk.secret(&["set", "site", "dkim.example.org", "--generate"], "").success();
    let lock = fs::read_to_string(desk.path("site/secrets.lock")).unwrap();
    let whole = desk.compiled("site");
    let mut clones = Vec::new();
    for name in ["one", "two"] {
        fs::create_dir(desk.path(name)).unwrap();
        for file in ["site.ncl", "secrets.lock"] {
            fs::copy(desk.path("site").join(file), desk.path(name).join(file)).unwrap();
        }
        fs::remove_dir_all(desk.path("home")).unwrap();
        fs::create_dir(desk.path("home")).unwrap();
        clones.push(desk.compiled(name));
    }
    assert!(clones[0] == clones[1] && clones[0] == whole);
    let blueprint = whole.iter().find(|(name, _)| name == "blueprint.json").expect("a blueprint");
    let public = lock.split("public = \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(String::from_utf8_lossy(&blueprint.1).contains(public), "plans see the public half");
    let zone = whole.iter().find(|(name, _)| name == "dns/example.org.zone").expect("a zone");
    assert!(String::from_utf8_lossy(&zone.1).contains(public), "receivers see it too");
}

/// `examples/full` has secrets that nobody has the key of; the instructions in its README make new ones. Each state of
/// a rotation (publish, see, sign, retire) is what a plan sees.
#[test]
fn the_examples_secrets_are_made_anew_by_its_readme() {
    let site = Site::example("full");
    for (name, content) in files(site.path(), site.path()) {
        let text = String::from_utf8_lossy(&content).to_uppercase();
        assert!(!text.contains("AGE-SECRET-KEY-") && !text.contains("PRIVATE KEY-----"), "{name}");
    }
    let mut desk = Desk::new();
    fs::remove_dir_all(desk.path("site")).unwrap();
    let readme = fs::read_to_string(site.path().join("README.md")).unwrap();
    let (_, section) = readme.split_once("## The secrets").unwrap();
    let script: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let script = script.join("\n").replace("examples/full", site.path().to_str().unwrap());
    let programs = binary("postkiln").parent().unwrap().display().to_string();
    let mut shell = Command::new("sh");
    shell.args(["-ec", &script]).current_dir(desk.folder.path()).env("HOME", desk.path("home"));
    shell.env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()));
    shell.env_remove("XDG_CONFIG_HOME").env_remove("POSTKILN_IDENTITY").stdin(Stdio::null());
    let listed = finish(&mut shell, LIMIT).success().output;
    for name in ["dkim.shop.example", "kathleen", "relay", "tls"] {
        assert!(listed.contains(name), "{name} is not in\n{listed}");
    }
    let _ = desk.secret(&["check", "mysite"], "").success();
    let _ = desk.postkiln(&["check", "mysite"], "").success();
}

#[test]
fn a_dkim_key_is_rotated_in_steps() {
    let mut desk = Desk::begun();
    let _ = desk.secret(&["set", "site", "dkim.example.org", "--generate"], "").success();
    let mut step = |arguments: &[&str], told: &str, keys: &str| {
        let ended = desk.secret(arguments, "").success();
        assert!(ended.errors.contains(told), "{}", ended.errors);
        let bundle = desk.compiled("site");
        let blueprint = bundle.iter().find(|(name, _)| name == "blueprint.json").expect("a blueprint");
        let blueprint: Value = serde_json::from_slice(&blueprint.1).unwrap();
        let found = blueprint["secrets"]["dkim.example.org"]["kind"]["dkim"]["keys"].as_array().unwrap().iter();
        let state = |key: &Value| match &key["state"] {
            Value::String(state) => state.clone(),
            state => state.as_object().unwrap().keys().next().unwrap().clone(),
        };
        let found: Vec<String> = found.map(|key| format!("{} {}", key["number"], state(key))).collect();
        assert_eq!(found.join(", "), keys);
        let zone = bundle.iter().find(|(name, _)| name == "dns/example.org.zone").expect("a zone");
        let zone = String::from_utf8_lossy(&zone.1).into_owned();
        let mut published: Vec<&str> =
            zone.lines().filter_map(|line| line.split_once("._domainkey")).map(|(name, _)| name).collect();
        published.sort_unstable();
        let wanted: Vec<&str> =
            keys.split(", ").map(|key| if key.starts_with('1') { "postkiln" } else { "postkiln-2" }).collect();
        assert_eq!(published, wanted, "{zone}");
    };
    let name = "dkim.example.org";
    step(&["rotate", "site", name], "wait until its record is seen", "1 signing, 2 published");
    step(&["advance", "site", name], "leave the record of key 1 in place for 7 days", "1 retiring, 2 signing");
    step(&["advance", "site", name, "--early"], "is not in the zones", "2 signing");
    let early = desk.secret(&["advance", "site", "dkim.example.org"], "");
    assert!(early.code() == 1 && early.errors.contains("is not being rotated"), "{}", early.errors);
}

#[test]
fn private_keys_are_kept_from_others_and_from_repositories() {
    let mut desk = Desk::begun();
    fs::set_permissions(desk.identity(), fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = desk.secret(&["set", "site", "grace"], "x");
    assert!(exposed.code() == 1 && exposed.errors.contains("chmod 600"), "{}", exposed.errors);
    let mut desk = Desk::new();
    let inside = desk.secret(&["init", "site", "--identity", "site/identity"], "");
    assert!(inside.code() == 64 && inside.errors.contains("in the site"), "{}", inside.errors);
    fs::create_dir_all(desk.path("repository/.git")).unwrap();
    let inside = desk.secret(&["identity", "--identity", "repository/identity"], "");
    assert!(inside.code() == 64 && inside.errors.contains("in the repository"), "{}", inside.errors);
    assert!(!desk.path("site/identity").exists() && !desk.path("repository/identity").exists());
}

#[test]
fn the_site_is_named_by_its_file_too() {
    let mut desk = Desk::new();
    let ended = desk.secret(&["init", "elsewhere"], "");
    assert_eq!(ended.code(), 4, "a site that is not there gets no secrets");
    assert!(ended.errors.contains("cannot read elsewhere: "), "{}", ended.errors);
    let mut command = Command::new(binary("postkiln"));
    command.args(["secret", "init", "site.ncl", "--identity"]).arg(desk.identity()).current_dir(desk.path("site"));
    let _ = finish(&mut command, LIMIT).success();
    assert!(desk.path("site/secrets.age").is_file());
}

#[test]
fn a_site_with_errors_does_not_say_what_a_secret_is_for() {
    let mut desk = Desk::begun();
    fs::write(desk.path("site/site.ncl"), "{ appliance.hostname = 1 }").unwrap();
    let errors = desk.secret(&["set", "site", "grace", "--generate"], "").success().errors;
    assert!(errors.contains("it is taken for a password, unless --kind says otherwise"), "{errors}");
    // The second time the secret itself says it.
    let errors = desk.secret(&["set", "site", "grace", "--generate"], "").success().errors;
    assert!(!errors.contains("--kind"), "{errors}");
}

/// A typed value is seen neither by the person nor in the terminal's history; two that differ change nothing.
#[test]
fn a_value_is_typed_unseen() {
    let desk = Desk::begun();
    let type_in = |one: &str, other: &str| {
        let mut python = Command::new("python3");
        python.args(["-c", TYPIST]).arg(binary("postkiln")).args([one, other]).stdin(Stdio::null());
        python.current_dir(desk.folder.path()).env("HOME", desk.path("home"));
        python.env_remove("XDG_CONFIG_HOME").env_remove("POSTKILN_IDENTITY");
        let ended = finish(&mut python, LIMIT);
        assert!(!ended.output.contains("tvalue"), "{}", ended.output);
        ended
    };
    assert_eq!(type_in("tvalue-typed", "tvalue-other").code(), 1);
    assert_eq!(desk.opened(&desk.identity())["secrets"].get("grace"), None);
    let ended = type_in("tvalue-typed", "tvalue-typed").success();
    assert!(ended.output.contains("value of grace:"), "{}", ended.output);
    assert_eq!(desk.opened(&desk.identity())["secrets"]["grace"]["value"], "tvalue-typed");
}

/// A person at a terminal: waits for each prompt, types a line, and shows what the terminal showed.
const TYPIST: &str = "
import os, pty, sys
program, *lines = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execv(program, [program, 'secret', 'set', 'site', 'grace'])
shown = b''
prompts = [b'grace: ', b'more: ']
while True:
    try:
        part = os.read(terminal, 1024)
    except OSError:
        break
    if not part:
        break
    shown += part
    if prompts and shown.endswith(prompts[0]):
        prompts.pop(0)
        os.write(terminal, lines.pop(0).encode() + b'\\n')
print(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

const SITE: &str = r#"let pk = import "postkiln/site.ncl" in
{
  appliance = {
    hostname = "mail.example.org",
    network = { address = "192.0.2.25/24", gateway = "192.0.2.1", resolvers = ["192.0.2.53"] },
  },
  domains."example.org" = {
    postmaster = "ada",
    users = { ada.password.secret = "ada", grace.password.secret = "grace" },
    dkim = { selector = "postkiln", algorithm = 'ed25519 },
  },
  dns.address = "192.0.2.25",
} | pk.Site
"#;
const LIMIT: Duration = Duration::from_secs(120);
