//! `users/assign` and `users/cdb`: the account that mail for a local part is delivered to (qmail-users(5),
//! qmail-newu(8), qmail-lspawn).

use std::fmt;

use crate::ParseError;
use crate::cdb::{Cdb, Damaged, Writer};

/// One line: `=local:user:uid:gid:home:dash:ext:` or `+prefix:user:uid:gid:home:dash:pre:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Whether `local` is only the beginning of the local parts it stands for.
    pub wildcard: bool,
    /// The whole local part, or its beginning: `example.org-`.
    pub local: String,
    /// The account that the local part is assigned to.
    pub to: Assigned,
}

/// The account for a local part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The account's name; for a virtual domain the name of its directory: `example.org`.
    pub user: String,
    /// The numeric user id.
    pub uid: u32,
    /// The numeric group id.
    pub gid: u32,
    /// The path of the home directory.
    pub home: String,
    /// The text between `.qmail` and the extension.
    pub dash: String,
    /// The extension; after a look-up by wildcard with the rest of the local part appended, case kept.
    pub ext: String,
}

/// The content of the file, ended by the line `.` without which qmail-newu refuses it.
#[must_use]
pub fn print(assignments: &[Assignment]) -> String {
    let lines: String = assignments.iter().map(|line| format!("{line}\n")).collect();
    lines + END
}

/// The last line.
pub const END: &str = ".\n";

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.wildcard { '+' } else { '=' };
        let Assigned { user, uid, gid, home, dash, ext } = &self.to;
        write!(f, "{sign}{}:{user}:{uid}:{gid}:{home}:{dash}:{ext}:", self.local)
    }
}

/// Parses the whole file.
///
/// # Errors
/// At the first line that is no assignment, or when the last line is not `.`.
pub fn parse(text: &str) -> Result<Vec<Assignment>, ParseError> {
    let mut assignments = Vec::new();
    let mut last = 0;
    for (number, line) in (1..).zip(text.lines()) {
        if line == "." {
            return Ok(assignments);
        }
        let bad = || ParseError::new(number, format!("{line:?} is no assignment"));
        assignments.push(parse_line(line).ok_or_else(bad)?);
        last = number;
    }
    Err(ParseError::new(last + 1, "the file does not end with a line `.`"))
}

fn parse_line(line: &str) -> Option<Assignment> {
    // A NUL would end a field of the compiled form; qmail-newu refuses the line too.
    if line.contains('\0') {
        return None;
    }
    let wildcard = match line.chars().next()? {
        '+' => true,
        '=' => false,
        _ => return None,
    };
    let mut fields = line.get(1..)?.split(':');
    let local = fields.next()?.to_owned();
    let to = parse_assigned(&mut fields)?;
    // The sixth colon ends the extension.
    fields.next()?;
    Some(Assignment { wildcard, local, to })
}

fn parse_assigned<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Option<Assigned> {
    Some(Assigned {
        user: fields.next()?.to_owned(),
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
        home: fields.next()?.to_owned(),
        dash: fields.next()?.to_owned(),
        ext: fields.next()?.to_owned(),
    })
}

/// The compiled form, as qmail-newu makes it. A key is `!` and the local part in lower case, with a NUL when it is
/// exact; the data are the six fields with NULs between them. A last record has an empty key and, as data, the
/// characters that wildcards end with.
#[must_use]
pub fn compile(assignments: &[Assignment]) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut breaks: Vec<u8> = Vec::new();
    for Assignment { wildcard, local, to } in assignments {
        let mut key = format!("!{}", local.to_ascii_lowercase()).into_bytes();
        if *wildcard {
            // qmail-newu keeps the character as written, not in lower case.
            breaks.extend(local.bytes().last().filter(|last| !breaks.contains(last)));
        } else {
            key.push(0);
        }
        let Assigned { user, uid, gid, home, dash, ext } = to;
        writer.push(&key, format!("{user}\0{uid}\0{gid}\0{home}\0{dash}\0{ext}").as_bytes());
    }
    writer.push(b"", &breaks);
    writer.finish()
}

/// The account for a local part: of the exact line, else of the longest wildcard (qmail-lspawn's search).
///
/// # Errors
/// When the file is damaged; the delivery is deferred then.
pub fn lookup(cdb: &[u8], local: &str) -> Result<Option<Assigned>, Damaged> {
    let cdb = Cdb::new(cdb);
    let mut key = format!("!{}\0", local.to_ascii_lowercase()).into_bytes();
    if let Some(data) = cdb.find(&key)? {
        return assigned(data, "").map(Some);
    }
    let breaks = cdb.find(b"")?.ok_or(Damaged)?;
    loop {
        key.pop();
        let Some(last) = key.last() else { return Ok(None) };
        if key.len() > 1 && !breaks.contains(last) {
            continue;
        }
        if let Some(data) = cdb.find(&key)? {
            return assigned(data, local.get(key.len() - 1..).unwrap_or_default()).map(Some);
        }
    }
}

fn assigned(data: &[u8], rest: &str) -> Result<Assigned, Damaged> {
    let text = std::str::from_utf8(data).map_err(|_| Damaged)?;
    let mut found = parse_assigned(&mut text.split('\0')).ok_or(Damaged)?;
    found.ext.push_str(rest);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "=root:alias:200:200:/alias:-:root:\n+example.org-:example.org:207:207:/data/mail/example.org:-::\n\
                        +example.org-x-:other:1:1:/o:-:pre-:\n+:alias:200:200:/alias:-::\n.\n";

    #[test]
    fn what_is_printed_is_parsed_again_and_the_last_line_must_be_a_dot() {
        let parsed = parse(FILE).unwrap();
        assert_eq!(print(&parsed), FILE);
        for bad in
            ["", "=a:b:1:1:/:-:x:\n", "a:b\n.\n", "=a:b:x:1:/:-::\n.\n", "=a:b:1:1:/:-:x\n.\n", "=a:b\0:1:1:/:-::\n.\n"]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn exact_first_then_the_longest_wildcard() {
        let cdb = compile(&parse(FILE).unwrap());
        let check = |local: &str, user: &str, ext: &str| {
            let found = lookup(&cdb, local).unwrap().unwrap();
            assert_eq!((found.user.as_str(), found.ext.as_str()), (user, ext), "{local}");
        };
        check("Root", "alias", "root");
        check("example.org-Ada", "example.org", "Ada");
        check("EXAMPLE.org-ada-lists", "example.org", "ada-lists");
        check("example.org-x-y", "other", "pre-y");
        check("nobody", "alias", "nobody");
        let without = compile(&parse("+a-:a:1:1:/:-::\n.\n").unwrap());
        assert_eq!(lookup(&without, "b-c"), Ok(None));
        assert_eq!(lookup(b"", "a"), Err(Damaged));
    }

    /// The bytes that qmail-newu writes, derived from its source.
    #[test]
    fn keys_and_data_are_those_of_qmail_newu() {
        let bytes = compile(&parse("=Root:alias:2:3:/alias:-:root:\n+d-:d:1:1:/d:-::\n.\n").unwrap());
        let records = Cdb::new(&bytes).records().unwrap();
        let expected: [(&[u8], &[u8]); 3] =
            [(b"!root\0", b"alias\x002\x003\0/alias\0-\0root"), (b"!d-", b"d\x001\x001\0/d\0-\0"), (b"", b"-")];
        assert_eq!(records, expected);
    }
}
