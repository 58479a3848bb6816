//! Any text a person can write arrives in the database as it was written, whatever the client and the server make of
//! quotes, backslashes, comments and commands.

use std::fmt::Write;

use postkiln_tests::Database;

use super::site::{Site, accounts, dump};

pub(crate) fn text_arrives_as_it_was_written(database: &Database) {
    let texts = texts();
    let mut users = "ada = {},\n".to_owned();
    let mut expected = String::new();
    for (number, text) in texts.iter().enumerate() {
        let _ = writeln!(users, "u{number:03}.name = {},", nickel(text));
        let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        let _ = writeln!(expected, "u{number:03}|{hex}");
    }
    // Addresses may hold strange characters too.
    users.push_str("\"o'hara\" = {}, \"--x\" = {}, \"{|}~\" = {}, \"`$$`\" = {}");
    let site = Site::of(&users);
    let _ = database.done(site.seed(database));
    let hex = match database.engine() {
        postkiln_tests::Engine::Postgres => "upper(encode(convert_to(name, 'UTF8'), 'hex'))",
        _ => "hex(name)",
    };
    assert_eq!(
        database.done(&format!(
            "SELECT local, {hex} FROM accounts WHERE local LIKE 'u0%' OR local LIKE 'u1%' ORDER BY local;"
        )),
        expected
    );
    for strange in ["o'hara", "--x", "{|}~", "`$$`"] {
        assert!(accounts(database).lines().any(|line| line.starts_with(&format!("{strange}|"))), "{strange}");
    }
    let once = dump(database);
    let _ = database.done(site.seed(database));
    assert_eq!(dump(database), once);
}

/// Well-known traps, and 150 mixtures of their parts.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = TRAPS.iter().map(ToString::to_string).collect();
    texts.push("x".repeat(20_000));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 1_000_003).unwrap() % below
    };
    while texts.len() < 200 {
        let parts = next(8) + 1;
        texts.push((0..parts).map(|_| TRAPS.get(next(TRAPS.len())).copied().unwrap_or_default()).collect());
    }
    texts
}

fn nickel(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace("%{", "\\%{"))
}

const TRAPS: &[&str] = &[
    "",
    " ",
    "NULL",
    "'",
    "''",
    "\\",
    "\\'",
    "'\\",
    "\\\\'",
    "\"",
    "`",
    "'); DROP TABLE accounts; --",
    "\\'); DROP TABLE accounts; -- ",
    "/*",
    "*/",
    "/*! DROP TABLE accounts */",
    "-- ",
    "#",
    ";",
    "$$",
    "$1",
    ":name",
    ":'name'",
    "?",
    "%s%n",
    "%",
    "_",
    "\\0",
    "\\n",
    "\\x41",
    "\\u0041",
    "X'41'",
    "E'\\n'",
    "U&'\\0041'",
    "DELIMITER //",
    ".quit",
    "\\q",
    "\\! id",
    "λόγος",
    "名前",
    "🙂👩‍👩‍👧‍👦",
    "e\u{301}",
    "\u{202e}abc",
    "\u{feff}",
    "\u{2028}",
    "\u{fffd}",
    "\u{10ffff}",
    " a ",
    "a ",
];
