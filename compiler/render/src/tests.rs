//! Whole bundles, judged by the programs that will read them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use postkiln_blueprint::{
    Antivirus, CatchAll, Certificate, Database, Forward, Ldap, Limits, List, MailDomain, Managed, Password, Posting,
    Purpose, Responder, Retention, Signature, Storage, Subaddress, Tls, TlsVersion, User, Web, Zone, ZoneRecord,
};

use super::*;

fn user(hash: &str) -> User {
    let password = match hash {
        "" => Password::None,
        hash => Password::Hash { fingerprint: String::new(), hash: hash.to_owned() },
    };
    User { name: "O'Hara; --".to_owned(), quota: Some(5 << 30), password, ..User::default() }
}

#[allow(clippy::too_many_lines, reason = "one of everything")]
fn blueprint(users: &[(&str, &str)]) -> Blueprint {
    let mut users: BTreeMap<_, _> = users.iter().map(|(name, hash)| (name.parse_local(), user(hash))).collect();
    if let Some(first) = users.values_mut().next() {
        first.forward = Some(Forward { to: vec!["x@elsewhere.example".parse().unwrap()], keep: true });
    }
    let list = List {
        members: vec!["ada@example.org".parse().unwrap()],
        post: Posting::Anyone,
        moderators: Vec::new(),
        prefix: None,
        ..List::default()
    };
    let responder = Responder { subject: "s".to_owned(), text: "t".to_owned(), once_per: 60, replies: 1, from: None };
    let mail = MailDomain {
        postmaster: "ada".parse_local(),
        users,
        aliases: [("sales".parse_local(), vec!["ada@example.org".parse().unwrap()])].into(),
        catch_all: CatchAll::Reject,
        subaddress: Subaddress::Plus,
        lists: [("announce".parse_local(), list)].into(),
        responders: [("info".parse_local(), responder)].into(),
        managed: Managed::Declared,
        limits: Limits::default(),
        deny: BTreeSet::new(),
        dkim: None,
    };
    let signature = Signature { sha256: String::new(), bytes: b"sig\n".to_vec() };
    Blueprint {
        version: Blueprint::VERSION,
        generation: 0,
        hostname: "mail.example.org".parse().unwrap(),
        addresses: Vec::new(),
        operators: Vec::new(),
        control: [("me".to_owned(), "mail.example.org\n".to_owned())].into(),
        domains: [("example.org".parse().unwrap(), mail)].into(),
        alias_domains: [("example.net".parse().unwrap(), "example.org".parse().unwrap())].into(),
        moved: Vec::new(),
        tcp: [("smtp".to_owned(), ":allow\n".to_owned())].into(),
        zones: [("example.org".parse().unwrap(), zone())].into(),
        tls: Tls { certificate: own_certificate(), minimum: TlsVersion::Tls12 },
        antivirus: Antivirus {
            clamav: true,
            stream_limit: 26 << 20,
            threads: 4,
            reload_beside: false,
            checks_per_day: 12,
            mirror: "signatures.example".parse().unwrap(),
            signatures: [("l.ndb".to_owned(), signature)].into(),
        },
        web: web(),
        ldap: Ldap { enabled: false, base: "dc=example,dc=org".to_owned(), anonymous: false },
        storage: Storage { database: Database::Sqlite, shared_mail: None },
        retention: Retention { removed_mailboxes: None, trash: None, junk: None, logs: None, bundles: 2 },
        services: Vec::new(),
        secrets: BTreeMap::new(),
    }
}

fn zone() -> Zone {
    let record = |name: &str, kind: &str, value: &str| ZoneRecord {
        name: name.to_owned(),
        kind: kind.to_owned(),
        value: value.to_owned(),
        purpose: Purpose::Site,
    };
    Zone {
        ttl: 3600,
        publish: true,
        records: vec![
            record("@", "NS", "mail.example.org."),
            record("@", "MX", "10 mail.example.org."),
            record("@", "TXT", "v=spf1 mx -all"),
            record("long", "TXT", &"\\\"x;".repeat(200)),
            record("mail", "A", "192.0.2.1"),
            record("*.dyn", "CNAME", "mail.example.org."),
            record("_imaps._tcp", "SRV", "0 1 993 mail.example.org."),
            record("@", "CAA", "0 issue \"ca.example\""),
        ],
        mta_sts: None,
        client: Vec::new(),
    }
}

fn own_certificate() -> Certificate {
    Certificate::Own { secret: "tls".to_owned(), chain: "chain\n".to_owned() }
}

fn web() -> Web {
    let name = "mail.example.org".parse().unwrap();
    Web { webmail: true, administration: true, languages: vec!["en".to_owned()], name }
}

/// Lets tests write `"ada".parse_local()`.
trait ParseLocal {
    fn parse_local(&self) -> postkiln_address::LocalPart;
}

impl ParseLocal for str {
    fn parse_local(&self) -> postkiln_address::LocalPart {
        postkiln_address::LocalPart::new(self).unwrap()
    }
}

