//! Sites as people write them, and the findings about them.

mod space;
mod zones;

use std::fmt::Write;

use postkiln_site::{Diagnostic, read_unconfined};

use crate::{Blueprint, Password, lower};

const HASH: &str = "$6$salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A site with two users, one per line of the domain; `HASH` stands for a valid hash.
fn lowered(domain: &str, rest: &str) -> Result<(Blueprint, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut text = String::from("let pk = import \"postkiln/site.ncl\" in\n{\n");
    let network = if rest.contains("appliance") {
        ""
    } else {
        "appliance = { hostname = \"mail.example.org\", network = { address = \"192.0.2.10/24\", gateway = \"192.0.2.1\", resolvers = [\"192.0.2.53\"] } },"
    };
    let users = if domain.contains("users =") {
        ""
    } else {
        "users = { ada = { password = { hash = HASH } }, grace = { password = { hash = HASH } } },"
    };
    write!(
        text,
        "{network}\ndomains = {{\n\"example.org\" = {{ postmaster = \"ada\", {users}\n{domain}\n}},\n\"example.net\" = {{ alias_of = \"example.org\" }},\n}},\n{rest}\n}} | pk.Site\n"
    )
    .unwrap();
    lowered_text(&text.replace("HASH", &format!("{HASH:?}")))
}

fn lowered_text(text: &str) -> Result<(Blueprint, Vec<Diagnostic>), Vec<Diagnostic>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.ncl"), text).unwrap();
    let (site, _) = read_unconfined(folder.path()).unwrap_or_else(|found| panic!("{found:#?}\n{text}"));
    lower(&site)
}

/// `expected` has `CODE message` for each finding, in order.
fn check(domain: &str, rest: &str, expected: &[&str]) {
    let found = match lowered(domain, rest) {
        Ok((_, warnings)) => warnings,
        Err(errors) => errors,
    };
    assert!(found.iter().all(|finding| finding.place.is_some()), "{found:#?}");
    let said: Vec<String> = found.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect();
    assert_eq!(said, expected, "{domain}\n{rest}");
}

#[test]
fn a_plain_site_has_no_findings_and_every_default_is_decided() {
    let (blueprint, warnings) = lowered("", "").unwrap();
    assert_eq!(warnings, []);
    assert_eq!(blueprint.control.len(), postkiln_control::REGISTRY.len());
    for (name, expected) in [
        ("rcpthosts", "example.net\nexample.org\n"),
        ("virtualdomains", "example.net:example.net\nexample.org:example.org\n"),
        ("locals", ""),
        ("network", "192.0.2.10/24 192.0.2.1\n"),
        ("resolvers", "192.0.2.53\n"),
        ("doublebouncehost", "example.org\n"),
        ("databytes", "26214400\n"),
        ("scanner", "engine=none\non_infected=reject\non_failure=defer\n"),
    ] {
        assert_eq!(blueprint.control.get(name).map(String::as_str), Some(expected), "{name}");
    }
    let json = serde_json::to_string(&blueprint).unwrap();
    assert!(!json.contains("aaaa"), "{json}");
    assert!(!format!("{blueprint:?}").contains("aaaa"));
    let again = Blueprint::read(json.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), json);
}

