//! The things that both halves say of a running node: questions and answers, the status, the line that says ready, log
//! lines, paths. Knows nothing about sockets, files or how an answer is found. Start at [`Question`], then the module
//! that answers it.
//!
//! Operators speak on [`paths::CONTROL_SOCKET`]: one JSON object per line in, one or more per line out. Whatever may be
//! of any number travels in lines of a bounded length, the last of which says that it is the last.

pub mod log;
pub mod paths;
pub mod queue;
pub mod ready;
pub mod status;

use serde::{Deserialize, Serialize};

/// A question of an operator: `{"command":"queue"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub enum Question {
    /// Asks for the state of the services: one line, the content of [`paths::STATUS`].
    Status,
    /// Asks for the mail that is not delivered yet: the lines of [`queue::Line`].
    Queue,
}

/// The answer to a question that could not be answered: `{"error":"…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// One line for the operator.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_objects_with_a_command() {
        assert_eq!(serde_json::to_string(&Question::Queue).unwrap(), r#"{"command":"queue"}"#);
        assert_eq!(serde_json::from_str::<Question>(r#"{"command":"status"}"#).unwrap(), Question::Status);
        assert!(serde_json::from_str::<Question>(r#"{"command":"reboot"}"#).is_err());
    }
}
