//! From a server's reply to an outcome, in qmail-remote's words: one line each, with the server's own
//! words made harmless.

use postkiln_mail::{Outcome, Status};

use super::reply::Reply;

/// A reply by its class (RFC 5321 §4.2.1); `lead` says what it was a reply to.
pub(crate) fn answered(lead: &str, reply: &Reply) -> Outcome {
    let text = format!("{lead} Remote host said: {}", said(reply));
    match reply.code / 100 {
        2 => Outcome::Delivered(text),
        5 => Outcome::Bounced(status(5, reply), text),
        // Classes 1 and 3 where 2 is due: the server is confused, which may pass.
        _ => Outcome::Deferred(status(4, reply), text),
    }
}

/// A reply that does not take the message further, whatever its class: a positive one where another is
/// due accepts nothing.
pub(crate) fn refused(lead: &str, reply: &Reply) -> Outcome {
    match answered(lead, reply) {
        Outcome::Delivered(text) => Outcome::Deferred(Status(4, 5, 0), text),
        other => other,
    }
}

/// A greeting of class 5 is about the host's state, not about the message: no reason to give up.
pub(crate) fn not_greeted(lead: &str, reply: &Reply) -> Outcome {
    match refused(lead, reply) {
        Outcome::Bounced(Status(_, subject, detail), text) => Outcome::Deferred(Status(4, subject, detail), text),
        other => other,
    }
}

/// The server does not let us in. A matter of the site and the server, not of the message: no reason to give up.
pub(crate) fn not_let_in(lead: &str, reply: &Reply) -> Outcome {
    not_greeted(lead, reply)
}

/// The server is to be told a password, and cannot be.
pub(crate) fn not_told(server: &str, problem: &str) -> Outcome {
    let text = format!("Connected to {server} but could not log in: {}. (#4.7.5)", harmless(problem));
    Outcome::Deferred(Status(4, 7, 5), text)
}

/// The connection broke.
pub(crate) fn died(server: &str, problem: &str) -> Outcome {
    let text = format!("Connected to {server} but connection died: {}. (#4.4.2)", harmless(problem));
    Outcome::Deferred(Status(4, 4, 2), text)
}

/// A reply in one line.
pub(crate) fn said(reply: &Reply) -> String {
    let [class, subject, detail] = reply.esc;
    let enhanced = if class == 0 { String::new() } else { format!("{class}.{subject}.{detail} ") };
    format!("{} {enhanced}{}", reply.code, harmless(&reply.message))
}

/// Somebody else's text as printable ASCII in one line, at most [`LONGEST`] octets.
#[must_use]
pub fn harmless(text: &str) -> String {
    let words = text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

fn status(class: u8, reply: &Reply) -> Status {
    let [given, subject, detail] = reply.esc;
    if given == class { Status(class, subject.into(), detail.into()) } else { Status(class, 0, 0) }
}

const LONGEST: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: u16, esc: [u8; 3], message: &str, expected: &Outcome) {
        let reply = Reply { code, esc, message: message.to_owned() };
        assert_eq!(&answered("203.0.113.1 accepted message.", &reply), expected);
    }

    #[test]
    fn replies_become_outcomes() {
        let text = |said: &str| format!("203.0.113.1 accepted message. Remote host said: {said}");
        check(250, [2, 0, 0], "ok\n", &Outcome::Delivered(text("250 2.0.0 ok")));
        check(550, [5, 1, 1], "no\r\nsuch", &Outcome::Bounced(Status(5, 1, 1), text("550 5.1.1 no such")));
        check(550, [0, 0, 0], "no", &Outcome::Bounced(Status(5, 0, 0), text("550 no")));
        check(451, [5, 1, 1], "hm", &Outcome::Deferred(Status(4, 0, 0), text("451 5.1.1 hm")));
        check(354, [0, 0, 0], "?\u{7f}\u{e9}", &Outcome::Deferred(Status(4, 0, 0), text("354 ???")));
    }
}
