//! From what happened to an outcome, in qmail-remote's words: one line each, with what the peer said made harmless.

use mail_send::Error;
use postkiln_address::Domain;
use postkiln_mail::{Outcome, Status};
use smtp_proto::Response;

/// An answer to a command, by its class (RFC 5321 §4.2.1); `lead` says what the answer was to.
pub(crate) fn answered(lead: &str, response: &Response<String>) -> Outcome {
    let text = format!("{lead} Remote host said: {}", said(response));
    match response.code / 100 {
        2 => Outcome::Delivered(text),
        5 => Outcome::Bounced(status(5, response), text),
        // Classes 1 and 3 where 2 is due: the peer is confused, which may pass.
        _ => Outcome::Deferred(status(4, response), text),
    }
}

/// A command that got no answer, or one that was refused.
pub(crate) fn failed(address: &str, lead: &str, error: &Error) -> Outcome {
    match error {
        Error::UnexpectedReply(response) => answered(lead, response),
        other => Outcome::Deferred(
            Status(4, 4, 2),
            format!("Connected to {address} but connection died: {}. (#4.4.2)", harmless(&other.to_string())),
        ),
    }
}

/// Nobody could be reached.
pub(crate) fn no_connection() -> Outcome {
    Outcome::Deferred(Status(4, 4, 1), "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)".to_owned())
}

/// One address could not be reached.
pub(crate) fn unreachable(address: &str, problem: &str) -> Outcome {
    let text = format!("Sorry, I wasn't able to establish an SMTP connection to {address}: {problem}. (#4.4.1)");
    Outcome::Deferred(Status(4, 4, 1), text)
}

/// The best route leads back to us.
pub(crate) fn our_own() -> Outcome {
    let text =
        "Sorry. Although I'm listed as a best-preference MX or A for that host, it isn't one of my domains. (#5.4.6)";
    Outcome::Bounced(Status(5, 4, 6), text.to_owned())
}

/// The name does not exist.
pub(crate) fn no_host(name: &str) -> Outcome {
    Outcome::Bounced(Status(5, 1, 2), format!("Sorry, I couldn't find any host named {name}. (#5.1.2)"))
}

/// The name could not be looked up.
pub(crate) fn no_lookup(name: &str, problem: &str) -> Outcome {
    let text = format!("Sorry, I couldn't look up {name} just now: {}. (#4.4.3)", harmless(problem));
    Outcome::Deferred(Status(4, 4, 3), text)
}

/// The domain says that it takes no mail (RFC 7505 §4.1).
pub(crate) fn null_mx(domain: &Domain) -> Outcome {
    Outcome::Bounced(Status(5, 1, 10), format!("Sorry, {domain} accepts no mail (null MX). (#5.1.10)"))
}

/// The answer in one line.
pub(crate) fn said(response: &Response<String>) -> String {
    let [class, subject, detail] = response.esc;
    let enhanced = if class == 0 { String::new() } else { format!("{class}.{subject}.{detail} ") };
    format!("{} {enhanced}{}", response.code, harmless(&response.message))
}

/// Printable ASCII in one line, at most [`LONGEST`] octets.
fn harmless(text: &str) -> String {
    let words = text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

fn status(class: u8, response: &Response<String>) -> Status {
    let [given, subject, detail] = response.esc;
    if given == class { Status(class, subject.into(), detail.into()) } else { Status(class, 0, 0) }
}

const LONGEST: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: u16, esc: [u8; 3], message: &str, expected: &Outcome) {
        let response = Response { code, esc, message: message.to_owned() };
        assert_eq!(&answered("203.0.113.1 accepted message.", &response), expected);
    }

    #[test]
    fn answers_become_outcomes() {
        let text = |said: &str| format!("203.0.113.1 accepted message. Remote host said: {said}");
        check(250, [2, 0, 0], "ok\n", &Outcome::Delivered(text("250 2.0.0 ok")));
        check(550, [5, 1, 1], "no\r\nsuch", &Outcome::Bounced(Status(5, 1, 1), text("550 5.1.1 no such")));
        check(550, [0, 0, 0], "no", &Outcome::Bounced(Status(5, 0, 0), text("550 no")));
        check(451, [5, 1, 1], "hm", &Outcome::Deferred(Status(4, 0, 0), text("451 5.1.1 hm")));
        check(354, [0, 0, 0], "?\u{7f}\u{e9}", &Outcome::Deferred(Status(4, 0, 0), text("354 ???")));
    }
}
