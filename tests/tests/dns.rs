//! Zones and the files for mail programs are tested by other programs: BIND checks, loads and serves every zone of
//! every case and example, and answers as `records.json` says; libxml2 and Python read the files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{NameServer, binary, finish, repository};
use serde_json::Value;
use tempfile::TempDir;

/// Every site of `tests/cases` and `examples`, compiled.
fn bundles() -> Vec<(PathBuf, TempDir)> {
    let folders = ["tests/cases", "examples"].map(|folder| repository().join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder of sites").flatten());
    let mut sites: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join("site.ncl").is_file()).collect();
    sites.sort();
    assert!(sites.len() >= 3, "{sites:?}");
    sites.into_iter().map(|site| (compiled(&site), site)).map(|(bundle, site)| (site, bundle)).collect()
}

fn compiled(site: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut compile = Command::new(binary("postkiln"));
    let _ = finish(compile.arg("compile").arg(site).arg("-o").arg(folder.path().join("bundle")), LIMIT).success();
    folder
}

#[test]
fn named_checkzone_accepts_every_zone() {
    let mut seen = 0;
    for (_, bundle) in bundles() {
        let files = listed(&bundle.path().join("bundle/dns"));
        for zone in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "zone")) {
            // BIND's every warning counts as an error; it asks no other name server.
            let mut check = Command::new("/usr/bin/named-checkzone");
            check.args([
                "-k", "fail", "-n", "fail", "-m", "fail", "-M", "fail", "-r", "fail", "-S", "fail", "-i", "local",
            ]);
            let ended = finish(check.arg(zone.file_stem().expect("a name")).arg(zone), LIMIT);
            assert!(ended.status.success(), "{}\n{}{}", zone.display(), ended.output, ended.errors);
            seen += 1;
        }
    }
    assert!(seen >= 12, "only {seen} zones");
}

#[test]
fn a_name_server_answers_what_the_records_say() {
    for (site, bundle) in bundles() {
        let dns = bundle.path().join("bundle/dns");
        let expected = expected(&dns);
        if fs::read_dir(&dns).unwrap().count() < 2 {
            // With `dns.publish = false` there are records and no zone.
            continue;
        }
        let server = NameServer::start(&dns);
        let questions: Vec<String> = expected.keys().cloned().collect();
        for tcp in [false, true] {
            for (question, mut found) in questions.iter().zip(server.ask(&questions, tcp)) {
                found.sort();
                assert_eq!(found, expected[question], "{}: {question}\n{}", site.display(), server.log());
            }
        }
    }
}

/// The data of each name and type, as `dig` prints it. A wildcard is asked for by a name that it covers.
fn expected(dns: &Path) -> BTreeMap<String, Vec<String>> {
    let document: Value = serde_json::from_slice(&fs::read(dns.join("records.json")).unwrap()).unwrap();
    assert_eq!(document["version"], 1);
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let records = document["records"].as_array().expect("a list");
    assert!(records.len() > 4, "{records:?}");
    let text = |record: &Value, field: &str| record[field].as_str().expect("a string").to_owned();
    // The parent zone does not answer for addresses below a delegation.
    for record in records.iter().filter(|record| record["purpose"] != "delegation") {
        let name = text(record, "fqdn").replace("*.", "anything.");
        let data = presentation(record);
        expected.entry(format!("{name} {}", text(record, "type"))).or_default().push(data);
    }
    expected.values_mut().for_each(|data| data.sort());
    expected
}

/// The presentation form made from a record's parts, which must agree with its value.
fn presentation(record: &Value) -> String {
    let data = &record["data"];
    let word = |field: &str| data[field].as_str().map_or_else(|| data[field].to_string(), str::to_owned);
    let value = record["value"].as_str().expect("a string");
    let said = match record["type"].as_str().expect("a type") {
        "A" | "AAAA" => word("address"),
        "MX" => format!("{} {}", word("preference"), word("exchange")),
        "SRV" => format!("{} {} {} {}", word("priority"), word("weight"), word("port"), word("target")),
        "CAA" => format!("{} {} \"{}\"", word("flags"), word("tag"), word("value")),
        "TLSA" => format!("{} {} {} {}", word("usage"), word("selector"), word("matching"), word("data")),
        "TXT" => {
            let strings: Vec<&str> =
                data["strings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
            assert_eq!(strings.concat(), value);
            assert!(strings.iter().all(|string| string.len() <= 255));
            let quoted = strings.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
            return quoted.collect::<Vec<_>>().join(" ");
        }
        _ => word("host"),
    };
    assert_eq!(said, value);
    if record["type"] == "TLSA" { said.to_uppercase() } else { said }
}

#[test]
fn mail_programs_can_read_their_files() {
    let mut seen = 0;
    for (_, bundle) in bundles() {
        let web = bundle.path().join("bundle/web");
        for (folder, ending) in [("autoconfig", "xml"), ("autodiscover", "xml"), ("mobileconfig", "mobileconfig")] {
            for file in listed(&web.join(folder)) {
                assert_eq!(file.extension().and_then(|end| end.to_str()), Some(ending));
                let mut lint = Command::new("xmllint");
                lint.args(["--noout", "--nonet", "--nowarning"]);
                if folder != "autodiscover" {
                    let schema = if folder == "autoconfig" { "autoconfig.dtd" } else { "plist.dtd" };
                    lint.arg("--dtdvalid").arg(repository().join("tests/clients").join(schema));
                }
                let ended = finish(lint.arg(&file), LIMIT);
                assert!(ended.status.success(), "{}\n{}", file.display(), ended.errors);
                seen += 1;
            }
        }
        for profile in listed(&web.join("mobileconfig")) {
            let script = "import plistlib, sys, uuid\np = plistlib.load(open(sys.argv[1], 'rb'))\nc, = p['PayloadContent']\n\
                assert c['PayloadType'] == 'com.apple.mail.managed' and c['IncomingMailServerPortNumber'] == 993\n\
                assert uuid.UUID(p['PayloadUUID']) != uuid.UUID(c['PayloadUUID'])\n";
            let _ = finish(Command::new("python3").args(["-c", script]).arg(profile), LIMIT).success();
        }
        for policy in listed(&web.join("mta-sts")) {
            let text = fs::read_to_string(&policy).unwrap();
            assert!(text.starts_with("version: STSv1\r\nmode: ") && text.ends_with("\r\n"), "{text:?}");
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
            seen += 1;
        }
    }
    assert!(seen >= 10, "only {seen} files");
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

const LIMIT: Duration = Duration::from_secs(60);
