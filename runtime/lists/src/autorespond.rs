//! Automatic replies (autorespond, RFC 3834): who is answered, how often, and with which message. When a sender was
//! answered is the caller's to remember.

use jiff::Timestamp;
use postkiln_address::{Address, ReversePath};
use postkiln_mail::{Envelope, Outcome, Status, date, header};

use crate::message::{Message, Outgoing, Rest};

/// A robot that answers.
#[derive(Clone, Copy, Debug)]
pub struct Robot<'a> {
    /// The address that answers.
    pub address: &'a Address,
    /// Its message: header lines, blank line, text.
    pub text: &'a [u8],
    /// Our host name, for the reply's own name.
    pub hostname: &'a str,
}

/// How often one sender is answered: `replies` times within `period` seconds.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// The largest number of replies within the period.
    pub replies: u32,
    /// The period in seconds.
    pub period: u64,
}

impl Allowance {
    /// Whether a sender that was answered at these times, in Unix seconds, is answered once more.
    #[must_use]
    pub fn allows(&self, told: &[u64], now: u64) -> bool {
        let since = now.saturating_sub(self.period);
        let recent = told.iter().filter(|time| **time > since).count();
        recent < usize::try_from(self.replies).unwrap_or(usize::MAX)
    }
}

/// The address to answer; `None` when the message is a notice, comes from a list or was made by a program
/// (RFC 3834 §2).
///
/// # Errors
/// The bounce of a message that an autoresponder has made: it is going round in a circle.
pub fn answerable<'a>(message: &Message<'a>) -> Result<Option<&'a Address>, Outcome> {
    if header::is_delivered_to(message.header, "Autoresponder") {
        let text = "This message is looping: an autoresponder has made it. (#5.4.6)";
        return Err(Outcome::Bounced(Status(5, 4, 6), text.to_owned()));
    }
    let Some(sender) = message.sender.address() else { return Ok(None) };
    let local = sender.local().as_str().to_ascii_lowercase();
    let is_program = local.starts_with("mailer-daemon") || local.ends_with("-request") || local.starts_with("owner-");
    let is_list = ["Mailing-List", "List-Id", "List-Post", "List-Unsubscribe"].iter().any(|name| message.has(name));
    let is_automatic = message.field("Auto-Submitted").is_some_and(|value| !value.eq_ignore_ascii_case("no"));
    let is_bulk = message.has_precedence(&["junk", "bulk", "list"]);
    Ok((!is_program && !is_list && !is_automatic && !is_bulk).then_some(sender))
}

/// The reply to a message: our fields, those of the robot's message, empty line, its text.
#[must_use]
pub fn reply(robot: &Robot<'_>, message: &Message<'_>, sender: &Address, at: Timestamp) -> Outgoing {
    let given = header::header(robot.text);
    let has = |name: &str| header::fields(given).any(|field| field.is(name));
    let mut head = format!("Delivered-To: Autoresponder\nDate: {}\nTo: {sender}\n", date(at));
    let mut add = |name: &str, value: &str| {
        if !has(name) {
            head.push_str(&format!("{name}: {value}\n"));
        }
    };
    let subject = message.field("Subject").map(|subject| printable(&subject)).unwrap_or_default();
    add("From", &robot.address.to_string());
    add("Subject", format!("Re: {subject}").trim());
    add("Message-ID", &format!("<{}.{}.robot@{}>", at.as_second(), message.id, robot.hostname));
    if let Some(id) = message.field("Message-ID") {
        add("In-Reply-To", &printable(&id));
    }
    add("Auto-Submitted", "auto-replied");
    add("Precedence", "bulk");
    if !robot.text.is_ascii() {
        add("MIME-Version", "1.0");
        add("Content-Type", "text/plain; charset=utf-8");
        add("Content-Transfer-Encoding", "8bit");
    }
    let envelope = Envelope { sender: ReversePath::Null, recipients: vec![sender.clone()] };
    Outgoing { envelope, head: [head.as_bytes(), robot.text].concat(), rest: Rest::Nothing }
}

/// A text that may stand in a field of ours: printable ASCII, at most one line long.
fn printable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~')).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::with_message;

    fn check(sender: &str, header: &str, answered: bool) {
        let answer = with_message(sender, header, |message| answerable(message).map(|sender| sender.is_some()));
        assert_eq!(answer, Ok(answered), "{sender} {header:?}");
    }

    #[test]
    fn programs_are_not_answered() {
        check("ada@elsewhere.example", "", true);
        check("ada@elsewhere.example", "Auto-Submitted: no\n", true);
        check("", "", false);
        check("#@[]", "", false);
        check("MAILER-DAEMON@elsewhere.example", "", false);
        check("ada@elsewhere.example", "Mailing-List: x\n", false);
        check("ada@elsewhere.example", "List-Id: x\n", false);
        check("ada@elsewhere.example", "Precedence: list\n", false);
        check("ada@elsewhere.example", "Auto-Submitted: auto-replied\n", false);
        let looping = with_message("ada@elsewhere.example", "Delivered-To: Autoresponder\n", |message| {
            answerable(message).map(|sender| sender.is_some())
        });
        assert!(matches!(looping, Err(Outcome::Bounced(Status(5, 4, 6), _))), "{looping:?}");
    }

    #[test]
    fn a_sender_is_answered_so_often_within_the_period() {
        let allowance = Allowance { replies: 2, period: 3600 };
        assert!(allowance.allows(&[], 10_000));
        assert!(allowance.allows(&[9_990], 10_000));
        assert!(!allowance.allows(&[9_980, 9_990], 10_000));
        assert!(allowance.allows(&[6_400, 9_990], 10_000));
    }

    /// The reply to a message with this header.
    fn made(text: &str, header: &str) -> String {
        let (address, sender) = ("info@example.org".parse().unwrap(), "ada@elsewhere.example".parse().unwrap());
        let robot = Robot { address: &address, text: text.as_bytes(), hostname: "mail.example.org" };
        let at = Timestamp::from_second(1_795_358_170).unwrap();
        let outgoing = with_message("ada@elsewhere.example", header, |message| reply(&robot, message, &sender, at));
        assert_eq!(outgoing.envelope, Envelope { sender: ReversePath::Null, recipients: vec![sender] });
        String::from_utf8(outgoing.head).unwrap()
    }

    #[test]
    fn a_reply_says_what_it_answers() {
        let header = "Subject: caf\u{e9}\nMessage-ID: <1@x>\n";
        let expected = "Delivered-To: Autoresponder\n\
            Date: 22 Nov 2026 14:36:10 -0000\n\
            To: ada@elsewhere.example\n\
            From: info@example.org\n\
            Message-ID: <1795358170.1.robot@mail.example.org>\n\
            In-Reply-To: <1@x>\n\
            Auto-Submitted: auto-replied\n\
            Precedence: bulk\n\
            Subject: We got your mail\n\nThank you.\n";
        assert_eq!(made("Subject: We got your mail\n\nThank you.\n", header), expected);
        let made = made("\n\u{fc}\n", header);
        assert!(made.contains("Subject: Re: caf\n") && made.contains("charset=utf-8\n"), "{made}");
    }
}
