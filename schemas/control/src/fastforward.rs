//! `aliases.cdb`: the addresses of a large domain in one file instead of a `.qmail` file each, in the form of qmail's
//! companion fastforward (D. J. Bernstein, version 0.51).
//!
//! The form: a cdb whose keys are in lower case. `:` and an address lead to what happens with mail for it; `:` and a
//! local part with its `@`, but no domain, stand for that local part in every domain that reaches the table. The data
//! are instructions, each ended by a NUL: `&` and an address forward, `|` and a command run a program; a file
//! beginning with `.` or `/` would be included, which we never write. (Keys that begin with `?` would change the
//! sender; we have none.)
//!
//! The line `|fastforward -dp aliases.cdb` in `.qmail-default` asks the table: `-d` for the address as the domain's
//! users know it (`$DEFAULT@$HOST`; the envelope's has the domain put before it, `example.org-sales@example.org`), `-p`
//! to go on with the next line when the table has no answer, and to end there when it has one. All our keys name the
//! local part alone, so an alias domain needs no records of its own.
//!
//! An instruction is what a line of a `.qmail` file is, so [`dot_qmail`](crate::dot_qmail) reads and prints it.

use crate::ParseError;
use crate::cdb::Writer;
use crate::dot_qmail::{Instruction, parse, print};

/// The table's name in a domain directory.
pub const FILE: &str = "aliases.cdb";

/// The file: one record for each local part with its instructions, in this order.
#[must_use]
pub fn compile<'a>(entries: impl IntoIterator<Item = (&'a str, Vec<Instruction>)>) -> Vec<u8> {
    let mut writer = Writer::new();
    for (local, instructions) in entries {
        writer.push(&key(local), &data(&instructions));
    }
    writer.finish()
}

/// The key under which a local part is found.
#[must_use]
pub fn key(local: &str) -> Vec<u8> {
    format!(":{}@", local.to_ascii_lowercase()).into_bytes()
}

/// The data of a record.
#[must_use]
pub fn data(instructions: &[Instruction]) -> Vec<u8> {
    print(instructions).replace('\n', "\0").into_bytes()
}

/// The instructions of a record.
///
/// # Errors
/// At the first that cannot be obeyed; fastforward ignores those, but then mail is lost, so the delivery is deferred.
pub fn instructions(data: &[u8]) -> Result<Vec<Instruction>, ParseError> {
    let lines: Vec<u8> = data.iter().map(|octet| if *octet == 0 { b'\n' } else { *octet }).collect();
    let found = parse(&lines)?;
    match found.iter().position(|one| matches!(one, Instruction::Fastforward { .. })) {
        Some(at) => Err(ParseError::new(at + 1, "a table leads to no further table")),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdb::Cdb;

    fn sample() -> Vec<u8> {
        let parsed = |text: &str| parse(text.as_bytes()).unwrap();
        compile([
            ("Sales.eu", parsed("&ada@example.org\n&grace@example.org\n")),
            ("grace", parsed("&grace@navy.example\n|vdelivermail '' bounce-no-mailbox\n")),
        ])
    }

    /// As `setforward` writes them for `sales.eu@: ada@example.org, grace@example.org;`, worked out from its source.
    #[test]
    fn keys_and_data_are_those_of_setforward() {
        let bytes = sample();
        let records = Cdb::new(&bytes).records().unwrap();
        let expected: [(&[u8], &[u8]); 2] = [
            (b":sales.eu@", b"&ada@example.org\0&grace@example.org\0"),
            (b":grace@", b"&grace@navy.example\0|vdelivermail '' bounce-no-mailbox\0"),
        ];
        assert_eq!(records, expected);
    }

    #[test]
    fn what_is_written_is_found_in_any_case() {
        let bytes = sample();
        let found = |local: &str| Cdb::new(&bytes).find(&key(local)).unwrap().map(|data| instructions(data).unwrap());
        assert_eq!(
            found("SALES.eu").map(|found| print(&found)),
            Some("&ada@example.org\n&grace@example.org\n".to_owned())
        );
        assert_eq!(found("grace").map(|found| found.len()), Some(2));
        assert_eq!(found("ada"), None);
    }

    #[test]
    fn a_record_that_cannot_be_obeyed_is_refused() {
        for bad in
            [&b""[..], b"ada\0", b"|rm -rf /\0", b"./file\0", b"&a@example.org\0|fastforward -dp b.cdb\0", b"\xff\0"]
        {
            assert!(instructions(bad).is_err(), "{bad:?}");
        }
    }
}
