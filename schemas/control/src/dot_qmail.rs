//! `.qmail` files of a virtual domain: delivery instructions (dot-qmail(5), vdelivermail), and the order in which the
//! files for an address are tried. No shell runs on the node: the programs after `|` are the ones named here.

use std::fmt;

use postkiln_address::{Address, LocalPart};

use crate::ParseError;

/// Places one file may lead to: `directoryd` names them in one answer.
pub const MOST_TARGETS: usize = 2000;

/// One line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// `# …`; a file of nothing else drops the message.
    Comment(String),
    /// `&address`.
    Forward(Address),
    /// `|vdelivermail '' RULE`: the user's mailbox, or the rule when there is no such user.
    Deliver(Rule),
    /// `|autorespond SECONDS COUNT MESSAGE DIRECTORY`.
    Autorespond(Autorespond),
    /// `|ezmlm-send DIRECTORY`.
    EzmlmSend {
        /// The list's directory, below the bundle: `lists/example.org/announce`.
        directory: String,
    },
    /// `|fastforward -dp TABLE`: what the table says of the address, and nothing of the lines below; those only when it
    /// says nothing.
    Fastforward {
        /// A file of the domain directory: `aliases.cdb`.
        table: String,
    },
}

/// The rule for mail to an address without a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The mail is refused.
    BounceNoMailbox,
    /// The mail is accepted and dropped.
    Delete,
    /// The mail goes to this address.
    Address(Address),
}

/// An automatic reply: at most `count` to one sender within `seconds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autorespond {
    /// The period, in seconds.
    pub seconds: u64,
    /// The largest number of replies to one sender within the period.
    pub count: u32,
    /// The path of the reply's text, below the bundle: `robots/example.org/info`.
    pub message: String,
    /// The directory that remembers the senders of the period, below the data directory: `robots/example.org/info.d`.
    pub directory: String,
}

/// Parses a whole file.
///
/// # Errors
/// At the first line that cannot be obeyed; qmail defers the delivery then, and so do we. Also for an empty file, which
/// would mean a default delivery that virtual domains do not have.
pub fn parse(bytes: &[u8]) -> Result<Vec<Instruction>, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ParseError::new(1, "is not UTF-8"))?;
    let mut instructions = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end_matches([' ', '\t', '\r']);
        if line.is_empty() {
            // dot-qmail(5): "If the first line of .qmail is blank", the delivery is deferred; later ones are ignored.
            if number == 1 {
                return Err(ParseError::new(1, "the first line is blank"));
            }
            continue;
        }
        instructions.push(parse_line(line).map_err(|problem| ParseError::new(number, problem))?);
    }
    if instructions.is_empty() {
        return Err(ParseError::new(1, "the file is empty"));
    }
    Ok(instructions)
}

fn parse_line(line: &str) -> Result<Instruction, String> {
    if let Some(comment) = line.strip_prefix('#') {
        return Ok(Instruction::Comment(comment.to_owned()));
    }
    if let Some(command) = line.strip_prefix('|') {
        return parse_command(command.trim_start()).ok_or_else(|| format!("{line:?} names no program of this system"));
    }
    if line.starts_with(['.', '/', '+']) {
        return Err(format!("{line:?} is not for a virtual domain"));
    }
    let address = line.strip_prefix('&').unwrap_or(line);
    address.parse().map(Instruction::Forward).map_err(|error| error.to_string())
}

fn parse_command(command: &str) -> Option<Instruction> {
    let words: Vec<&str> = command.split_ascii_whitespace().collect();
    match *words.as_slice() {
        ["vdelivermail", "''", "bounce-no-mailbox"] => Some(Instruction::Deliver(Rule::BounceNoMailbox)),
        ["vdelivermail", "''", "delete"] => Some(Instruction::Deliver(Rule::Delete)),
        ["vdelivermail", "''", address] => Some(Instruction::Deliver(Rule::Address(address.parse().ok()?))),
        ["autorespond", seconds, count, message, directory] => Some(Instruction::Autorespond(Autorespond {
            seconds: seconds.parse().ok()?,
            count: count.parse().ok()?,
            message: plain_path(message)?,
            directory: plain_path(directory)?,
        })),
        ["ezmlm-send", directory] => Some(Instruction::EzmlmSend { directory: plain_path(directory)? }),
        ["fastforward", "-dp", table] if !table.contains('/') => {
            Some(Instruction::Fastforward { table: plain_path(table)? })
        }
        _ => None,
    }
}

/// A path below a directory: relative, without `.` and `..`.
fn plain_path(text: &str) -> Option<String> {
    text.split('/').all(|part| !matches!(part, "" | "." | "..")).then(|| text.to_owned())
}

