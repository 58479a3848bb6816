//! Users' options, renames, and proofs over the whole address space.

use super::{HASH, check, lowered, lowered_text};
use crate::{Blueprint, Permission, World};
use postkiln_address::LocalPart;
use postkiln_routing::{Destination, Route, Step};

/// Users of the domain, each with a password; `more` is added to the first.
fn users(more: &str) -> String {
    format!("users = {{ ada = {{ password = {{ hash = HASH }}{more} }}, grace = {{ password = {{ hash = HASH }} }} }},")
}

#[test]
fn what_a_domain_gives_is_its_users_own() {
    let domain = users(", deny = ['pop3], quota_messages = 7, password.reset = 2, admin = true")
        + "limits = { default_quota = \"1 GiB\", default_quota_messages = 1000, users = 5 }, deny = ['imap, 'pop3], subaddress = 'minus,";
    let (blueprint, _) = lowered(&domain, "").unwrap();
    let mail = blueprint.domains.values().next().unwrap();
    let user = |name: &str| mail.users.iter().find(|(local, _)| local.as_str() == name).unwrap().1;
    let (ada, grace) = (user("ada"), user("grace"));
    assert_eq!((ada.quota, ada.quota_messages, ada.password_reset, ada.admin), (Some(1 << 30), Some(7), 2, true));
    assert_eq!((grace.quota, grace.quota_messages, grace.admin), (Some(1 << 30), Some(1000), false));
    assert_eq!(ada.deny.iter().copied().collect::<Vec<_>>(), [Permission::Pop3, Permission::Imap]);
    assert_eq!(ada.deny, grace.deny);
    assert_eq!(blueprint.control.get("subaddress").map(String::as_str), Some("example.org:-\n"));
}

