//! Command lines (RFC 1939 §3 and §9).

use postkiln_mail::Secret;

/// A command. Message numbers and counts are as written; whether they mean anything, the mailbox says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Capa,
    Dele(String),
    List(Option<String>),
    Noop,
    Pass(Secret),
    Quit,
    Retr(String),
    Rset,
    Stat,
    Stls,
    Top(String, String),
    Uidl(Option<String>),
    User(String),
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unimplemented,
    Syntax,
}

/// Reads a line without its CRLF.
pub(crate) fn parse(line: &[u8]) -> Result<Command, Fault> {
    let line = std::str::from_utf8(line).map_err(|_| Fault::Syntax)?;
    let (keyword, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut arguments = rest.split_ascii_whitespace();
    let mut next = || arguments.next().map(str::to_owned);
    let command = match keyword.to_ascii_uppercase().as_str() {
        "USER" => Command::User(some(rest.trim())?),
        // §7: the rest of the line, blanks included, is the password.
        "PASS" => Command::Pass(Secret::new(some(rest)?)),
        "DELE" => Command::Dele(next().ok_or(Fault::Syntax)?),
        "LIST" => Command::List(next()),
        "RETR" => Command::Retr(next().ok_or(Fault::Syntax)?),
        "TOP" => Command::Top(next().ok_or(Fault::Syntax)?, next().ok_or(Fault::Syntax)?),
        "UIDL" => Command::Uidl(next()),
        "CAPA" => Command::Capa,
        "NOOP" => Command::Noop,
        "QUIT" => Command::Quit,
        "RSET" => Command::Rset,
        "STAT" => Command::Stat,
        "STLS" => Command::Stls,
        _ => return Err(Fault::Unimplemented),
    };
    Ok(command)
}

fn some(argument: &str) -> Result<String, Fault> {
    if argument.is_empty() { Err(Fault::Syntax) } else { Ok(argument.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Command, Fault>) {
        assert_eq!(parse(line.as_bytes()), expected, "{line:?}");
    }

    #[test]
    fn commands() {
        check("user ada@example.org ", Ok(Command::User("ada@example.org".into())));
        check("PASS  a b ", Ok(Command::Pass(Secret::new(" a b ".into()))));
        check("USER", Err(Fault::Syntax));
        check("PASS ", Err(Fault::Syntax));
        check("LIST", Ok(Command::List(None)));
        check("List 2", Ok(Command::List(Some("2".into()))));
        check("TOP 1 0", Ok(Command::Top("1".into(), "0".into())));
        check("TOP 1", Err(Fault::Syntax));
        check("RETR", Err(Fault::Syntax));
        check("LAST", Err(Fault::Unimplemented));
        check("", Err(Fault::Unimplemented));
        check(" QUIT", Err(Fault::Unimplemented));
    }
}