/// The content of a file with these instructions.
#[must_use]
pub fn print(instructions: &[Instruction]) -> String {
    instructions.iter().map(|instruction| format!("{instruction}\n")).collect()
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comment(text) => write!(f, "#{text}"),
            Self::Forward(address) => write!(f, "&{address}"),
            Self::Deliver(rule) => write!(f, "|vdelivermail '' {rule}"),
            Self::Autorespond(Autorespond { seconds, count, message, directory }) => {
                write!(f, "|autorespond {seconds} {count} {message} {directory}")
            }
            Self::EzmlmSend { directory } => write!(f, "|ezmlm-send {directory}"),
            Self::Fastforward { table } => write!(f, "|fastforward -dp {table}"),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BounceNoMailbox => f.write_str("bounce-no-mailbox"),
            Self::Delete => f.write_str("delete"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

/// The files for an extension in the order in which they are tried (qmail-local): `.qmail-a-b`, `.qmail-a-default`,
/// `.qmail-default`. Lower case, `.` as `:`; a name with a slash is no file of the directory and is left out.
#[must_use]
pub fn file_names(extension: &str) -> Vec<String> {
    let safe = extension.to_ascii_lowercase().replace('.', ":");
    let cuts = std::iter::successors(Some(safe.as_str()), |rest| match rest.trim_end_matches(|c| c != '-') {
        "" => None,
        cut => cut.strip_suffix('-'),
    });
    let mut names = vec![format!(".qmail-{safe}")];
    names.extend(cuts.skip(1).map(|cut| format!(".qmail-{cut}-default")));
    names.push(".qmail-default".to_owned());
    names.retain(|name| !name.contains('/'));
    names
}

/// The file that is tried first for an extension; `None` when it holds a slash and so names no file of the directory.
#[must_use]
pub fn exact_name(extension: &str) -> Option<String> {
    (!extension.contains('/')).then(|| format!(".qmail-{}", extension.to_ascii_lowercase().replace('.', ":")))
}

/// The file that holds the instructions for exactly this local part; `None` when the name cannot be one, or would stand
/// for other addresses too.
#[must_use]
pub fn file_name(local: &LocalPart) -> Option<String> {
    let safe = local.as_str().to_ascii_lowercase().replace('.', ":");
    let plain = safe.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    let wildcard = safe == "default" || safe.ends_with("-default");
    // A colon in the name would be taken for a dot.
    (plain && !wildcard && !local.as_str().contains(':')).then(|| format!(".qmail-{safe}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_parsed_again() {
        let text = "# kept\n&ada@example.org\n|vdelivermail '' bounce-no-mailbox\n|vdelivermail '' delete\n\
                    |vdelivermail '' ada@example.org\n\
                    |autorespond 86400 1 robots/example.org/info robots/example.org/info.d\n\
                    |ezmlm-send lists/example.org/announce\n|fastforward -dp aliases.cdb\n";
        let parsed = parse(text.as_bytes()).unwrap();
        assert_eq!((parsed.len(), print(&parsed)), (8, text.to_owned()));
        assert_eq!(parse(b"ada@example.org").unwrap(), parse(b"&ada@example.org\n\n").unwrap());
    }

    #[test]
    fn what_cannot_be_obeyed_is_refused_with_its_line() {
        let check = |text: &str, line: usize| {
            assert_eq!(parse(text.as_bytes()).map_err(|error| error.line), Err(line), "{text:?}");
        };
        check("", 1);
        check("\n&ada@example.org\n", 1);
        check("&ada@example.org\n|/bin/sh -c evil\n", 2);
        check("|vdelivermail '' /home\n", 1);
        check("./Maildir/\n", 1);
        check("&ada\n", 1);
        check("|ezmlm-send ../../etc\n", 1);
        check("|autorespond x 1 a b\n", 1);
        check("|fastforward -dp ../other/aliases.cdb\n", 1);
        check("|fastforward -p aliases.cdb\n", 1);
    }

    #[test]
    fn files_are_tried_from_the_most_special_to_the_default() {
        let check = |extension: &str, expected: &[&str]| assert_eq!(file_names(extension), expected, "{extension}");
        check("Ada", &[".qmail-ada", ".qmail-default"]);
        check("a.b", &[".qmail-a:b", ".qmail-default"]);
        check("foo-bar-baz", &[".qmail-foo-bar-baz", ".qmail-foo-bar-default", ".qmail-foo-default", ".qmail-default"]);
        check("foo-", &[".qmail-foo-", ".qmail-foo-default", ".qmail-default"]);
        check("-x", &[".qmail--x", ".qmail--default", ".qmail-default"]);
        check("", &[".qmail-", ".qmail-default"]);
        check("a/b", &[".qmail-default"]);
    }

    #[test]
    fn some_local_parts_have_no_file_of_their_own() {
        let check = |local: &str, expected: Option<&str>| {
            assert_eq!(file_name(&LocalPart::new(local).unwrap()).as_deref(), expected, "{local}");
        };
        check("Ada.L", Some(".qmail-ada:l"));
        for none in ["default", "x-default", "a/b", "a b", "a:b"] {
            check(none, None);
        }
    }
}