#[test]
fn a_closed_account_gets_nothing_and_forwards_nothing() {
    let domain = users(", disabled = true, forward = { to = [\"x@elsewhere.example\"] }, aliases = [\"countess\"]")
        .replace("ada = {", "ann = { password = { hash = HASH } }, ada = {")
        .replacen("users", "autoresponders = { ada = { subject = \"s\", text = \"t\" } }, users", 1);
    let site = domain + "\nlists = {},";
    // In these sites postmaster is ada, whose account is closed.
    check(&site, "", &["E0325 the postmaster ada@example.org is a closed account"]);
    let text = format!(
        "let pk = import \"postkiln/site.ncl\" in {{ appliance = {{ hostname = \"mail.example.org\" }}, dns.address = \"192.0.2.1\",
         domains.\"example.org\" = {{ postmaster = \"ann\", users = {{ ann.password.hash = {HASH:?},
         ada = {{ password.hash = {HASH:?}, disabled = true, forward.to = [\"x@elsewhere.example\"], aliases = [\"countess\"] }} }},
         autoresponders.ada = {{ subject = \"s\", text = \"t\" }} }} }} | pk.Site\n"
    );
    let (blueprint, found) = lowered_text(&text).unwrap();
    assert_eq!(found, []);
    let mut world = World::new(&blueprint);
    for address in ["ada@example.org", "ada+x@example.org", "countess@example.org"] {
        let (route, _) = world.trace(&address.parse().unwrap()).unwrap();
        let closed = "vdelivermail: account is locked email bounced ada@example.org (#5.2.1)";
        assert_eq!(route, Route::NoSuchAddress(closed.to_owned()), "{address}");
    }
}

#[test]
fn details_reach_their_owner_in_the_compiler_s_world() {
    let (blueprint, _) = lowered("aliases = { sales = [\"ada\", \"grace\"] },", "").unwrap();
    let mut world = World::new(&blueprint);
    let mut to = |address: &str| world.trace(&address.parse().unwrap()).unwrap().0;
    let ada = Destination::Mailbox { domain: "example.org".to_owned(), user: "ada".to_owned() };
    assert_eq!(to("Ada+Shop@example.net"), Route::Destinations(vec![ada]));
    assert_eq!(to("sales+x@example.org"), to("sales@example.org"));
    assert!(matches!(to("eve+x@example.org"), Route::NoSuchAddress(_)));
}

#[test]
fn targets_are_meant_and_take_mail() {
    check("aliases = { sales = [\"ada+shop\"] },", "", &[]);
    check(
        "aliases = { root = [\"ada@mail.example.org\"] },",
        "",
        &["E0326 the alias root is ada@mail.example.org, at this machine, which is no mail domain"],
    );
    check(
        "aliases = { sales = [\"grce\", \"ada\"] }, catch_all = 'discard,",
        "",
        &[
            "W0323 the alias sales is grce@example.org, which is not declared: the catch-all of example.org drops its mail",
        ],
    );
    check(
        "users = { ada = { password = { hash = HASH } }, old = { disabled = true, aliases = [\"older\"] } },
         aliases = { sales = [\"old\", \"ada\"] }, lists = { news = { members = [\"older\", \"ada\"] } },",
        "",
        &["W0324 the alias sales is old@example.org, a closed account: mail for it is refused"],
    );
}

#[test]
fn circles_go_through_everything() {
    check(
        "lists = { news = { members = [\"ada\", \"grace\"] } },
         users = { ada = { password = { hash = HASH } }, grace = { password = { hash = HASH }, forward = { to = [\"news+x@example.net\", \"news@example.net\"], keep = true } } },",
        "",
        &[
            "E0303 mail would go in a circle: grace@example.org → news@example.org → grace@example.org",
            "E0302 the forward of grace is news+x@example.net, which does not exist",
        ],
    );
    check(
        "users = { ada = { password = { hash = HASH }, forward = { to = [\"ada+copy@example.net\"], keep = true } } },",
        "",
        &["E0303 mail would go in a circle: ada@example.org → ada@example.org"],
    );
    check(
        "aliases = { a = [\"nobody\"] }, catch_all = 'deliver_to \"a\",",
        "",
        &[
            "W0323 the alias a is nobody@example.org, which is not declared: the catch-all of example.org sends its mail to a@example.org",
            "E0303 mail would go in a circle: the catch-all of example.org → a@example.org → the catch-all of example.org",
        ],
    );
}

#[test]
fn catch_alls_of_two_domains() {
    let text = |first: &str, second: &str| {
        format!(
            "let pk = import \"postkiln/site.ncl\" in {{ appliance = {{ hostname = \"mail.example.org\" }}, dns.address = \"192.0.2.1\",
             domains.\"example.org\" = {{ users.ada.password.hash = {HASH:?}, catch_all = {first} }},
             domains.\"example.com\" = {{ users.bo.password.hash = {HASH:?}, catch_all = {second} }} }} | pk.Site\n"
        )
    };
    let check = |first: &str, second: &str, expected: &[&str]| {
        let found = lowered_text(&text(first, second)).map_or_else(|found| found, |(_, found)| found);
        let codes: Vec<String> = found.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect();
        assert_eq!(codes, expected, "{first} {second}");
    };
    check("'deliver_to \"ada\"", "'deliver_to \"ada@example.org\"", &[]);
    check(
        "'deliver_to \"ada\"",
        "'deliver_to \"x@example.org\"",
        &["W0322 the catch-all leads to x@example.org, which only the catch-all of example.org takes"],
    );
    check(
        "'deliver_to \"x@example.com\"",
        "'deliver_to \"x@example.org\"",
        &[
            "W0322 the catch-all leads to x@example.com, which only the catch-all of example.com takes",
            "E0303 mail would go in a circle: the catch-all of example.com → the catch-all of example.org → the catch-all of example.com",
            "W0322 the catch-all leads to x@example.org, which only the catch-all of example.org takes",
        ],
    );
    check("'reject", "'deliver_to \"x@example.org\"", &["E0302 the catch-all is x@example.org, which does not exist"]);
}

#[test]
fn robots_are_no_members_and_no_catch_all() {
    let robot = "autoresponders = { info = { subject = \"s\", text = \"t\" }, ada = { subject = \"s\", text = \"t\" } }, aliases = { ask = [\"info\"] },";
    check(
        &format!("{robot} lists = {{ news = {{ members = [\"ada\", \"ask\"] }} }},"),
        "",
        &["W0325 a member of the list news is the autoresponder info@example.org, which answers no list"],
    );
    check(
        &format!("{robot} catch_all = 'deliver_to \"info\","),
        "",
        &["W0326 the catch-all leads to the autoresponder info@example.org"],
    );
    check(&format!("{robot} catch_all = 'deliver_to \"ada\","), "", &[]);
}

#[test]
fn names_do_not_stand_in_each_other_s_light() {
    let sales = "W0320 ada+sales@example.org is an alias, so mail for ada with the detail \"sales\" never reaches ada";
    check("aliases = { \"ada+sales\" = [\"grace\"] },", "", &[sales]);
    check("aliases = { \"ada+sales\" = [\"grace\", \"ADA@example.net\"] },", "", &[]);
    check("aliases = { \"ada+sales\" = [\"grace\"] }, subaddress = 'none,", "", &[]);
    check("aliases = { \"ada+sales\" = [\"grace\"] }, subaddress = 'minus,", "", &[]);
    let minus = "W0320 ada-sales@example.org is an alias, so mail for ada with the detail \"sales\" never reaches ada";
    check("aliases = { \"ada-sales\" = [\"grace\"] }, subaddress = 'minus,", "", &[minus]);
}

#[test]
fn a_domain_declares_no_more_than_it_may() {
    let domain = users("")
        + "aliases = { a = [\"ada\"], b = [\"x@elsewhere.example\"] }, limits = { users = 1, aliases = 1, forwards = 0, lists = 0, default_quota = \"1 MiB\" },";
    check(
        &domain,
        "",
        &[
            "E0324 example.org declares 2 users and may have 1",
            "E0324 example.org declares 1 forwards and may have 0",
            "E0307 a user of example.org without a quota may hold 1 MiB, and messages of up to 25 MiB are accepted",
        ],
    );
}

#[test]
fn renames_end_at_something_declared() {
    let moved = |pairs: &[(&str, &str)]| {
        let entries: Vec<String> =
            pairs.iter().map(|(from, to)| format!("{{ from = \"{from}\", to = \"{to}\" }}")).collect();
        format!("moved = [{}],", entries.join(", "))
    };
    let check = |pairs: &[(&str, &str)], expected: &[&str]| {
        let rest = moved(pairs);
        let found = lowered("", &rest).map_or_else(|found| found, |(_, found)| found);
        let said: Vec<String> = found
            .iter()
            .filter(|finding| finding.code.name() != "W0390")
            .map(|finding| format!("{} {}", finding.code, finding.message))
            .collect();
        assert_eq!(said, expected, "{pairs:?}");
    };
    check(&[("user/Eve@example.org", "user/Ada@example.org"), ("domain/example.com", "domain/example.org")], &[]);
    check(
        &[("user/grace@example.org", "user/ada@example.org")],
        &["E0322 user/grace@example.org was renamed to user/ada@example.org and is still declared"],
    );
    check(
        &[("user/eve@example.org", "user/adaa@example.org")],
        &["E0323 something was renamed to user/adaa@example.org, which is not declared"],
    );
    check(
        &[("list/a@example.org", "list/b@example.org")],
        &["E0323 something was renamed to list/b@example.org, which is not declared"],
    );
    check(
        &[
            ("user/a@example.org", "user/b@example.org"),
            ("user/b@example.org", "user/c@example.org"),
            ("user/c@example.org", "user/a@example.org"),
        ],
        &[
            "E0321 the renames go in a circle: user/a@example.org → user/b@example.org → user/c@example.org → user/a@example.org",
        ],
    );
    check(
        &[("user/a@example.org", "user/ada@example.org"), ("user/a@example.org", "user/grace@example.org")],
        &["E0320 user/a@example.org is renamed twice"],
    );
    check(
        &[("user/a@example.org", "user/ada@example.org"), ("user/b@example.org", "user/ada@example.org")],
        &["E0320 two are renamed to user/ada@example.org"],
    );
    let chain = moved(&[("user/b@example.org", "user/ada@example.org"), ("user/a@example.org", "user/b@example.org")]);
    let (blueprint, _) = lowered("", &chain).unwrap();
    let joined: Vec<String> = blueprint.moved.iter().map(|one| format!("{} {}", one.from, one.to)).collect();
    assert_eq!(joined, ["user/a@example.org user/ada@example.org", "user/b@example.org user/ada@example.org"]);
}

const POLICY: &str = "users = { ada = { password = { hash = HASH }, aliases = [\"countess\"] },
          grace = { password = { hash = HASH }, deny = ['submission], forward = { to = [\"g@navy.example\"], keep = true } } },
        aliases = { sales = [\"ada\", \"grace\"] }, catch_all = 'discard,
        lists = { news = { members = [\"ada\", \"m@else.example\"], post = 'anyone } },
        autoresponders = { info = { subject = \"s\", text = \"t\" } },";

/// The finding about an expectation for a stranger's mail; empty when it holds.
fn said(to: &str, result: &str) -> String {
    let rest = format!("expect = [{{ from = \"x@else.example\", to = \"{to}\", result = '{result} }}],");
    let found = lowered(POLICY, &rest).map_or_else(|found| found, |(_, found)| found);
    let failed = found.iter().filter(|finding| finding.code.name() == "E0311");
    failed.map(|finding| format!("{} ({})", finding.message, finding.hint.clone().unwrap_or_default())).collect()
}

#[test]
fn expectations_speak_of_everything_that_can_come_of_a_message() {
    for (to, result) in [
        ("sales@example.net", "delivered_to_all [\"ada@example.org\", \"grace@example.org\", \"g@navy.example\"]"),
        ("grace+x@example.org", "forwarded_to \"g@navy.example\""),
        ("news@example.org", "list \"news@example.net\""),
        ("news@example.org", "delivered_to_all [\"ada@example.org\", \"m@else.example\"]"),
        ("info@example.org", "replied \"info@example.org\""),
        ("whoever@example.org", "discarded"),
    ] {
        assert_eq!(said(to, result), "", "{to} {result}");
    }
    for (from, authenticated, result) in [
        ("ada@example.org", "true", "delivered_to \"y@third.example\""),
        ("countess@example.org", "true", "delivered_to \"y@third.example\""),
        ("sales@example.org", "true", "delivered_to \"y@third.example\""),
        ("ada@example.org", "false", "refused"),
        ("grace@example.org", "true", "refused"),
        ("x@else.example", "true", "refused"),
    ] {
        let rest = format!(
            "expect = [{{ from = \"{from}\", to = \"y@third.example\", authenticated = {authenticated}, result = '{result} }}],"
        );
        let found = lowered(POLICY, &rest).map_or_else(|found| found, |(_, found)| found);
        assert!(found.iter().all(|finding| finding.code.name() != "E0311"), "{from} {authenticated}: {found:#?}");
    }
}

#[test]
fn expectations_know_who_is_let_in() {
    let rest = |client: &str, to: &str, result: &str| {
        format!(
            "smtp = {{
                networks = [
                    {{ from = \"10.20.0.0/16\", relay = true }},
                    {{ from = \"10.20.0.9\", decide = 'refuse \"go away\" }},
                    {{ from = \"192.0.2.0/24\", decide = 'deny }},
                    {{ from = \"2001:db8::/32\", decide = 'defer \"later\" }},
                ],
                bad_recipients = [\"spam@example.org\", \"@bad.example\"],
                routes.\"backup.example\" = \"192.0.2.9\",
            }},
            control.morercpthosts = [\"backup.example\"],
            silence = [\"W0350\", \"W0351\"],
            expect = [{{ from = \"x@else.example\", {client} to = \"{to}\", result = '{result} }}],"
        )
    };
    for (client, to, result) in [
        ("client = \"10.20.1.1\",", "y@third.example", "forwarded_to \"y@third.example\""),
        ("client = \"10.20.0.9\",", "ada@example.org", "refused"),
        ("client = \"192.0.2.1\",", "ada@example.org", "refused"),
        ("client = \"2001:db8::1\",", "ada@example.org", "deferred"),
        ("client = \"198.51.100.1\",", "y@third.example", "refused"),
        ("", "y@third.example", "refused"),
        ("", "y@backup.example", "forwarded_to \"y@backup.example\""),
        ("", "spam@example.org", "refused"),
        ("client = \"10.20.1.1\",", "y@bad.example", "refused"),
    ] {
        let found = lowered(POLICY, &rest(client, to, result)).map_or_else(|found| found, |(_, found)| found);
        let wrong: Vec<_> = found.iter().filter(|finding| finding.code.name().starts_with('E')).collect();
        assert!(wrong.is_empty(), "{client} {to}: {wrong:#?}");
    }
    let found = lowered(POLICY, &rest("client = \"10.20.0.9\",", "ada@example.org", "deferred")).unwrap_err();
    let said: Vec<_> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert!(
        said.contains(&"mail from x@else.example by 10.20.0.9 to ada@example.org is refused (`smtp.networks` answers the client: go away), not deferred"),
        "{said:?}"
    );
}

#[test]
fn the_fifty_first_domain_is_open_too() {
    let aliases = (0..60).map(|number| format!("domains.\"d{number:02}.example\".alias_of = \"example.org\","));
    let expect = "expect = [{ from = \"x@else.example\", to = \"ada@d59.example\", result = 'delivered_to \"ada@example.org\" }],";
    let (blueprint, _) = lowered(POLICY, &(aliases.collect::<String>() + expect)).unwrap();
    let lines = |name: &str| blueprint.control.get(name).map_or(0, |text| text.lines().count());
    assert_eq!(
        (lines("rcpthosts"), lines("morercpthosts")),
        (50, blueprint.alias_domains.len() + blueprint.domains.len() - 50)
    );
    assert!(blueprint.control["morercpthosts"].contains("d59.example\n"), "{}", blueprint.control["morercpthosts"]);
}

#[test]
fn an_expectation_that_fails_tells_the_way() {
    for (to, result, expected) in [
        (
            "sales@example.org",
            "delivered_to_all [\"ada@example.org\"]",
            "mail from x@else.example to sales@example.org is delivered to ada@example.org, g@navy.example, grace@example.org, not delivered to ada@example.org alone (it goes sales@example.org → ada@example.org; sales@example.org → grace@example.org; sales@example.org → grace@example.org → g@navy.example)",
        ),
        (
            "ada@example.org",
            "forwarded_to \"ada@example.net\"",
            "mail from x@else.example to ada@example.org is delivered to ada@example.org, not forwarded to ada@example.net (ada@example.net is an address of this site: write 'delivered_to)",
        ),
        (
            "info@example.org",
            "discarded",
            "mail from x@else.example to info@example.org is answered by info@example.org, not discarded (change the expectation, or what it speaks of)",
        ),
    ] {
        assert_eq!(said(to, result), expected);
    }
}

#[test]
fn targets_are_compared_as_mailboxes() {
    let users = users(", aliases = [\"countess\"]");
    let again = |target: &str, end: &str, who: &str| {
        format!("W0328 {target} is the mailbox {end}@example.org, which {who} names already")
    };
    let sales = |targets: &str, expected: &[&str]| {
        let domain = format!("{users} aliases = {{ sales = [{targets}] }},");
        check(&domain, "", expected);
        let (plain, _) = lowered(&format!("{users} aliases = {{ sales = [\"ada\", \"grace\"] }},"), "").unwrap();
        let (other, _) = lowered(&domain, "").unwrap();
        let targets = |blueprint: &Blueprint| {
            let mail = &blueprint.domains[&"example.org".parse().unwrap()];
            mail.aliases[&"sales".parse::<LocalPart>().unwrap()].clone()
        };
        assert_eq!(targets(&other), targets(&plain));
    };
    sales("\"grace\", \"ada\"", &[]);
    sales("\"GRACE@Example.ORG\", \"Ada@example.net\"", &[]);
    sales("\"ada\", \"ADA\", \"grace\"", &[&again("ADA@example.org", "ada", "the alias sales")]);
    sales("\"ada\", \"grace\", \"grace@example.net\"", &[&again("grace@example.net", "grace", "the alias sales")]);
    sales("\"ada\", \"countess\", \"grace\"", &[&again("countess@example.org", "ada", "the alias sales")]);
    sales("\"ada\", \"ada+shop\", \"grace\"", &[&again("ada+shop@example.org", "ada", "the alias sales")]);
    sales("\"ada\", \"postmaster\", \"grace\"", &[&again("postmaster@example.org", "ada", "the alias sales")]);
    // People may change where their mail goes: who forwards to the same place is somebody else.
    let away = "users.bob.forward = { to = [\"x@else.example\"] }, users.cy.forward = { to = [\"x@else.example\"] },";
    check(&format!("{users} {away} aliases = {{ both = [\"bob\", \"cy\"] }},"), "", &[]);
    let of_list = "lists = { news = { members = [\"ada\", \"ada@example.net\"] } },";
    check(&format!("{users} {of_list}"), "", &[&again("ada@example.net", "ada", "the list news")]);
    let (blueprint, _) = lowered(&format!("{users} {of_list}"), "").unwrap();
    let lists = &blueprint.domains[&"example.org".parse().unwrap()].lists;
    assert_eq!(lists[&"news".parse::<LocalPart>().unwrap()].members.len(), 2, "both may post");
    check(&format!("{users} aliases = {{ both = [\"ada\", \"team\"], team = [\"ada\", \"grace\"] }},"), "", &[]);
}

/// More aliases than files are made for: the walk finds in the table what it finds in files.
#[test]
fn many_addresses_share_a_table() {
    let aliases: String = (0..400).map(|number| format!("a{number} = [\"ada\", \"grace\"], ")).collect();
    let domain = format!(
        "aliases = {{ {aliases} \"x.y\" = [\"ada\"] }}, lists.all = {{ members = [\"ada\"], post = 'anyone }},"
    );
    let (blueprint, _) = lowered(&domain, "").unwrap();
    let delivery = blueprint.deliveries()["example.org"];
    let files: Vec<String> =
        delivery.addresses().into_iter().filter_map(|(local, own)| delivery.file_name(local, own)).collect();
    assert_eq!(files, [".qmail-all"]);
    let mut world = World::new(&blueprint);
    let mut to = |address: &str| world.trace(&address.parse().unwrap()).unwrap();
    let ada = Route::Destinations(vec![Destination::Mailbox { domain: "example.org".into(), user: "ada".into() }]);
    assert_eq!(to("X.Y@example.net").0, ada);
    let (route, steps) = to("a7+detail@example.net");
    assert_eq!(
        (&route, matches!(&route, Route::Destinations(both) if both.len() == 2)),
        (&to("a7@example.org").0, true)
    );
    let table = Step::File { domain: "example.org".to_owned(), name: "aliases.cdb".to_owned() };
    assert!(steps.contains(&table), "{steps:?}");
    assert!(matches!(to("a400@example.org").0, Route::NoSuchAddress(_)));
}
