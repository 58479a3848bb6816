//! `postkiln explain` on the examples: the way of an address, and the origin of generated lines.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here is the failure of a test")]

use std::process::{Command, Output};

use postkiln_tests::{binary, repository};

fn explain(what: &str) -> Output {
    explain_at("examples/small-office", what)
}

fn explain_at(site: &str, what: &str) -> Output {
    let site = repository().join(site);
    Command::new(binary("postkiln")).arg("explain").arg(site).arg(what).output().expect("postkiln starts")
}

fn check(what: &str, expected: &str) {
    let output = explain(what);
    assert_eq!(output.status.code(), Some(0), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{what}");
}

/// The line of the example that holds some text; the test follows the example.
fn line_with(text: &str) -> usize {
    line_of("small-office/site.ncl", text)
}

fn line_of(file: &str, text: &str) -> usize {
    let file = std::fs::read_to_string(repository().join("examples").join(file)).unwrap();
    file.lines().position(|line| line.contains(text)).expect("the example holds the text") + 1
}

#[test]
fn an_address_is_followed_to_its_mailbox() {
    let (org, net) = (line_with("\"example.org\" = {"), line_with("\"example.net\".alias_of"));
    let (ada, alias) = (line_with("ada = {"), line_with("\"countess\""));
    let expected = format!(
        "\
countess@example.net
  domain         example.net stands for example.org              site.ncl:{net}:30
  alias          countess@example.org leads to ada@example.org   site.ncl:{alias}:22
                 domains/example.org/.qmail-countess
  domain         example.org is a domain of this site            site.ncl:{org}:5
  user           ada@example.org is a user                       site.ncl:{ada}:9
                 domains/example.org/.qmail-default
=> the mailbox of ada@example.org
"
    );
    check("countess@example.net", &expected);
}

#[test]
fn what_is_not_declared_is_refused_and_by_which_rule() {
    let (org, catch_all) = (line_with("\"example.org\" = {"), line_with("catch_all"));
    let expected = format!(
        "\
nobody@example.org
  domain         example.org is a domain of this site                       site.ncl:{org}:5
  catch-all      nobody@example.org is not declared; such mail is refused   site.ncl:{catch_all}:19
                 domains/example.org/.qmail-default
=> refused: sorry, no mailbox here by that name (#5.1.1)
"
    );
    check("nobody@example.org", &expected);
}

#[test]
fn capitals_are_the_same_with_a_detail_too() {
    let output = explain("ADA+Shop@Example.ORG");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("  user           ada@example.org is a user"), "{said}");
    assert!(said.ends_with("=> the mailbox of ada@example.org\n"), "{said}");
}

#[test]
fn what_smtp_refuses_is_not_looked_for() {
    let output = explain_at("tests/cases/smtp-policy", "Former@example.org");
    let expected = "\
Former@example.org
  smtp           Former@example.org is a bad recipient: refused, whoever writes   site.ncl:26:23
                 control/badrcptto
=> refused: badrcptto names the recipient
";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

/// An address is explained as long as no mistake hides where its mail goes; that there are mistakes is said.
#[test]
fn a_site_with_errors_is_explained_as_far_as_it_can_be_read() {
    let site = "tests/rejects/mistakes-hide-nothing";
    let output = explain_at(site, "sales@example.org");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("alias          sales@example.org leads to ada@example.org, gracie@example.org"), "{said}");
    assert!(said.contains("=> the mailbox of ada@example.org\n"), "{said}");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("the site has ") && errors.contains("`postkiln check` shows them"), "{errors}");
    // The user's quota cannot be read, and has nothing to do with the way of mail.
    assert_eq!(explain_at(site, "tim@example.org").status.code(), Some(0));
    let site = "tests/rejects/mistakes-hide-what-follows";
    for (address, expected) in [
        ("same@example.com", Some(1)),
        ("joan@example.com", Some(1)),
        ("lost@example.com", Some(0)),
        ("ada@example.org", Some(1)),
    ] {
        let output = explain_at(site, address);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), expected, "{address}: {errors}");
        assert!(expected == Some(0) || (output.stdout.is_empty() && errors.contains("error[")), "{address}: {errors}");
    }
}

