//! The sample of the language in the design, with real values in place of its ellipses, is a site; and its contracts
//! hold at every depth.

#![allow(clippy::unwrap_used, reason = "a failure here is the failure of a test")]

use std::path::PathBuf;

use postkiln_findings::Severity;
use postkiln_site::{
    Diagnostic, DmarcPolicy, DomainEntry, Expected, MtaSts, Password, Site, SpfPolicy, read_unconfined,
};

fn read(text: &str) -> Result<(Site, Vec<Diagnostic>), Vec<Diagnostic>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.ncl"), text).unwrap();
    read_unconfined(folder.path()).map_err(|unsound| unsound.findings)
}

fn sample() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sample.ncl");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_sample_of_the_design_is_a_site() {
    let (site, warnings) = read(&sample()).unwrap();
    assert_eq!(warnings, []);
    let DomainEntry::Mail(mail) = &site.domains[&"example.org".parse().unwrap()].value else { panic!("a domain") };
    let user = |name: &str| &mail.users.iter().find(|(local, _)| local.as_str() == name).unwrap().1.value;
    assert_eq!(user("ada").quota.as_ref().unwrap().value, 5 << 30);
    assert_eq!(user("ada").quota.as_ref().unwrap().place.line, 12);
    assert_eq!(user("grace").password.as_ref().unwrap().value, Password::Secret("grace".into()));
    let sales = &mail.aliases.values().next().unwrap().value;
    assert_eq!(
        sales.iter().map(|target| target.value.to_string()).collect::<Vec<_>>(),
        ["ada@example.org", "grace@example.org"]
    );
    assert_eq!(mail.autoresponders.values().next().unwrap().value.once_per.value, 86_400);
    assert_eq!((site.dns.ttl.value, site.expect.len()), (3_600, 2));
    assert_eq!(site.expect[0].value.result, Expected::DeliveredTo("ada@example.org".parse().unwrap()));
    assert_eq!(site.sources.keys().collect::<Vec<_>>(), ["site.ncl"]);
}

/// Changes the sample in one place and compares the codes and lines of the findings.
fn check(old: &str, new: &str, expected: &[(&str, u32)]) {
    let text = sample();
    assert!(text.contains(old), "{old} does not stand in the sample");
    let found = match read(&text.replacen(old, new, 1)) {
        Ok((_, found)) | Err(found) => found,
    };
    let errors: Vec<(&str, u32)> = found
        .iter()
        .filter(|finding| finding.severity() == Severity::Error)
        .map(|finding| (finding.code.name(), finding.place.as_ref().map_or(0, |place| place.line)))
        .collect();
    assert_eq!(errors, expected, "{new}: {found:#?}");
}

/// The interpreter has skipped contracts before (nickel#2651), so a mistake at every depth must be found, whether a
/// contract or the walker finds it.
#[test]
fn a_mistake_at_every_depth_is_found() {
    check("} | pk.Site", "more = 1 } | pk.Site", &[("E0203", 29)]);
    check("hostname = \"mail.example.org\"", "hostname = 5", &[("E0201", 4)]);
    check("postmaster = \"ada\"", "postmaster = \"eve\"", &[("E0207", 10)]);
    check("quota = \"5 GiB\"", "quota = 5", &[("E0201", 12)]);
    check("quota = \"5 GiB\"", "qouta = \"5 GiB\"", &[("E0203", 12)]);
    check("[\"countess\"]", "[\"countess\", 7]", &[("E0201", 12)]);
    check("keep = true", "keep = 'yes", &[("E0201", 13)]);
    check("'moderators,", "'all,", &[("E0204", 17)]);
    check("once_per = \"1 day\"", "once_per = 1.5", &[("E0201", 18)]);
    check("type = 'A", "type = 'B", &[("E0204", 22)]);
    check("concurrencyremote = 40", "concurrencyremote = 40.5", &[("E0204", 24)]);
    check("'delivered_to \"ada@example.org\"", "'delivered_to 3", &[("E0201", 26)]);
    check("alias_of = \"example.org\"", "alias_of = \"example.org\", users = {}", &[("E0206", 20)]);
}

