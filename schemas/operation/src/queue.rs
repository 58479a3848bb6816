//! The listing of the queue: a line for each message, behind it lines with the recipients that wait, and a last one.

use serde::{Deserialize, Serialize};

/// One line of the listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// The next message.
    Message(Message),
    /// More recipients of that message: a list may have very many, a line has a few hundred.
    Waiting(Vec<Waiting>),
    /// There are no more messages; how many there were.
    End {
        /// Lines of the kind [`Line::Message`] before this one.
        messages: u64,
    },
    /// The listing breaks off here, and why.
    Error(String),
}

/// A message in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The name of the message.
    pub id: String,
    /// The reverse path; empty for a notice.
    pub sender: String,
    /// Recipients, those included who have got it.
    pub recipients: u64,
    /// Octets of content.
    pub size: u64,
    /// Unix seconds of arrival.
    pub arrived: i64,
    /// Unix seconds of the next attempt.
    pub next_attempt: i64,
}

/// A recipient that has not got the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The recipient's address.
    pub recipient: String,
    /// The text of the last deferral; empty before the first.
    pub deferral: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let message = Message {
            id: "1f".to_owned(),
            sender: String::new(),
            recipients: 40_000,
            size: 1 << 40,
            arrived: 0,
            next_attempt: 400,
        };
        let waiting = Waiting { recipient: "\"a b\"@example.org".to_owned(), deferral: "not \"now\"\n".to_owned() };
        let lines = [
            (Line::Message(message), r#"{"message":{"id":"1f","#),
            (Line::Waiting(vec![waiting]), r#"{"waiting":[{"recipient":"\"a b\"@example.org","#),
            (Line::End { messages: 1 }, r#"{"end":{"messages":1}}"#),
            (Line::Error("no".to_owned()), r#"{"error":"no"}"#),
        ];
        for (line, begins) in lines {
            let text = serde_json::to_string(&line).unwrap();
            assert!(text.starts_with(begins) && !text.contains('\n'), "{text}");
            assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
        }
    }
}
