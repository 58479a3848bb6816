//! `postkiln explain` and the node agree: real mail goes where `explain` said before anything ran. And `plan --replay`
//! reads the node's log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::clients::{message, receive_from_outside};
use postkiln_tests::{Running, Site, binary, eventually};
use serde_json::Value;

const STRANGER: &str = "stranger@elsewhere.example";

/// The result of `explain --json`: the mailboxes reached, or that the address is refused.
fn told(site: &Path, address: &str) -> Result<BTreeSet<String>, String> {
    let output = Command::new(binary("postkiln")).args(["explain", "--json"]).arg(site).arg(address).output().unwrap();
    assert!(output.status.success(), "{address}: {}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut mailboxes = BTreeSet::new();
    for end in report["ends"].as_array().unwrap() {
        let what = end["what"].as_str().unwrap().to_owned();
        match end["kind"].as_str().unwrap() {
            "mailbox" => drop(mailboxes.insert(what)),
            "refused" => return Err(what),
            // Only people who may send through us reach others; the stranger may not.
            "elsewhere" if what == address => return Err("rcpthosts".to_owned()),
            _ => {}
        }
    }
    Ok(mailboxes)
}

/// The owner of each mail directory.
fn accounts(data: &Path) -> BTreeMap<String, String> {
    let query = "SELECT id || ' ' || local || '@' || domain FROM accounts WHERE removed IS NULL";
    let output = Command::new("sqlite3").arg(data.join("db/postkiln.sqlite")).arg(query).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split_once(' ').unwrap()).map(|(id, name)| (id.to_owned(), name.to_owned())).collect()
}

/// The mailboxes in which a message with this subject lies.
fn found(data: &Path, accounts: &BTreeMap<String, String>, subject: &str) -> BTreeSet<String> {
    let mut mailboxes = BTreeSet::new();
    let mut open = vec![data.join("mail")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let is_it = fs::read_to_string(&path).is_ok_and(|text| text.contains(&format!("Subject: {subject}\n")));
            if is_it && folder.ends_with("Maildir/new") {
                let account = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
                let owner = account.filter_map(|part| accounts.get(&part)).next().expect("a mailbox has an owner");
                mailboxes.insert(owner.clone());
            }
        }
    }
    mailboxes
}

const ADDRESSES: &[&str] = &[
    "ada@example.org",
    "ADA@Example.NET",
    "countess@example.org",
    "grace.hopper@example.net",
    "sales@example.org",
    "cryptanalysis@example.net",
    "support@example.org",
    "postmaster@example.org",
    "ada+shop@example.org",
    "sales+autumn@example.org",
    "ada+@example.org",
    "info@example.org",
    "nobody@example.org",
    "nobody+ada@example.org",
    "ada-shop@example.org",
    "someone@third.example",
    // The following addresses are added to the example.
    "loud@example.org",
    "ada+sales@example.org",
    "left@example.org",
    "anything@catch.example",
    "drop@discard.example",
];

/// The example with addresses that lead further, `left` among them or not; `sales` leads to the given targets.
fn office(sales: &str, left: &str) -> Site {
    let more = format!(
        "loud = [\"sales\", \"cryptanalysis\", \"grace\"],\n        \"ada+sales\" = [\"grace\"],\n        \
         {left}\n        cryptanalysis = ["
    );
    Site::small_office()
        .replace("sales = [\"ada\", \"grace\"]", &format!("sales = [{sales}]"))
        .replace("cryptanalysis = [", &more)
        .replace(
            "\"example.net\".alias_of",
            "\"catch.example\" = { postmaster = \"ada\", users.ada = {}, catch_all = 'deliver_to \"joan@example.org\" },\n    \
             \"discard.example\" = { postmaster = \"ada\", users.ada = {}, catch_all = 'discard },\n    \
             \"example.net\".alias_of",
        )
        .without_antivirus()
}

#[test]
fn what_explain_tells_is_what_happens() {
    let site = office("\"ada\", \"grace\"", "left = [\"loud@example.net\"],");
    let node = Running::start(site.path());
    assert!(agree(&node, &site, ADDRESSES) > 12, "too few addresses are accepted to show anything");
    replayed(&site, &node.stop());
}

/// Aliases and forwards that stand in a table and not in files of their own.
#[test]
fn what_explain_tells_of_a_table_is_what_happens() {
    let site = Site::many_aliases();
    let node = Running::start(site.path());
    let active = node.data().join("bundles/active/domains/example.org");
    let mut names: Vec<_> = fs::read_dir(active).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".qmail-default", "aliases.cdb"], "no address has a file");
    let addresses = [
        "person1@example.org",
        "alias1@example.org",
        "Other.2@Example.Org",
        "alias398+shop@example.org",
        "person6@example.org",
        "person6+shop@example.org",
        "alias6@example.org",
        "ada@example.org",
        "postmaster@example.org",
        "alias400@example.org",
        "other@example.org",
        "nobody@example.org",
    ];
    assert_eq!(agree(&node, &site, &addresses), 9);
    node.stop();
}

/// Sends to each address, and checks that mail is refused, or reaches exactly the mailboxes, as `explain` tells. Gives
/// the number of addresses that are accepted.
fn agree(node: &Running, site: &Site, addresses: &[&str]) -> usize {
    let accounts = accounts(node.data());
    let mut expected = Vec::new();
    for (number, address) in addresses.iter().enumerate() {
        let subject = format!("number {number} of the addresses");
        let said = receive_from_outside(node, STRANGER, &[address], &message(STRANGER, address, &subject, "hello"));
        match told(site.path(), address) {
            Err(why) => assert!((500..600).contains(&said.code), "{address}: told {why}, and {said:?}"),
            Ok(mailboxes) => {
                assert_eq!(said.code, 250, "{address}: told {mailboxes:?}, and {said:?}");
                expected.push((*address, subject, mailboxes));
            }
        }
    }
    for (address, subject, mailboxes) in &expected {
        eventually(&format!("{address} reaches {mailboxes:?}"), Duration::from_secs(60), || {
            (found(node.data(), &accounts, subject) == *mailboxes).then_some(())
        });
    }
    // Afterwards no message has gone further.
    for (address, subject, mailboxes) in &expected {
        assert_eq!(found(node.data(), &accounts, subject), *mailboxes, "{address}");
    }
    expected.len()
}

/// `plan --replay` reads the node's log: mail that really came would end elsewhere with another site.
fn replayed(site: &Site, log: &str) {
    let new = office("\"joan\"", "");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.log");
    fs::write(&file, log).unwrap();
    let mut plan = Command::new(binary("postkiln"));
    plan.arg("plan").arg(new.path()).arg("--against").arg(site.path()).arg("--replay").arg(file).arg("--json");
    let output = plan.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let replay = &plan["replay"];
    assert!(replay["walked"].as_u64().unwrap() > 12, "{replay}");
    let changed = replay["changed"].as_array().unwrap().iter();
    let changed: BTreeMap<&str, (&Value, &Value)> =
        changed.map(|one| (one["to"].as_str().unwrap(), (&one["before"], &one["after"]))).collect();
    let (before, after) = changed["sales@example.org"];
    assert_eq!(*before, serde_json::json!({"fate": "accepted", "ends": ["ada@example.org", "grace@example.org"]}));
    assert_eq!(*after, serde_json::json!({"fate": "accepted", "ends": ["joan@example.org"]}));
    assert_eq!(changed["left@example.org"].1["fate"], "refused");
    assert!(!changed.contains_key("ada@example.org"), "{replay}");
}