#[test]
fn computed_values_are_reported_where_they_were_written() {
    let text = "let pk = import \"postkiln/site.ncl\" in\nlet size = \"5 GB\" in\nlet user = fun full => { name = full, quota = \
                size ++ \"x\" } in\n{ appliance.hostname = \"a.b\", domains.\"x.org\".users = {\n  ada = user \"Ada\",\n} \
                } | pk.Site";
    let found = read(text).unwrap_err();
    let place = found[0].place.as_ref().unwrap();
    assert_eq!((found.len(), found[0].code.name(), &*place.file, place.line), (1, "E0204", "site.ncl", 3));
}

#[test]
fn imports_below_the_root_are_part_of_the_site() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("people")).unwrap();
    let main = "let pk = import \"postkiln/site.ncl\" in { appliance.hostname = \"a.b\", domains.\"x.org\".users = import \
                \"people/all.ncl\" } | pk.Site";
    std::fs::write(folder.path().join("site.ncl"), main).unwrap();
    let all = "let pk = import \"postkiln/site.ncl\" in { ada | pk.User = import \"ada.json\" }";
    std::fs::write(folder.path().join("people/all.ncl"), all).unwrap();
    std::fs::write(folder.path().join("people/ada.json"), "{\n \"name\": \"Ada\",\n \"quota\": \"1 GB\" }").unwrap();
    let (site, _) = read_unconfined(folder.path()).unwrap();
    assert_eq!(site.sources.keys().collect::<Vec<_>>(), ["people/ada.json", "people/all.ncl", "site.ncl"]);
    std::fs::write(folder.path().join("people/ada.json"), "{\n \"name\": \"Ada\",\n \"quota\": \"1 G\" }").unwrap();
    let found = read_unconfined(folder.path()).unwrap_err().findings;
    let place = found[0].place.as_ref().unwrap();
    assert_eq!((found[0].code.name(), &*place.file, place.line), ("E0204", "people/ada.json", 3));
}

/// A domain with every field about publishing, and one with none.
#[test]
fn domains_say_what_is_published() {
    let text = |domain: &str| {
        format!(
            "let pk = import \"postkiln/site.ncl\" in {{ appliance.hostname = \"mail.example.org\", domains.\"example.org\" = {{ \
             users = {{ ada = {{}} }}, {domain} }} }} | pk.Site"
        )
    };
    let publishing = |domain: &str| {
        let (site, _) = read(&text(domain)).unwrap_or_else(|found| panic!("{found:#?}"));
        let DomainEntry::Mail(mail) = &site.domains.values().next().unwrap().value else { panic!("a domain") };
        mail.publishing.clone()
    };
    let none = publishing("");
    assert!(none.dkim.is_none() && none.tls_rpt.is_none() && none.mx.is_empty() && none.client.value);
    assert_eq!((none.spf.value.policy, none.mta_sts.value), (SpfPolicy::Fail, MtaSts::None));
    assert_eq!(none.dmarc.value.reports.value.to_string(), "postmaster@example.org");
    let all = publishing(
        "dkim = {}, spf = { policy = 'softfail, include = [\"_spf.example.net\"], addresses = [\"192.0.2.0/28\"] }, \
         dmarc = { policy = 'reject, reports = \"ada\", percent = 50 }, mta_sts = 'enforce, tls_rpt = \"tls@example.net\", \
         mx = [\"mx2.example.net\"], client = false",
    );
    let dkim = all.dkim.unwrap().value;
    assert_eq!((dkim.selector.as_str(), dkim.secret.as_str()), ("postkiln", "dkim.example.org"));
    assert_eq!(all.spf.value.include[0].value, "_spf.example.net");
    assert_eq!(all.spf.value.addresses[0].value.to_string(), "192.0.2.0/28");
    assert_eq!((all.dmarc.value.policy, all.dmarc.value.percent), (DmarcPolicy::Reject, 50));
    assert_eq!(all.mx[0].value.as_str(), "mx2.example.net");
    for (domain, code) in [
        ("dkim.selector = \"a b\"", "E0204"),
        ("dkim.selectr = \"a\"", "E0203"),
        ("spf.addresses = [\"192.0.2.1/24\"]", "E0204"),
        ("dmarc.percent = 101", "E0204"),
        ("dmarc.policy = 'refuse", "E0204"),
        ("mx = [\"192.0.2.1\"]", "E0204"),
        ("mta_sts = 'on", "E0204"),
        ("client = 'no", "E0201"),
    ] {
        let found = read(&text(domain)).unwrap_err();
        assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [code], "{domain}");
    }
}