#[test]
fn a_name_server_takes_the_zone() {
    let bundle = render(&blueprint(&[("ada", "")]), &BTreeMap::new(), &SourceMap::default(), &Serials::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone");
    std::fs::write(&path, bundle.file("dns/example.org.zone").unwrap()).unwrap();
    // Names outside the zone must not be looked up over the network.
    let program =
        ["/usr/bin/named-checkzone", "/usr/sbin/named-checkzone"].into_iter().find(|path| Path::new(path).exists());
    let output = Command::new(program.unwrap()).args(["-i", "local", "example.org"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_same_blueprint_gives_the_same_bytes_and_hashes_stay_in_the_seed() {
    let secret = format!("$6$salt${}", "h".repeat(86));
    let sources = [("site.ncl".to_owned(), b"hash = \"$6$\xe2\x80\xa6\"".to_vec())].into();
    let bundle = render(&blueprint(&[("ada", &secret)]), &sources, &SourceMap::default(), &Serials::default());
    assert_eq!(bundle, render(&blueprint(&[("ada", &secret)]), &sources, &SourceMap::default(), &Serials::default()));
    assert_eq!(
        bundle.manifest(),
        &outline(&blueprint(&[("ada", &secret)]), &sources, &SourceMap::default(), &Serials::default()).0
    );
    let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("hhhh");
    let holders: Vec<(&str, Owner)> =
        bundle.files().filter(|(_, bytes)| holds(bytes)).map(|(entry, _)| (entry.path.as_str(), entry.owner)).collect();
    let seeds = ["seeds/mysql.sql", "seeds/postgres.sql", "seeds/sqlite.sql"];
    assert_eq!(holders, seeds.map(|seed| (seed, Owner::Directory)));
}

#[test]
fn every_file_of_the_table_is_there() {
    let bundle = render(&blueprint(&[("ada", "")]), &BTreeMap::new(), &SourceMap::default(), &Serials::default());
    let text = |path: &str| String::from_utf8(bundle.file(path).unwrap_or_else(|| panic!("{path}")).to_vec()).unwrap();
    assert_eq!(
        text("users/assign"),
        "+example.net-:example.org:207:207:/data/mail/example.org:-::\n\
         +example.org-:example.org:207:207:/data/mail/example.org:-::\n.\n"
    );
    assert_eq!(text("domains/example.org/.qmail-ada"), "&x@elsewhere.example\n|vdelivermail '' bounce-no-mailbox\n");
    assert_eq!(text("domains/example.org/.qmail-announce"), "|ezmlm-send lists/example.org/announce\n");
    assert_eq!(
        text("domains/example.org/.qmail-info"),
        "|autorespond 60 1 robots/example.org/info robots/example.org/info.d\n"
    );
    assert_eq!(text("domains/example.org/.qmail-sales"), "&ada@example.org\n");
    assert_eq!(text("domains/example.org/.qmail-default"), "|vdelivermail '' bounce-no-mailbox\n");
    assert_eq!(text("clamav/signatures/l.ndb"), "sig\n");
    assert_eq!(text("control/me"), "mail.example.org\n");
    let found = users_assign::lookup(bundle.file("users/cdb").unwrap(), "example.net-Ada").unwrap().unwrap();
    assert_eq!((found.user.as_str(), found.ext.as_str()), ("example.org", "Ada"));
    for path in [
        "tcp/smtp",
        "tcp/smtp.cdb",
        "robots/example.org/info",
        "lists/example.org/announce/list.json",
        "dns/records.json",
        "clamav/clamd.conf",
        "clamav/freshclam.conf",
    ] {
        assert!(bundle.file(path).is_some(), "{path}");
    }
    let again: Blueprint = serde_json::from_str(&text("blueprint.json")).unwrap();
    assert_eq!(again.zones, blueprint(&[("ada", "")]).zones);
    let pretty = serde_json::to_string_pretty(&blueprint(&[("ada", "")])).unwrap();
    assert_eq!(again, serde_json::from_str(&pretty).unwrap(), "as bundles had it before");
}

/// Each row of a seed was made for the thing whose name stands in it, in every dialect.
#[test]
fn rows_of_seeds_know_whom_they_are_about() {
    let names: Vec<String> = (0..1200).map(|number| format!("user{number:04}")).collect();
    let users: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let blueprint = blueprint(&users);
    let bundle = render(&blueprint, &Sources::new(), &SourceMap::default(), &Serials::default());
    for dialect in Dialect::ALL {
        let path = seed_path(dialect);
        let origin = origin(&blueprint, &Serials::default(), &path).unwrap();
        assert!(origin.whole().is_none());
        let text = std::str::from_utf8(bundle.file(&path).unwrap()).unwrap();
        let told = |start: &str| {
            let line = text.lines().position(|line| line.starts_with(start)).unwrap();
            origin.line(line).map(|cause| cause.id.to_string())
        };
        assert_eq!(told("('example.org', 'user0000', NULL").as_deref(), Some("user/user0000@example.org"), "{path}");
        assert_eq!(told("('example.org', 'user1199', NULL").as_deref(), Some("user/user1199@example.org"), "{path}");
        assert_eq!(told("('example.org', 'sales', 1").as_deref(), Some("alias/sales@example.org"), "{path}");
        assert_eq!(told("('example.net', 'example.org')").as_deref(), Some("domain/example.net"), "{path}");
        assert_eq!(told("INSERT INTO seed_accounts"), None, "{path}");
    }
}
