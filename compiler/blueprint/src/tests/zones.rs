//! Records in the zones, and findings about them.

use super::{check, lowered};

/// The records of a zone, one a line.
fn zone(domain: &str, rest: &str, name: &str) -> String {
    let (blueprint, _) = lowered(domain, rest).unwrap_or_else(|found| panic!("{found:#?}"));
    let records = &blueprint.zones[&name.parse().unwrap()].records;
    let lines = records.iter().map(|record| format!("{} {} {}", record.name, record.kind, record.value));
    lines.collect::<Vec<_>>().join("\n")
}

const PLAIN: &str = "\
@ NS mail.example.org.
@ MX 10 mail.example.org.
@ TXT v=spf1 ip4:192.0.2.10 -all
_autodiscover._tcp SRV 0 1 443 mail.example.org.
_dmarc TXT v=DMARC1; p=none; rua=mailto:postmaster@example.org
_imap._tcp SRV 10 1 143 mail.example.org.
_imaps._tcp SRV 0 1 993 mail.example.org.
_pop3._tcp SRV 30 1 110 mail.example.org.
_pop3s._tcp SRV 20 1 995 mail.example.org.
_submission._tcp SRV 10 1 587 mail.example.org.
_submissions._tcp SRV 0 1 465 mail.example.org.
autoconfig CNAME mail.example.org.
autodiscover CNAME mail.example.org.
mail A 192.0.2.10";

#[test]
fn a_plain_domain_has_what_mail_needs() {
    let www = "dns.records.\"example.org\" = [{ name = \"www\", type = 'A, value = \"192.0.2.80\" }],";
    assert_eq!(zone("", www, "example.org"), format!("{PLAIN}\nwww A 192.0.2.80"));
    let alias = zone("", "", "example.net");
    assert!(alias.contains("rua=mailto:postmaster@example.net"), "{alias}");
    assert!(alias.contains("_imaps._tcp SRV 0 1 993 mail.example.org."), "{alias}");
    assert!(!alias.contains("mail A "), "{alias}");
}

#[test]
fn a_wildcard_takes_no_declared_names_place() {
    let wild = |kind: &str, value: &str| {
        let record = format!("{{ name = \"*\", type = '{kind}, value = \"{value}\" }}");
        let found = zone("", &format!("dns.records.\"example.org\" = [{record}],"), "example.org");
        assert_eq!(found, PLAIN.replacen("_auto", &format!("* {kind} {value}\n_auto"), 1), "{kind}");
    };
    wild("A", "203.0.113.99");
    wild("AAAA", "2001:db8::99");
    wild("CNAME", "www.example.com.");
    wild("MX", "10 mx.example.com.");
    wild("TXT", "v=spf1 -all");
}

#[test]
fn a_wildcard_answers_below_the_closest_encloser() {
    let a = |name: &str| format!("{{ name = \"{name}\", type = 'A, value = \"192.0.2.7\" }}");
    let names = |exchanger: &str, records: &[&str], expected: &[&str]| {
        let records: Vec<String> = records.iter().map(|name| a(name)).collect();
        let records = format!("dns.records.\"example.org\" = [{}],", records.join(", "));
        check(&format!("mx = [\"{exchanger}.example.org\"],"), &records, expected);
    };
    let none =
        |name: &str| format!("E0314 the MX record of @ names {name}.example.org, which has no address in example.org");
    names("mx", &["*"], &[]);
    names("deep.down.mx", &["*"], &[]);
    // A name that is there, or has names below it, is no name that nobody declared.
    names("mx.www", &["*", "www"], &[&none("mx.www")]);
    names("mx.www", &["*", "a.www"], &[&none("mx.www")]);
    names("www", &["*", "a.www"], &[&none("www")]);
    names("mx.www", &["*.www", "www"], &[]);
    names("deep.mx.www", &["*.www"], &[]);
}