/// The rules that `examples/full` adds: a detail, a catch-all that delivers, routes, a list, rows of files, refusals.
#[test]
fn every_kind_of_rule_is_told_with_its_place() {
    let at = |file: &str, text: &str| format!("{file}:{}:", line_of(&format!("full/{file}"), text));
    for (address, rules, end) in [
        (
            "counter-x@shop.example",
            vec![("detail", at("shop.ncl", "subaddress ="))],
            "the mailbox of counter@shop.example",
        ),
        ("any@shop.example", vec![("catch-all", at("shop.ncl", "catch_all ="))], "the mailbox of counter@shop.example"),
        ("any@press.example", vec![("catch-all", at("retired.ncl", "catch_all ="))], "accepted and dropped"),
        (
            "x@printer.example",
            vec![("route", at("smtp.ncl", "\"printer.example\" ="))],
            "x@printer.example, on another server",
        ),
        (
            "x@a.printer.example",
            vec![("route", at("smtp.ncl", "\".printer.example\" ="))],
            "x@a.printer.example, on another server",
        ),
        ("x@third.example", vec![("route", at("smtp.ncl", "smarthost ="))], "x@third.example, on another server"),
        (
            "contest-2019@shop.example",
            vec![("smtp", at("smtp.ncl", "bad_recipients ="))],
            "refused: badrcptto names the recipient",
        ),
        (
            "announce@example.net",
            vec![("domain", at("site.ncl", "\"example.net\"")), ("list", at("lists.ncl", "announce ="))],
            "the members of announce@example.org",
        ),
        (
            "editor@example.org",
            vec![("alias", at("staff.csv", "katherine,")), ("user", at("staff.csv", "katherine,"))],
            "the mailbox of katherine@example.org",
        ),
        (
            "hostmaster@example.org",
            vec![("alias", at("functions.jsonl", "hostmaster"))],
            "the mailbox of grace@example.org",
        ),
        ("sonya@club.example", vec![("alias", at("members.jsonl", "sofya"))], "the mailbox of sofya@club.example"),
        ("info@example.org", vec![("autoresponder", at("house.ncl", "info ="))], "a reply from info@example.org"),
        ("edsger@example.org", vec![("user", at("staff.csv", "edsger,"))], "refused: vdelivermail: account is locked"),
    ] {
        let output = explain_at("examples/full", address);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{address}: {said}");
        for (rule, place) in rules {
            let is_told = |line: &str| line.trim_start().starts_with(rule) && line.contains(&format!(" {place}"));
            assert!(said.lines().any(is_told), "{address}: no {rule} at {place} in\n{said}");
        }
        assert!(said.lines().any(|line| line.starts_with(&format!("=> {end}"))), "{address}: {said}");
    }
}

/// Checks the thing that a generated line was made for, and the text of the site it leads back to.
fn check_line(what: &str, object: &str, source: &str) {
    let line = line_with(source);
    let output = explain(what);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("  made for {object}, written at site.ncl:{line}:")), "{what}: {said}");
    assert!(said.contains(source), "{what}: {said}");
}

#[test]
fn generated_lines_lead_back_to_the_site() {
    check_line("control/me:1", "control/me", "hostname = ");
    check_line("control/rcpthosts:1", "domain/example.net", "\"example.net\".alias_of");
    check_line("control/concurrencyremote", "control/concurrencyremote", "concurrencyremote = 40");
    check_line("users/assign:2", "domain/example.org", "\"example.org\" = {");
    check_line("domains/example.org/.qmail-sales:1", "alias/sales@example.org", "sales = [");
    check_line("domains/example.org/.qmail-dorothy:1", "user/dorothy@example.org", "forward = {");
    check_line("domains/example.org/.qmail-default:1", "domain/example.org", "catch_all = 'reject");
    check_line("lists/example.org/announce/list.json:3", "list/announce@example.org", "members = [");
    check_line("robots/example.org/info:2", "autoresponder/info@example.org", "subject = ");
    check_line("clamav/clamd.conf:1", "antivirus", "engine = 'clamav");
}

#[test]
fn what_is_not_there_is_said() {
    for (what, hint) in [
        ("control/rcpthost", "did you mean control/rcpthosts?"),
        ("control/me:7", "control/me has 1 line"),
        ("ada@", "is no address"),
    ] {
        let output = explain(what);
        assert_eq!(output.status.code(), Some(64), "{what}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(hint), "{what}: {output:?}");
    }
}

#[test]
fn a_seeds_line_is_told_without_its_hash() {
    let seed = explain("seeds/sqlite.sql:51");
    assert!(!String::from_utf8_lossy(&seed.stdout).contains("argon2id"));
}
