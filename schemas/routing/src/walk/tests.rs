//! Walks over a small world in memory.

use std::convert::Infallible;

use postkiln_control::users_assign::{self, Assigned};
use postkiln_control::{ControlFile, Virtualdomains};

use super::*;
use crate::block_on_ready;

/// `example.org` with some files, `example.net` as its alias domain.
struct World {
    virtualdomains: Virtualdomains,
    assign: Vec<u8>,
    files: Vec<(&'static str, &'static str)>,
    users: Vec<&'static str>,
    separator: Option<char>,
}

impl LookUp for World {
    type Error = Infallible;

    async fn virtual_domain(&mut self, address: &Address) -> Result<Option<String>, Infallible> {
        Ok(self.virtualdomains.prepend(address).map(str::to_owned))
    }

    async fn assign(&mut self, local: &str) -> Result<Option<Assigned>, Infallible> {
        Ok(users_assign::lookup(&self.assign, local).unwrap())
    }

    async fn dot_qmail(&mut self, domain: &str, file: &str) -> Result<Option<Vec<u8>>, Infallible> {
        assert_eq!(domain, "example.org");
        Ok(self.files.iter().find(|(name, _)| *name == file).map(|(_, text)| text.as_bytes().to_vec()))
    }

    async fn user(&mut self, domain: &str, local: &str) -> Result<UserState, Infallible> {
        Ok(match (domain, local) {
            ("example.org", "left") => UserState::Closed,
            ("example.org", name) if self.users.contains(&name) => UserState::Open,
            _ => UserState::Absent,
        })
    }

    async fn separator(&mut self, domain: &str) -> Result<Option<char>, Infallible> {
        assert_eq!(domain, "example.org");
        Ok(self.separator)
    }
}

fn world() -> World {
    let assign = "+example.net-:example.org:207:207:/data/mail/example.org:-::\n\
                  +example.org-:example.org:207:207:/data/mail/example.org:-::\n.\n";
    World {
        virtualdomains: Virtualdomains::parse(b"example.org:example.org\nexample.net:example.net\n").unwrap(),
        assign: users_assign::compile(&users_assign::parse(assign).unwrap()),
        files: vec![
            (".qmail-default", "|vdelivermail '' bounce-no-mailbox\n"),
            (".qmail-countess", "# an alias\n&ada@example.org\n"),
            (".qmail-far", "&ada@elsewhere.example\n"),
            (".qmail-twice", "&countess@example.net\n"),
            (".qmail-sales", "&ada@example.org\n&grace@example.org\n&ada@example.org\n"),
            (".qmail-grace", "&grace@navy.example\n|vdelivermail '' bounce-no-mailbox\n"),
            (".qmail-a", "&b@example.org\n"),
            (".qmail-b", "&A@example.net\n"),
            (".qmail-c", "&c2@example.org\n"),
            (".qmail-c2", "&c@example.org\n"),
            (".qmail-announce", "|ezmlm-send lists/example.org/announce\n"),
            (".qmail-info", "|autorespond 60 1 robots/example.org/info robots/example.org/info.d\n"),
            (".qmail-void", "# nothing\n"),
            (".qmail-drop-default", "|vdelivermail '' delete\n"),
            (".qmail-all-default", "|vdelivermail '' ada@example.org\n"),
            (".qmail-broken", "|rm -rf /\n"),
        ],
        users: vec!["ada", "grace", "drop-box", "ada+own", "mary-ann", "ann.b"],
        separator: None,
    }
}

fn check(recipient: &str, expected: &str) {
    check_in(world(), recipient, expected);
}

