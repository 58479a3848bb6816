//! Plans of sites as people change them, and of sites that nobody would write.

mod properties;

use postkiln_blueprint::impact::Class;
use postkiln_blueprint::{SourceMap, lower, origin};
use postkiln_bundle::Role;
use postkiln_findings::codes;
use postkiln_site::{Site, read_unconfined};

use super::*;

/// A site with its blueprint. Its manifest has the files by which plans find out which roles act.
pub(crate) struct Sample {
    site: Site,
    map: SourceMap,
    pub(crate) blueprint: Blueprint,
    manifest: Manifest,
}

impl Sample {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("site.ncl"), text).unwrap();
        let (site, _) = read_unconfined(folder.path()).unwrap_or_else(|found| panic!("{found:#?}\n{text}"));
        let (blueprint, _) = lower(&site).unwrap_or_else(|found| panic!("{found:#?}\n{text}"));
        let map = SourceMap::new(&site, &blueprint);
        let (manifest, _) =
            postkiln_render::outline(&blueprint, &site.sources, &map, &postkiln_render::Serials::default());
        Self { site, map, blueprint, manifest }
    }

    /// The text of the blueprint, as it is now.
    fn model(&self) -> Vec<u8> {
        postkiln_render::outline(&self.blueprint, &self.site.sources, &self.map, &postkiln_render::Serials::default()).1
    }

    pub(crate) fn side(&self) -> Side<'_> {
        Side {
            blueprint: &self.blueprint,
            manifest: &self.manifest,
            places: self,
            label: "sample".to_owned(),
            touched: None,
        }
    }
}

impl Places for Sample {
    fn place(&self, id: &ObjectId, path: &[&str]) -> Option<Place> {
        origin::place(&self.site, id, path).cloned().or_else(|| self.map.place(id))
    }
}

/// A site with these fields of its domain, and these beside the domains.
fn site(domain: &str, rest: &str) -> Sample {
    let appliance = "appliance = { hostname = \"mail.example.org\", network = { address = \"192.0.2.10/24\", gateway = \"192.0.2.1\", resolvers = [\"192.0.2.53\"] } },";
    let appliance = if rest.contains("appliance") { "" } else { appliance };
    let hash = format!("\"$6$salt${}\"", "a".repeat(86));
    let text = format!(
        "let pk = import \"postkiln/site.ncl\" in\n{{\n{appliance}\ndomains.\"example.org\" = {{ postmaster = \"ada\",\n{domain}\n}},\n{rest}\n}} | pk.Site\n"
    );
    Sample::new(&text.replace("HASH", &hash))
}

const USERS: &str = "users = { ada.password.hash = HASH, grace.password.hash = HASH },";

/// The plan, which is the same when the base is read without what is the same.
fn planned(base: &Sample, new: &Sample) -> Plan {
    let plan = Plan::new(&base.side(), &new.side(), Vec::new(), &[]);
    let smaller = postkiln_render::without_same(&base.model(), &new.model()).unwrap();
    let blueprint = Blueprint::read(&smaller.text).unwrap();
    let side = Side { blueprint: &blueprint, touched: Some(&smaller.touched), ..base.side() };
    assert_eq!(json(&Plan::new(&side, &new.side(), Vec::new(), &[])), json(&plan));
    plan
}

