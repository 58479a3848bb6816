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
    /// Records of `aliases.cdb`.
    table: Vec<(&'static str, &'static str)>,
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

    async fn table(&mut self, domain: &str, table: &str, local: &str) -> Result<Option<Vec<u8>>, Infallible> {
        assert_eq!((domain, table), ("example.org", "aliases.cdb"));
        let found = self.table.iter().find(|(name, _)| *name == local);
        Ok(found.map(|(_, text)| fastforward::data(&dot_qmail::parse(text.as_bytes()).unwrap())))
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
        table: Vec::new(),
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

/// [`world`] with some addresses in a table that is asked before the catch-all.
fn large() -> World {
    let mut files = world().files;
    files[0] = (".qmail-default", "|fastforward -dp aliases.cdb\n|vdelivermail '' bounce-no-mailbox\n");
    let table = vec![
        ("office", "&ada@example.org\n&grace@example.org\n"),
        ("lady.l", "&ada@example.org\n"),
        ("lady.l+own", "&grace@example.org\n"),
        ("mary-ann", "&mary@elsewhere.example\n|vdelivermail '' bounce-no-mailbox\n"),
        ("void", "&nobody@example.org\n"),
    ];
    World { files, table, ..world() }
}

#[test]
fn a_table_is_asked_after_the_files_and_before_the_catch_all() {
    let check = |recipient: &str, expected: &str| check_in(large(), recipient, expected);
    check("Office@example.net", "forward:ada@example.org forward:grace@example.org");
    check("lady.l@example.org", "mailbox:ada@example.org");
    check("mary-ann@example.org", "forward:mary@elsewhere.example mailbox:mary-ann@example.org");
    check("void@example.org", "");
    check("ada@example.org", "mailbox:ada@example.org");
    check("nobody@example.org", "no: sorry, no mailbox here by that name (#5.1.1)");
}

#[test]
fn a_detail_belongs_to_its_owner_in_a_table_too() {
    let check = |recipient: &str, expected: &str| {
        check_in(World { separator: Some('+'), ..large() }, recipient, expected);
    };
    check("office+x@example.org", "forward:ada@example.org forward:grace@example.org");
    check("lady.l+x@example.org", "mailbox:ada@example.org");
    check("lady.l+own@example.org", "forward:grace@navy.example mailbox:grace@example.org");
    check("ada+x@example.org", "mailbox:ada@example.org");
    check("announce+x@example.org", "no: sorry, no mailbox here by that name (#5.1.1)");
}

#[test]
fn the_table_is_the_file_that_holds_the_instructions() {
    let traced = |recipient: &str| block_on_ready(trace(&mut large(), &recipient.parse().unwrap())).unwrap().1;
    let file = |name: &str| Step::File { domain: "example.org".to_owned(), name: name.to_owned() };
    assert!(traced("office@example.org").contains(&file("aliases.cdb")));
    assert!(traced("ada@example.org").contains(&file(".qmail-default")));
}

#[test]
fn a_record_that_cannot_be_obeyed_defers() {
    let mut world = large();
    world.table.push(("bad", "|vdelivermail '' delete\n|fastforward -dp aliases.cdb\n"));
    check_in(world, "bad@example.org", "error: example.org/aliases.cdb: line 2: a table leads to no further table");
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
