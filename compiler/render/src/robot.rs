//! An autoresponder's message: header fields, an empty line, the text (autorespond's message file).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkiln_address::{Domain, LocalPart};
use postkiln_blueprint::{Cause, Kind, Responder};

use crate::text::Text;

/// The file's content. Recipient, date and Message-ID are added when it is sent.
pub(crate) fn message(local: &LocalPart, domain: &Domain, responder: &Responder) -> Text {
    let from = responder.from.as_ref().map_or_else(|| format!("{local}@{domain}"), ToString::to_string);
    let encoding = if responder.text.is_ascii() { "7bit" } else { "8bit" };
    let whole = Cause::within(Kind::Autoresponder, local.as_str(), domain);
    let mut text = Text::of(&format!("From: {from}\n"), Some(whole.at(&["from"])));
    text.add(&format!("Subject: {}\n", encoded(&responder.subject)), Some(whole.at(&["subject"])));
    let form =
        format!("MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n");
    text.add(&form, Some(whole.clone()));
    let end = if responder.text.ends_with('\n') { "" } else { "\n" };
    text.add(&format!("\n{}{end}", responder.text), Some(whole.at(&["text"])));
    text
}

/// Encoded words of at most 75 characters where the text is not ASCII (RFC 2047 §2), folded.
fn encoded(text: &str) -> String {
    // A literal `=?` would be taken for the beginning of an encoded word; long lines have to be folded.
    if text.is_ascii() && !text.contains("=?") && text.len() <= 900 {
        return text.to_owned();
    }
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            // 45 octets are 60 in base64, and 72 with `=?utf-8?B?` and `?=`.
            Some(word) if word.len() + c.len_utf8() <= 45 => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_encoded_only_where_they_must_be() {
        assert_eq!(encoded("We got your mail"), "We got your mail");
        assert_eq!(encoded("Gr\u{fc}n"), "=?utf-8?B?R3LDvG4=?=");
        let long = encoded(&"\u{fc}".repeat(100));
        assert!(long.lines().count() == 5 && long.lines().all(|line| line.len() <= 76), "{long}");
    }

    #[test]
    fn a_message_has_a_header_an_empty_line_and_a_text() {
        let responder =
            Responder { subject: "Hello".to_owned(), text: "a\nb".to_owned(), once_per: 1, replies: 1, from: None };
        let (local, domain) = ("info".parse().unwrap(), "example.org".parse().unwrap());
        let message = message(&local, &domain, &responder);
        let text = message.as_str();
        assert!(text.starts_with("From: info@example.org\nSubject: Hello\n"), "{text}");
        assert!(text.ends_with("\n\na\nb\n"), "{text}");
        let field = |index: usize| message.cause(index).map(|cause| cause.path.join(" "));
        assert_eq!([0, 1, 2, 5, 6].map(field).map(Option::unwrap), ["from", "subject", "", "text", "text"]);
    }
}