/// The route in short: `not ours`, `no: …`, or destinations separated by spaces.
fn check_in(mut world: World, recipient: &str, expected: &str) {
    let route = block_on_ready(route(&mut world, &recipient.parse().unwrap()));
    let said = match route {
        Ok(Route::NotOurs) => "not ours".to_owned(),
        Ok(Route::NoSuchAddress(text)) => format!("no: {text}"),
        Ok(Route::Destinations(destinations)) => destinations.iter().map(short).collect::<Vec<_>>().join(" "),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(said, expected, "{recipient}");
}

fn short(destination: &Destination) -> String {
    match destination {
        Destination::Mailbox { domain, user } => format!("mailbox:{user}@{domain}"),
        Destination::Forward(address) => format!("forward:{address}"),
        Destination::List { address, directory } => format!("list:{address}:{directory}"),
        Destination::Respond { address, message, directory, replies, period } => {
            format!("respond:{address}:{message}:{directory}:{replies}:{period}")
        }
    }
}

#[test]
fn users_have_mailboxes_whatever_the_case_and_the_alias_domain() {
    check("ada@example.org", "mailbox:ada@example.org");
    check("ADA@Example.NET", "mailbox:ada@example.org");
    check("nobody@example.org", "no: sorry, no mailbox here by that name (#5.1.1)");
    check("ada@elsewhere.example", "not ours");
}

#[test]
fn files_beat_users_and_single_forwards_are_followed() {
    check("countess@example.org", "mailbox:ada@example.org");
    check("twice@example.org", "mailbox:ada@example.org");
    check("far@example.org", "forward:ada@elsewhere.example");
    check("grace@example.org", "forward:grace@navy.example mailbox:grace@example.org");
    check("sales@example.org", "forward:ada@example.org forward:grace@example.org");
}

#[test]
fn loops_end() {
    check("a@example.org", LOOP_SAID);
    check("c@example.org", LOOP_SAID);
}

#[test]
fn lists_and_robots_speak_as_themselves() {
    check("announce@example.net", "list:announce@example.org:example.org/announce");
    check("info@example.net", "respond:info@example.org:robots/example.org/info:robots/example.org/info.d:1:60");
}

#[test]
fn rules_for_nobody() {
    check("void@example.org", "");
    check("drop-x@example.org", "");
    check("drop-box@example.org", "mailbox:drop-box@example.org");
    check("all-x@example.org", "mailbox:ada@example.org");
    check("a/b@example.org", "no: sorry, no mailbox here by that name (#5.1.1)");
    check(
        "broken@example.org",
        "error: example.org/.qmail-broken: line 1: \"|rm -rf /\" names no program of this system",
    );
}

#[test]
fn a_detail_is_its_owner_s() {
    let plus = |recipient: &str, expected: &str| {
        check_in(World { separator: Some('+'), ..world() }, recipient, expected);
    };
    plus("Ada+shop@example.org", "mailbox:ada@example.org");
    plus("ada+shop+2@example.net", "mailbox:ada@example.org");
    plus("ada+@example.org", "mailbox:ada@example.org");
    plus("ada+own@example.org", "mailbox:ada+own@example.org");
    plus("ada+own+x@example.org", "mailbox:ada+own@example.org");
    plus("Ann.B+x@example.org", "mailbox:ann.b@example.org");
    plus("countess+x@example.org", "mailbox:ada@example.org");
    plus("grace+x@example.org", "forward:grace@navy.example mailbox:grace@example.org");
    plus("info+x@example.org", "respond:info@example.org:robots/example.org/info:robots/example.org/info.d:1:60");
    plus("left+x@example.org", LOCKED);
    for nobody in ["nobody+x@example.org", "+ada@example.org", "ada-x@example.org", "announce+x@example.org"] {
        plus(nobody, "no: sorry, no mailbox here by that name (#5.1.1)");
    }
    check("ada+shop@example.org", "no: sorry, no mailbox here by that name (#5.1.1)");
}

#[test]
fn a_hyphen_parts_at_the_longest_name() {
    let minus = |recipient: &str, expected: &str| {
        check_in(World { separator: Some('-'), ..world() }, recipient, expected);
    };
    minus("ada-shop@example.org", "mailbox:ada@example.org");
    minus("mary-ann@example.org", "mailbox:mary-ann@example.org");
    minus("mary-ann-shop@example.org", "mailbox:mary-ann@example.org");
    minus("mary-shop@example.org", "no: sorry, no mailbox here by that name (#5.1.1)");
    // The domain's own files win over a detail.
    minus("drop-ada-x@example.org", "");
    minus("announce-subscribe@example.org", "no: sorry, no mailbox here by that name (#5.1.1)");
    minus("a/b-x@example.org", "no: sorry, no mailbox here by that name (#5.1.1)");
}

#[test]
fn mail_for_a_closed_account_is_refused() {
    check("left@example.org", LOCKED);
    check("LEFT@example.net", LOCKED);
}

#[test]
fn the_steps_tell_the_way() {
    let (_, steps) = block_on_ready(trace(&mut world(), &"countess@example.net".parse().unwrap())).unwrap();
    let files: Vec<&str> = steps
        .iter()
        .filter_map(|step| if let Step::File { name, .. } = step { Some(name.as_str()) } else { None })
        .collect();
    assert_eq!(files, [".qmail-countess", ".qmail-default"]);
    assert!(steps.contains(&Step::Followed("ada@example.org".parse().unwrap())));
}

const LOCKED: &str = "no: vdelivermail: account is locked email bounced left@example.org (#5.2.1)";
const LOOP_SAID: &str = "no: this address is forwarded to itself (#5.4.6)";
