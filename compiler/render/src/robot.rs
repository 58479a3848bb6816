//! An autoresponder's message: header fields, an empty line, the text (autorespond's message file).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use postkiln_blueprint::Responder;

/// The file's content. Recipient, date and Message-ID are added when it is sent.
pub(crate) fn message(address: &str, responder: &Responder) -> String {
    let from = responder.from.as_ref().map_or_else(|| address.to_owned(), ToString::to_string);
    let encoding = if responder.text.is_ascii() { "7bit" } else { "8bit" };
    let mut text = responder.text.clone();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    format!(
        "From: {from}\nSubject: {}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: {encoding}\n\n{text}",
        encoded(&responder.subject)
    )
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
        let text = message("info@example.org", &responder);
        assert!(text.starts_with("From: info@example.org\nSubject: Hello\n"), "{text}");
        assert!(text.ends_with("\n\na\nb\n"), "{text}");
    }
}