#[test]
fn every_setting_ends_in_its_records() {
    let all = zone(
        "spf = { policy = 'softfail, include = [\"_spf.example.net\"], addresses = [\"198.51.100.0/24\"] },
         dmarc = { policy = 'reject, subdomains = 'quarantine, reports = \"ada\", percent = 50 },
         mta_sts = 'testing, tls_rpt = \"ada\", mx = [\"mx2.example.com\"], client = false,",
        "dns = { address6 = \"2001:db8::25\", name_servers = [\"ns1.example.com\"], caa = [\"ca.example\"] },
         dns.records.\"example.net\" = [{ name = \"_spf\", type = 'TXT, value = \"v=spf1 -all\" }],",
        "example.org",
    );
    let id = all.lines().find(|line| line.starts_with("_mta-sts")).unwrap();
    assert_eq!(
        all.replace(id, "_mta-sts TXT"),
        "@ NS ns1.example.com.
@ CAA 0 issue \"ca.example\"
@ MX 10 mail.example.org.
@ MX 20 mx2.example.com.
@ TXT v=spf1 ip4:192.0.2.10 ip6:2001:db8::25 ip4:198.51.100.0/24 include:_spf.example.net ~all
_dmarc TXT v=DMARC1; p=reject; sp=quarantine; pct=50; rua=mailto:ada@example.org
_mta-sts TXT
_smtp._tls TXT v=TLSRPTv1; rua=mailto:ada@example.org
mail A 192.0.2.10
mail AAAA 2001:db8::25
mta-sts CNAME mail.example.org."
    );
    let denied = zone("deny = ['pop3],", "", "example.org");
    assert!(denied.contains("_pop3._tcp SRV 0 0 0 .\n_pop3s._tcp SRV 0 0 0 ."), "{denied}");
    assert!(!zone("spf.policy = 'none,", "", "example.org").contains("spf1"));
    assert!(!zone("", "dns.publish = false,", "example.org").contains(" NS "));
}

#[test]
fn zones_below_others_are_delegated_and_reports_authorised() {
    let rest = "domains = { \"sub.example.org\" = { alias_of = \"example.org\" } },
        dns.records.\"sub.example.org\" = [{ name = \"@\", type = 'NS, value = \"ns.sub.example.org\" }, { name = \"ns\", type = 'A, value = \"192.0.2.53\" }],";
    let above = zone("", rest, "example.org");
    assert!(above.ends_with("ns.sub A 192.0.2.53\nsub NS ns.sub.example.org."), "{above}");
    let rest = "domains = { \"example.com\" = { alias_of = \"example.org\" } },";
    let there = zone("dmarc.reports = \"ada@example.com\",", rest, "example.com");
    assert!(there.contains("example.net._report._dmarc TXT v=DMARC1"), "{there}");
    assert!(there.contains("example.org._report._dmarc TXT v=DMARC1"), "{there}");
}

/// The findings about a TXT record of `example.org`.
fn text(name: &str, text: &str, expected: &[&str]) {
    let record = format!("{{ name = \"{name}\", type = 'TXT, value = m%\"{text}\"% }}");
    check("", &format!("dns.records.\"example.org\" = [{record}],"), expected);
}

#[test]
fn spf_is_judged_with_what_it_includes() {
    text("@", "v=spf1 mx -all", &[]);
    text("@", "v=spf1 a:mail.example.org -all", &[]);
    text("@", "v=spf1 ip4:192.0.2.0/28 -all", &[]);
    text("@", "v=spf1 include:_spf.elsewhere.example -all", &[]);
    let without = "W0366 the SPF record of @ in example.org does not let the appliance send: 192.0.2.10 is not in it";
    text("@", "v=spf1 ip4:198.51.100.0/24 -all", &[without]);
    text("@", "v=spf1 -mx ip4:192.0.2.10 -all", &[without]);
    text("@", "v=spf1 mx +all", &["E0370 the SPF record of @ in example.org lets everybody send (\"+all\")"]);
    text("@", "v=spf1 mx ptr -all", &["W0365 the SPF record of @ in example.org uses \"ptr\""]);
    let records = |one: &str, other: &str| {
        format!(
            "dns.records = {{ \"example.org\" = [{{ name = \"@\", type = 'TXT, value = \"{one}\" }}], \
             \"example.com\" = [{{ name = \"_spf\", type = 'TXT, value = \"{other}\" }}] }},"
        )
    };
    check("", &records("v=spf1 include:_spf.example.com -all", "v=spf1 ip4:192.0.2.10 -all"), &[]);
    let asks = "a:a.example ".repeat(10);
    check(
        "",
        &records("v=spf1 include:_spf.example.com -all", &format!("v=spf1 {asks}-all")),
        &["E0315 the SPF record of @ in example.org needs 11 look-ups"],
    );
    check(
        "",
        &records("v=spf1 mx include:_spf.example.com -all", "v=spf1 include:example.org -all"),
        &[
            "E0369 the SPF record of @ in example.org includes itself through _spf.example.com",
            "E0369 the SPF record of _spf in example.com includes itself through example.org",
        ],
    );
    check(
        "",
        &records("v=spf1 mx include:spf.example.com -all", "v=spf1 -all"),
        &[
            "E0369 the SPF record of @ in example.org includes spf.example.com, which has no SPF record in the zone it lies in",
        ],
    );
    check(
        "spf.include = [\"a.x\", \"b.x\", \"c.x\", \"d.x\", \"e.x\", \"f.x\", \"g.x\", \"h.x\"],",
        "",
        &[
            "W0367 the SPF record of @ in example.org needs 8 look-ups, and those of a.x, b.x, c.x, d.x, e.x, f.x, g.x, h.x are not counted",
        ],
    );
}

#[test]
fn dmarc_reports_need_the_agreement_of_strangers() {
    text("_dmarc", "v=DMARC1; p=none; rua=mailto:a@example.org", &[]);
    text(
        "_dmarc",
        "v=DMARC1; p=none; rua=mailto:a@reports.example",
        &["W0368 DMARC reports about example.org go to reports.example, which has to agree first"],
    );
    text("_dmarc", "v=DMARC1; q=none", &["E0371 the DMARC record of _dmarc in example.org has no policy"]);
}

#[test]
fn reports_reach_somebody() {
    check("tls_rpt = \"adaa\",", "", &["E0302 who gets reports about TLS is adaa@example.org, which does not exist"]);
    check(
        "dmarc.reports = \"nobody\",",
        "",
        &["E0302 who gets DMARC reports is nobody@example.org, which does not exist"],
    );
}

#[test]
fn settings_and_records_do_not_speak_of_the_same_thing() {
    let said = |name: &str, kind: &str, value: &str| {
        format!("dns.records.\"example.org\" = [{{ name = \"{name}\", type = '{kind}, value = \"{value}\" }}],")
    };
    let message = |setting: &str, name: &str, kind: &str| {
        format!("E0365 `{setting}` and the {kind} record of {name} in example.org speak of the same thing")
    };
    for (setting, path, name, kind, value) in [
        ("mx = [\"mx2.example.com\"]", "mx", "@", "MX", "10 mail.example.org."),
        ("spf.policy = 'softfail", "spf", "@", "TXT", "v=spf1 mx -all"),
        ("dmarc.policy = 'reject", "dmarc", "_dmarc", "TXT", "v=DMARC1; p=none"),
        ("tls_rpt = \"ada\"", "tls_rpt", "_smtp._tls", "TXT", "v=TLSRPTv1; rua=mailto:ada@example.org"),
    ] {
        check(&format!("{setting},"), &said(name, kind, value), &[&message(path, name, kind)]);
    }
}

#[test]
fn targets_are_machines_named_once() {
    let records = |records: &str| format!("dns.records.\"example.org\" = [{records}],");
    let mx = "{ name = \"@\", type = 'MX, value = \"10 mx\" }";
    check(
        "",
        &records(&format!("{mx}, {{ name = \"mx\", type = 'CNAME, value = \"mail\" }}")),
        &["E0366 the MX record of @ in example.org names mx.example.org, which is an alias of mail.example.org"],
    );
    check("", &records(&format!("{mx}, {{ name = \"*\", type = 'A, value = \"192.0.2.7\" }}")), &[]);
    check(
        "mx = [\"mail.example.org\"],",
        "",
        &["E0368 mail.example.org stands twice among the MX records of @ in example.org"],
    );
    check(
        "mx = [\"backup.example.org\"], client = false,",
        "",
        &["E0314 the MX record of @ names backup.example.org, which has no address in example.org"],
    );
    check(
        "",
        &records("{ name = \"@\", type = 'MX, value = \"0 .\" }, { name = \"www\", type = 'MX, value = \"0 .\" }"),
        &["E0367 a null MX says that @ in example.org takes no mail, though this site takes mail for it"],
    );
    check(
        "",
        &records("{ name = \"lan\", type = 'A, value = \"10.0.0.1\" }"),
        &["W0370 lan in example.org has the address 10.0.0.1, which the world does not reach"],
    );
    check(
        "",
        &records(
            "{ name = \"sub\", type = 'NS, value = \"ns.example.com\" }, { name = \"a.sub\", type = 'A, value = \"192.0.2.9\" }",
        ),
        &["E0374 a.sub.example.org lies in the zone sub.example.org, so this A record in example.org is not heard"],
    );
}