/// Each change in a line: `+ user/bo`, `~ user/ada quota 1 GiB -> 2 GiB`.
fn said(plan: &Plan) -> Vec<String> {
    let shown = json(plan);
    let changes = shown["changes"].as_array().unwrap().iter().filter(|change| change["reason"] == "config");
    changes
        .map(|change| {
            let paths = change["attrs"].as_array().unwrap().iter().map(|one| {
                one["path"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join(".")
            });
            let paths = if change["action"] == "change" { paths.collect() } else { Vec::new() };
            let id = change["id"].as_str().unwrap();
            format!("{} {id} {}", change["action"].as_str().unwrap(), paths.join(" ")).trim_end().to_owned()
        })
        .collect()
}

/// Compares the changes of a plan, and checks that its operations make them.
fn check(base: (&str, &str), new: (&str, &str), expected: &[&str]) -> Plan {
    let (base, new) = (site(base.0, base.1), site(new.0, new.1));
    let plan = planned(&base, &new);
    assert_eq!(said(&plan), expected);
    let made = apply(&base.blueprint, &plan.operations).unwrap();
    assert_eq!(made, new.blueprint);
    for form in [text(&plan, Style::default()), markdown(&plan, Style::default()), json(&plan).to_string()] {
        assert!(!form.contains("aaaaaaaa") && !form.contains("fingerprint"), "{form}");
    }
    plan
}

#[test]
fn the_order_of_things_comments_and_defaults_are_no_change() {
    let base = site(
        "users = { ada = { password.hash = HASH, aliases = [\"al\", \"bo\"] }, grace.password.hash = HASH },
         lists.all = { members = [\"ada\", \"grace\"], post = 'anyone },",
        "dns.records.\"example.org\" = [{ name = \"a\", type = 'A, value = \"192.0.2.1\" }, { name = \"b\", type = 'A, value = \"192.0.2.2\" }],",
    );
    let new = site(
        "# A comment.
         catch_all = 'reject, lists.all = { post = 'anyone, members = [\"grace@example.org\", \"ada\"] },
         users = { grace = { password = { hash = HASH } }, ada = { aliases = [\"bo\", \"al\"], password.hash = HASH } },",
        "control.databytes = 26214400,
         dns = { ttl = \"1 hour\", records.\"example.org\" = [{ name = \"b\", type = 'A, value = \"192.0.2.2\" }, { name = \"A\", type = 'A, value = \"192.0.2.1\" }] },",
    );
    let plan = planned(&base, &new);
    assert!(plan.is_empty(), "{}", text(&plan, Style::default()));
    assert_ne!(base.manifest.identity, new.manifest.identity);
    assert!(text(&plan, Style::default()).contains("No changes: only the text differs"));
}

#[test]
fn users_and_what_they_have() {
    let plan = check(
        (USERS, ""),
        ("users = { ada = { password.hash = HASH, quota = \"2 GiB\" } },", ""),
        &["change user/ada@example.org quota", "remove user/grace@example.org"],
    );
    assert_eq!(
        plan.guards.iter().map(|guard| guard.name).collect::<Vec<_>>(),
        [GuardName::RemoveMany, GuardName::ShrinkQuota]
    );
    assert_eq!(plan.class(), Class::Data);
    let place = plan.changes[0].attributes[0].place.clone().unwrap();
    assert_eq!((place.line, place.column), (5, 141));
}

#[test]
fn a_rename_is_no_removal() {
    let moved = "moved = [{ from = \"user/grace@example.org\", to = \"user/hopper@example.org\" }],";
    let plan = check(
        (USERS, ""),
        ("users = { ada.password.hash = HASH, hopper = { password.hash = HASH, quota = \"9 GiB\" } },", moved),
        &["change appliance moved", "change user/hopper@example.org quota"],
    );
    assert!(plan.guards.iter().all(|guard| guard.name != GuardName::RemoveMany));
    assert!(text(&plan, Style::default()).contains("was user/grace@example.org"));
    // A changed name is a row of the database; a forward is a file.
    for (user, class) in [("password.hash = HASH", Class::Data), ("forward.to = [\"g@navy.example\"]", Class::Swap)] {
        let users = |name: &str| format!("users = {{ ada.password.hash = HASH, {name} = {{ {user} }} }},");
        let plan = planned(&site(&users("grace"), ""), &site(&users("hopper"), moved));
        let unit = &plan.impact.units[0];
        assert_eq!((plan.impact.units.len(), unit.role, unit.class), (1, Role::Directoryd, class));
        assert_eq!(unit.because, ["user/hopper@example.org"]);
    }
}

#[test]
fn domains_come_and_go_with_all_they_have() {
    let second = "domains.\"example.net\" = { postmaster = \"bo\", users.bo.password.hash = HASH },";
    check(
        (USERS, ""),
        (USERS, second),
        &["add domain/example.net", "add user/bo@example.net", "add alias/postmaster@example.net"],
    );
    let plan = check(
        (USERS, second),
        (USERS, ""),
        &["remove domain/example.net", "remove user/bo@example.net", "remove alias/postmaster@example.net"],
    );
    assert!(!plan.is_applyable() && plan.guards[0].name == GuardName::RemoveDomain);
    check(
        (USERS, second),
        (USERS, "domains.\"example.net\".alias_of = \"example.org\","),
        &[
            "remove domain/example.net",
            "add domain/example.net",
            "remove user/bo@example.net",
            "remove alias/postmaster@example.net",
        ],
    );
    let alias = "domains.\"example.net\".alias_of = \"example.org\",";
    let stops = |base: &str, new: &str| !planned(&site(USERS, base), &site(USERS, new)).is_applyable();
    assert_eq!(
        [stops(alias, ""), stops(second, alias), stops(alias, second), stops("", alias)],
        [true, true, false, false]
    );
    let moved = "domains.\"example.com\" = { postmaster = \"bo\", users.bo.password.hash = HASH }, moved = [{ from = \"domain/example.net\", to = \"domain/example.com\" }],";
    check(
        (USERS, second),
        (USERS, moved),
        &["change appliance moved", "change domain/example.com", "change alias/postmaster@example.com targets"],
    );
}

#[test]
fn a_service_acts_when_its_octets_differ() {
    let units = |plan: &Plan| -> Vec<String> {
        plan.impact
            .units
            .iter()
            .map(|unit| format!("{}:{} {}", unit.class.name(), unit.role, unit.because.join(" ")))
            .collect()
    };
    let plan =
        check((USERS, ""), (USERS, "control.concurrencyremote = 7,"), &["change control/concurrencyremote content"]);
    assert_eq!(units(&plan), ["reload:queued control/concurrencyremote:content"]);
    let plan = check(
        (USERS, ""),
        (USERS, "antivirus.engine = 'clamav,"),
        &["change antivirus clamav", "change control/scanner content"],
    );
    assert_eq!(
        units(&plan),
        ["restart:clamd antivirus:clamav", "restart:freshclam antivirus:clamav", "restart:smtpd antivirus:clamav"]
    );
    // The address of a web server does not concern the node.
    let record = "dns.records.\"example.org\" = [{ name = \"www\", type = 'A, value = \"192.0.2.1\" }],";
    let plan = check((USERS, ""), (USERS, record), &[]);
    assert!(plan.impact.units.is_empty() && !plan.is_empty());
    assert_eq!(plan.dns.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["www.example.org"]);
}

#[test]
fn a_plan_is_named_by_both_sides_and_what_lies_between() {
    let (one, two) = (site(USERS, ""), site(USERS, "control.maxrcpt = 7,"));
    let (forth, back) = (planned(&one, &two), planned(&two, &one));
    assert_eq!(forth.id(), planned(&one, &two).id());
    assert_eq!(forth.id().split('-').map(str::len).collect::<Vec<_>>(), [6, 6, 4]);
    assert_eq!(forth.id().get(..6), back.id().get(7..13));
    assert_ne!(forth.id(), back.id());
}

#[test]
fn logged_mail_whose_fate_changes_is_listed() {
    let base = site("users = { ada.password.hash = HASH }, aliases.sales = [\"ada\"],", "");
    let new = site("users = { ada.password.hash = HASH },", "");
    let log = "{\"from\":\"x@y.example\",\"to\":\"sales@example.org\"}\n{\"from\":\"x@y.example\",\"to\":\"Sales@example.org\"}\n{\"from\":\"x@y.example\",\"to\":\"ada@example.org\"}\n";
    let replayed = replay(log, &base.blueprint, &new.blueprint);
    assert_eq!((replayed.walked, replayed.skipped), (3, 0));
    assert!(
        replayed
            .text(false, Style::default())
            .contains("<x@y.example> to sales@example.org: ada@example.org -> refused (no such address)"),
        "{}",
        replayed.text(false, Style::default())
    );
}

#[test]
fn mail_for_a_domain_that_goes_is_refused_but_for_our_own_people() {
    let second = "domains.\"example.net\" = { postmaster = \"bo\", users.bo.password.hash = HASH },";
    let (base, new) = (site(USERS, second), site(USERS, ""));
    let fates = |from: &str, to: &str| {
        let log = format!("{{\"from\":\"{from}\",\"to\":\"{to}\"}}");
        let replayed = replay(&log, &base.blueprint, &new.blueprint);
        let said = replayed.changed.iter().map(|(.., before, after)| format!("{before} -> {after}"));
        said.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        fates("x@y.example", "bo@example.net"),
        "bo@example.net -> refused (rcpthosts does not name the domain)"
    );
    assert_eq!(fates("", "bo@example.net"), "bo@example.net -> refused (rcpthosts does not name the domain)");
    assert_eq!(fates("ada@example.org", "bo@example.net"), "bo@example.net -> bo@example.net elsewhere");
    assert_eq!(fates("ada@example.org", "x@y.example"), "");
    assert_eq!(fates("x@y.example", "z@y.example"), "");
}

#[test]
fn the_last_administrator_does_not_go_unnoticed() {
    let users = |ada: &str, grace: &str| {
        format!("users = {{ ada = {{ password.hash = HASH, {ada} }}, grace = {{ password.hash = HASH, {grace} }} }},")
    };
    let guards = |base: &str, new: &str| -> Vec<&'static str> {
        let plan = planned(&site(base, ""), &site(new, ""));
        plan.guards.iter().map(|guard| guard.name.name()).collect()
    };
    let both = users("admin = true", "admin = true");
    assert_eq!(guards(&both, &users("admin = true", "")), [""; 0]);
    assert_eq!(guards(&both, &users("", "")), ["remove-admin"]);
    assert_eq!(guards(&both, &users("", "admin = true, disabled = true")), ["remove-admin"]);
    assert_eq!(guards(&users("", ""), &users("", "")), [""; 0]);
}

#[test]
fn an_earlier_generation_does_not_come_back_by_itself() {
    let (eight, seven) = (site(USERS, "generation = 8,"), site(USERS, "generation = 7,"));
    let guards = |plan: &Plan| plan.guards.iter().map(|guard| guard.name.name()).collect::<Vec<_>>();
    let back = planned(&eight, &seven);
    assert_eq!((guards(&back), back.guards[0].name.code()), (vec!["downgrade"], codes::DOWNGRADE));
    assert_eq!(guards(&planned(&seven, &eight)), [""; 0]);
}

/// No site closes a port; but the bundle of another version may have had one more, or another number.
#[test]
fn a_port_is_not_closed_unnoticed() {
    let new = site(USERS, "");
    let mut base = site(USERS, "");
    for services in [&mut base.blueprint.services, &mut base.manifest.services] {
        let imapd = services.iter_mut().find(|service| service.role == Role::Imapd).unwrap();
        imapd.listeners[0].port = 1143;
        let more = postkiln_bundle::Listener { name: "imap-old".to_owned(), ..imapd.listeners[1].clone() };
        imapd.listeners.push(more);
    }
    let plan = planned(&base, &new);
    let guard = &plan.guards[0];
    assert_eq!((guard.name.code(), plan.guards.len()), (codes::CLOSE_LISTENER, 1));
    assert_eq!(guard.objects, ["listener/imap", "listener/imap-old"]);
    assert_eq!((plan.class(), plan.impact.units[0].role), (Class::Rebind, Role::Imapd));
}

#[test]
fn a_site_that_outgrows_its_image_needs_another() {
    let base = site(USERS, "");
    let mut new = site(USERS, "generation = 1,");
    assert!(planned(&base, &new).guards.is_empty());
    new.manifest.files[0].size = 40 << 20;
    let plan = planned(&base, &new);
    assert_eq!((plan.guards.len(), plan.guards[0].name.code()), (1, codes::NEW_IMAGE));
    let said = "an image of the base has 32 MiB for a bundle, and this one is cut for 64 MiB";
    assert_eq!(plan.guards[0].message, said);
    assert!(planned(&new, &base).guards.iter().all(|guard| guard.name.code() != codes::NEW_IMAGE));
}

/// The length of a comment on a change is limited.
#[test]
fn of_many_domains_and_records_the_first_are_shown_and_all_are_counted() {
    let domains: String = (0..150)
        .map(|number| {
            format!("domains.\"d{number}.example\" = {{ postmaster = \"bo\", users.bo.password.hash = HASH }},")
        })
        .collect();
    let plan = planned(&site(USERS, &domains), &site(USERS, ""));
    let (short, full) = (Style::default(), Style { full: true, ..Style::default() });
    let comment = markdown(&plan, short);
    assert!(comment.len() < 60_000 && comment.contains("- 130 users"), "{comment}");
    assert!(comment.contains("> **remove-domain**: 150 domains would be removed"), "{comment}");
    let shown = text(&plan, short);
    assert!(shown.lines().count() < 400 && shown.contains("  - 130 domains "), "{shown}");
    assert!(shown.contains(&format!("  - … {} more records ", plan.dns.len() - 100)), "{shown}");
    for form in [text(&plan, full), markdown(&plan, full)] {
        assert!(form.contains("_imaps._tcp.d149.example") && form.contains("domain/d149.example"));
    }
}

#[test]
fn the_page_of_impacts_is_as_the_table_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/manual/impact.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, impact_page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), impact_page(), "print it with UPDATE=1");
}
