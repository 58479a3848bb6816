//! Reference pages that programs print must be those in `schemas/manual/`. `UPDATE=1` writes them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::path::Path;
use std::process::Command;

use postkiln_tests::binary;

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(binary("postkiln")).args(arguments).output().expect("postkiln starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn check(page: &str, arguments: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/manual").join(page);
    let now = printed(arguments);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == now, "schemas/manual/{page} is stale: UPDATE=1 cargo test --test pages, then read the difference");
}

#[test]
fn the_language_is_described_as_it_is() {
    check("language.md", &["schema", "--format", "markdown"]);
}

#[test]
fn every_finding_is_explained_as_it_is() {
    check("findings.md", &["explain", "--list", "--markdown"]);
}

/// An independent reader accepts the JSON Schema and tells valid sites from invalid ones by it.
#[test]
fn the_json_schema_is_one() {
    let program = "\
import json, sys
from jsonschema import Draft202012Validator as Validator
schema = json.load(sys.stdin)
Validator.check_schema(schema)
def judge(name, value):
    part = dict(schema)
    part['$ref'] = '#/$defs/' + name
    print(name, len(list(Validator(part).iter_errors(value))))
judge('User', {'name': 'Ada Lovelace', 'quota': '5 GiB', 'aliases': ['countess'], 'password': {'secret': 'ada'}})
judge('User', {'nmae': 'Ada Lovelace'})
judge('User', {'aliases': 'countess'})
judge('Domain', {'catch_all': {'deliver_to': 'ada'}})
judge('Domain', {'catch_all': 'bounce'})
judge('User', {'password': {'hash': '$6$salt$hash', 'reset': 1}})
judge('Tls', {'certificate': {'acme': {'email': 'ops@example.org', 'agree': True}}})
judge('Appliance', {'hostname': 'mail.example.org', 'network': {'address': '192.0.2.25/24', 'gateway': '192.0.2.1'}})
judge('Site', {'domains': {}})
";
    // Debian's Python is used, since it has Debian's python3-jsonschema.
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", program]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = python.spawn().expect("python3 starts");
    let schema = printed(&["schema", "--format", "json-schema"]);
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), schema.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "User 0\nUser 1\nUser 1\nDomain 0\nDomain 1\nUser 0\nTls 0\nAppliance 0\nSite 1\n");
}