#[test]
fn what_is_no_blueprint_of_ours_says_what_it_is() {
    let json = serde_json::to_value(lowered("", "").unwrap().0).unwrap();
    let check = |field: &str, value: serde_json::Value, expected: &str| {
        let mut json = json.clone();
        json[field] = value;
        let error = Blueprint::read(json.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{field}: {error}");
    };
    let newer = Blueprint::VERSION + 1;
    check("version", newer.into(), &format!("of version {newer}, which a newer postkiln writes"));
    check("sieve", true.into(), "damaged, or of a newer postkiln");
    check("control", true.into(), "damaged, or of a newer postkiln");
    let both = format!("{{\"version\": {newer}, \"anything\": 1}}");
    assert!(matches!(Blueprint::read(both.as_bytes()), Err(crate::Unreadable::Newer(version)) if version == newer));
    assert!(matches!(Blueprint::read(b"noise"), Err(crate::Unreadable::Form(_))));
}

#[test]
fn one_address_has_one_meaning() {
    check(
        "aliases = { Ada = [\"grace\"], sales = [\"ada\"] }, lists = { SALES = { members = [\"ada\"] } }, autoresponders = { sales = { subject = \"s\", text = \"t\" } },",
        "",
        &[
            "E0301 ada@example.org is declared twice: as a user and as an alias",
            "E0301 sales@example.org is declared twice: as an alias and as a list",
            "E0301 sales@example.org is declared twice: as an alias and as an autoresponder",
        ],
    );
    check("autoresponders = { ada = { subject = \"s\", text = \"t\" } },", "", &[]);
    check("aliases = { postmaster = [\"ada\"] },", "", &[]);
    check(
        "aliases = { postmaster = [\"grace\"] },",
        "",
        &["E0301 postmaster@example.org is declared twice: as an alias and as the postmaster"],
    );
    check(
        "aliases = { default = [\"ada\"], \"x-default\" = [\"ada\"] },",
        "",
        &[
            "E0312 \"default\" cannot be the name of an alias in example.org",
            "E0312 \"x-default\" cannot be the name of an alias in example.org",
        ],
    );
}

#[test]
fn targets_of_ours_exist() {
    check(
        "aliases = { sales = [\"adaa\"] },",
        "",
        &["E0302 the alias sales is adaa@example.org, which does not exist"],
    );
    check(
        "aliases = { sales = [\"nobody@example.net\", \"x@elsewhere.example\", \"GRACE@example.net\"] },",
        "",
        &["E0302 the alias sales is nobody@example.net, which does not exist"],
    );
    check(
        "aliases = { sales = [\"nobody\"] }, catch_all = 'deliver_to \"ada\",",
        "",
        &[
            "W0323 the alias sales is nobody@example.org, which is not declared: the catch-all of example.org sends its mail to ada@example.org",
        ],
    );
    check(
        "lists = { l = { members = [\"nobody\"], post = 'moderators, moderators = [\"nobody2\"] } },",
        "",
        &[
            "E0302 a member of the list l is nobody@example.org, which does not exist",
            "E0302 a moderator of the list l is nobody2@example.org, which does not exist",
        ],
    );
    let found = lowered("aliases = { sales = [\"grce\"] },", "").unwrap_err();
    assert_eq!(found[0].hint.as_deref(), Some("did you mean \"grace\"?"));
}

#[test]
fn circles_are_found_once_each() {
    check(
        "aliases = { a = [\"b\"], b = [\"c\", \"ada\"], c = [\"A@example.net\"] },",
        "",
        &["E0303 mail would go in a circle: a@example.org → b@example.org → c@example.org → a@example.org"],
    );
    check(
        "users = { ada = { password = { hash = HASH }, forward = { to = [\"ada\"] } } },",
        "",
        &["E0303 mail would go in a circle: ada@example.org → ada@example.org"],
    );
    check(
        "catch_all = 'deliver_to \"nobody\",",
        "",
        &["E0303 mail would go in a circle: the catch-all of example.org → the catch-all of example.org"],
    );
}

#[test]
fn alias_domains_lead_to_domains() {
    let text = |target: &str| {
        format!(
            "let pk = import \"postkiln/site.ncl\" in {{ appliance = {{ hostname = \"mail.example.org\" }}, domains = {{ \
             \"example.org\" = {{ users = {{ ada = {{ password = {{ hash = {HASH:?} }} }} }} }}, \
             \"example.net\" = {{ alias_of = \"{target}\" }} }}, dns.address = \"192.0.2.1\" }} | pk.Site\n"
        )
    };
    assert_eq!(lowered_text(&text("example.org")).unwrap().1, []);
    for target in ["example.net", "example.orgg"] {
        let codes: Vec<&str> =
            lowered_text(&text(target)).unwrap_err().iter().map(|finding| finding.code.name()).collect();
        assert_eq!(codes, ["E0304"], "{target}");
    }
}

#[test]
fn lists_have_people() {
    check(
        "lists = { l = { members = [\"ada\"], post = 'moderators } },",
        "",
        &["E0305 nobody may post to l@example.org: it has no moderators"],
    );
    check(
        "lists = { l = { members = [], post = 'anyone } },",
        "",
        &["W0306 l@example.org has no members: posts reach nobody"],
    );
}

#[test]
fn recipients_beyond_what_the_node_takes_are_refused() {
    let readers =
        |number| format!("std.array.generate (fun n => \"r%{{std.to_string n}}@elsewhere.example\") {number}");
    check(&format!("aliases = {{ all = {} }},", readers(2000)), "", &[]);
    check(
        &format!("aliases = {{ all = {} }},", readers(2001)),
        "",
        &["E0345 all@example.org has 2001 targets; the node takes 2000"],
    );
    check(
        &format!("lists = {{ l = {{ members = {}, post = 'anyone }} }},", readers(100_001)),
        "",
        &["E0345 l@example.org has 100001 members; the node takes 100000"],
    );
}

#[test]
fn people_who_cannot_log_in_are_named() {
    check(
        "users = { ada = { password = { secret = \"ada\" } } },",
        "",
        &[
            "W0301 ada@example.org cannot log in on an appliance: the secret \"ada\" is not delivered there yet",
            "W0401 the password of ada@example.org is the secret \"ada\", which is not in secrets.lock",
        ],
    );
    check(
        "users = { ada = {}, out = { forward = { to = [\"x@elsewhere.example\"] } } },",
        "",
        &["W0303 ada@example.org has a mailbox and no password: nobody can log in"],
    );
    let (blueprint, _) = lowered("", "").unwrap();
    let password = &blueprint.domains.values().next().unwrap().users.values().next().unwrap().password;
    assert!(matches!(password, Password::Hash { hash, .. } if hash == HASH));
}

#[test]
fn a_mailbox_holds_the_largest_message() {
    let ada = |quota: &str| format!("users = {{ ada = {{ password = {{ hash = HASH }}, quota = \"{quota}\" }} }},");
    check(&ada("1 GiB"), "", &[]);
    check(&ada("1 MiB"), "", &["E0307 ada@example.org may hold 1 MiB, and messages of up to 25 MiB are accepted"]);
    check(&ada("1 MiB"), "control = { databytes = 1000000 },", &[]);
}

#[test]
fn control_files_are_typed_and_open_no_relay() {
    check("", "control = { rcpthost = [\"example.org\"] },", &["E0308 there is no control file called \"rcpthost\""]);
    check("", "control = { databytes = \"many\" },", &["E0309 control file databytes: it takes a number"]);
    check(
        "",
        "control = { timeoutsmtpd = 0 },",
        &["E0309 control file timeoutsmtpd: line 1: 0 is not between 1 and 86400"],
    );
    check(
        "",
        "control = { me = \"x.example\" },",
        &["E0309 the control file me is made from another part of the site"],
    );
    check("", "control = { concurrencyremote = 40, smtproutes = [\":192.0.2.5:2525\"] },", &[]);
    let ours = "\"example.org\", \"example.net\"";
    for (line, code) in [("other.example", true), (".example", true), (".example.org", true), ("backup.example", false)]
    {
        let rest =
            format!("control = {{ rcpthosts = [{ours}, \"{line}\"], smtproutes = [\"backup.example:192.0.2.6\"] }},");
        let message = format!("E0310 rcpthosts has {line}, so strangers could send through this system to others");
        let expected: Vec<&str> = code.then_some(message.as_str()).into_iter().collect();
        check("", &rest, &expected);
    }
    check(
        "",
        "control = { rcpthosts = [\"example.org\"] },",
        &["W0304 mail from others for example.net is refused: rcpthosts leaves it out"],
    );
}

#[test]
fn expectations_are_proved_by_the_walk() {
    let domain = "users = { ada = { password = { hash = HASH }, aliases = [\"countess\"] }, grace = { password = { hash = HASH }, forward = { to = [\"g@navy.example\"], keep = true } } },
        aliases = { sales = [\"ada\", \"grace\"] },
        lists = { news = { members = [\"ada\"], post = 'moderators, moderators = [\"grace\"] } },";
    let expect = |from: &str, to: &str, result: &str| {
        format!(
            "control = {{ badmailfrom = [\"@bad.example\"] }}, expect = [{{ from = \"{from}\", to = \"{to}\", result = '{result} }}],"
        )
    };
    for (from, to, result) in [
        ("x@else.example", "countess@example.org", "delivered_to \"ada@example.org\""),
        ("x@else.example", "Countess@Example.net", "delivered_to \"ada@example.net\""),
        ("x@else.example", "sales@example.org", "delivered_to \"g@navy.example\""),
        ("x@else.example", "sales@example.org", "delivered_to \"grace@example.org\""),
        ("x@else.example", "nobody@example.org", "refused"),
        ("x@else.example", "y@third.example", "refused"),
        ("x@bad.example", "ada@example.org", "refused"),
        ("ada@example.org", "y@third.example", "delivered_to \"y@third.example\""),
        ("grace@example.net", "news@example.org", "delivered_to \"ada@example.org\""),
    ] {
        check(domain, &expect(from, to, result), &[]);
    }
    let wrong = |from: &str, to: &str, result: &str, message: &str| {
        check(domain, &expect(from, to, result), &[&format!("E0311 mail from {from} to {to} is {message}")]);
    };
    wrong("x@else.example", "ada@example.org", "refused", "delivered to ada@example.org, not refused");
    let said = "refused (rcpthosts does not name the domain), not delivered to y@third.example";
    wrong("x@else.example", "y@third.example", "delivered_to \"y@third.example\"", said);
    let said = "not let through by news@example.org, not delivered to ada@example.org";
    wrong("x@else.example", "news@example.org", "delivered_to \"ada@example.org\"", said);
}

#[test]
fn zones_hold_what_mail_needs_and_nothing_that_contradicts() {
    let records = |records: &str| format!("dns = {{ records.\"example.org\" = [{records}] }},");
    let www = "{ name = \"www\", type = 'A, value = \"192.0.2.80\" }";
    check("", &records(www), &[]);
    check("", &records(&format!("{www}, {www}")), &["E0314 the same A record of www stands twice in example.org"]);
    check(
        "",
        &records(&format!("{www}, {{ name = \"www\", type = 'CNAME, value = \"x.example\" }}")),
        &["E0314 www in example.org has a CNAME record and others beside it"],
    );
    check(
        "",
        &records("{ name = \"@\", type = 'MX, value = \"5 mx9\" }"),
        &["E0314 the MX record of @ names mx9.example.org, which has no address in example.org"],
    );
    let includes = "include:a.example ".repeat(11);
    check(
        "",
        &records(&format!("{{ name = \"@\", type = 'TXT, value = \"v=spf1 {includes}-all\" }}")),
        &["E0315 the SPF record of @ in example.org needs 11 look-ups"],
    );
}

#[test]
fn an_unknown_public_address_and_a_network_without_resolvers_are_warned_of() {
    check(
        "",
        "appliance = { hostname = \"mail.example.org\" },",
        &[
            "W0302 the zone example.org names 192.0.2.1 as the address of mail.example.org, since the public one is not known",
        ],
    );
    check("", "appliance = { hostname = \"mail.example.org\" }, dns.address = \"192.0.2.7\",", &[]);
    check(
        "",
        "appliance = { hostname = \"mail.example.org\", network = { address = \"192.0.2.10/24\", gateway = \"192.0.2.1\" } },",
        &["W0305 a machine with a fixed address has no DNS servers to ask"],
    );
}

#[test]
fn everything_is_found_at_once() {
    let found =
        lowered("aliases = { sales = [\"nobody\"], ada = [\"grace\"] },", "control = { databyte = 1 },").unwrap_err();
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.name()).collect();
    assert_eq!(codes, ["E0302", "E0301", "E0308"]);
    assert!(found.is_sorted_by(|one, two| one.place <= two.place));
}

#[test]
fn secrets_are_there_and_are_what_they_must_be() {
    let folder = tempfile::tempdir().unwrap();
    let site = "let pk = import \"postkiln/site.ncl\" in\n{\nappliance = { hostname = \"mail.example.org\", network = { address = \
                \"192.0.2.10/24\", gateway = \"192.0.2.1\", resolvers = [\"192.0.2.53\"] } },\ndomains.\"example.org\" = { postmaster = \"ada\", users = \
                {\nada.password.secret = \"ada\",\ngrace.password.secret = \"web\",\nalan.password.secret = \"alam\" } } } | pk.Site\n";
    let secret =
        |name: &str, kind: &str| format!("[secrets.{name}]\nversion = \"0123456789abcdef\"\nkind = \"{kind}\"\n");
    let web = secret("web", "tls-key") + &format!("spki_sha256 = \"{}\"\n", "0".repeat(64));
    let check = |secrets: &str, expected: &[&str]| {
        std::fs::write(folder.path().join("site.ncl"), site).unwrap();
        std::fs::write(folder.path().join("secrets.lock"), format!("format = 1\nrecipients = []\n{secrets}")).unwrap();
        let (site, _) = read_unconfined(folder.path()).unwrap();
        let lowered = lower(&site);
        let names = lowered.as_ref().map(|(blueprint, _)| blueprint.secrets.keys().cloned().collect::<Vec<_>>());
        let found = lowered.clone().map_or_else(|found| found, |(_, found)| found);
        let told = found.iter().filter(|finding| finding.code != "W0301");
        let told: Vec<String> = told.map(|finding| format!("{} {}", finding.code, finding.message)).collect();
        assert_eq!(told, expected);
        names.unwrap_or_default()
    };
    let names = check(
        &(secret("ada", "token") + &secret("alan", "password") + &secret("old", "password")),
        &[
            "W0402 nothing in the site uses the secret \"alan\"",
            "W0402 nothing in the site uses the secret \"old\"",
            "W0401 the password of grace@example.org is the secret \"web\", which is not in secrets.lock",
            "W0401 the password of alan@example.org is the secret \"alam\", which is not in secrets.lock",
        ],
    );
    assert_eq!(names, ["ada"]);
    check(
        &(secret("ada", "password") + &secret("alam", "password") + &web),
        &["E0402 the password of grace@example.org cannot be the secret \"web\", which is a key for TLS"],
    );
}
