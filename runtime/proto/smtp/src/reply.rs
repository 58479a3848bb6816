//! Replies made from somebody else's verdict (RFC 5321 §4.2, RFC 3463).

use postkiln_mail::Status;

/// The refused command: the basic code depends on it (RFC 5321 §4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Mail,
    Rcpt,
    /// A recipient, judged by what is remembered of its client.
    Stranger,
    Data,
}

/// A refusal on the wire, without CRLF.
pub(crate) fn refusal(stage: Stage, status: Status, text: &str) -> String {
    let Status(class, subject, detail) = status;
    let code = match (class, subject, detail) {
        (5, 2, 2 | 3) | (5, 3, 4) => 552,
        (5, ..) => match stage {
            Stage::Mail => 553,
            // qmail-smtpd(8) and rblsmtpd(1): by policy it is 553. So is a name that cannot be used (RFC 5321 §4.2.2).
            Stage::Rcpt | Stage::Stranger if subject == 7 || (subject, detail) == (1, 3) => 553,
            Stage::Rcpt | Stage::Stranger => 550,
            Stage::Data => 554,
        },
        (_, 2, 2) | (_, 3, 1) => 452,
        // RFC 5321 §4.2.2: blocked for now, for policy reasons. qmail's other refusals for now are 451,
        // rblsmtpd's among them.
        (_, 7, _) if stage == Stage::Stranger => 450,
        _ => 451,
    };
    // A class that is neither would contradict the code (RFC 2034 §4).
    let status = Status(if class == 5 { 5 } else { 4 }, subject, detail);
    format!("{code} {status} {}", one_line(text))
}

/// One line that cannot break the protocol (RFC 5321 §4.5.3.1.5: replies are at most 512 octets).
pub(crate) fn one_line(text: &str) -> String {
    text.chars().take(400).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stage: Stage, status: Status, text: &str, expected: &str) {
        assert_eq!(refusal(stage, status, text), expected);
    }

    #[test]
    fn refusals() {
        check(Stage::Rcpt, Status(5, 1, 1), "sorry, no mailbox here", "550 5.1.1 sorry, no mailbox here");
        check(Stage::Rcpt, Status(5, 7, 1), "go away", "553 5.7.1 go away");
        check(Stage::Rcpt, Status(5, 2, 2), "full", "552 5.2.2 full");
        check(Stage::Rcpt, Status(4, 4, 3), "later", "451 4.4.3 later");
        check(Stage::Rcpt, Status(4, 7, 1), "later", "451 4.7.1 later");
        check(Stage::Stranger, Status(4, 7, 1), "later", "450 4.7.1 later");
        check(Stage::Stranger, Status(4, 3, 0), "trouble", "451 4.3.0 trouble");
        check(Stage::Data, Status(4, 3, 1), "disk full", "452 4.3.1 disk full");
        check(Stage::Data, Status(5, 7, 1), "a\r\n250 b", "554 5.7.1 a??250 b");
        check(Stage::Mail, Status(5, 7, 1), "not yours", "553 5.7.1 not yours");
        check(Stage::Mail, Status(2, 0, 0), "what", "451 4.0.0 what");
        assert!(refusal(Stage::Data, Status(5, 0, 0), &"x".repeat(9000)).len() < 510);
    }
}
