//! `postkiln queue`: the mail that a node has not delivered yet.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::outcome::{Exit, Failure};
use crate::output;
use crate::status::{ask, time};

/// Shows a running node's mail queue
///
/// Asks the node that `postkiln run` started with this data directory: messages that are waiting, to whom, since when,
/// and what the last attempt said.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln queue --data /tmp/mail

Exit codes: 0 shown, 4 no node answers there, 64 wrong usage.")]
pub(crate) struct Args {
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command `queue`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let answer = ask(&args.data, "queue")?;
    if args.json {
        output::json(&answer);
        return Ok(Exit::Success);
    }
    let messages = answer.get("queue").cloned().unwrap_or(Value::Null);
    let messages: Vec<Message> =
        Vec::deserialize(messages).map_err(|error| Failure::environment("cannot read the queue", error))?;
    for line in lines(&messages) {
        output::result(&line);
    }
    Ok(Exit::Success)
}

/// One message in the node's answer.
#[derive(Deserialize)]
struct Message {
    id: String,
    sender: String,
    size: u64,
    arrived: i64,
    next_attempt: i64,
    waiting: Vec<Waiting>,
}

/// One recipient who has not got the message.
#[derive(Deserialize)]
struct Waiting {
    recipient: String,
    deferral: String,
}

fn lines(messages: &[Message]) -> Vec<String> {
    if messages.is_empty() {
        return vec!["the queue is empty".to_owned()];
    }
    let mut lines = Vec::new();
    for Message { id, sender, size, arrived, next_attempt, waiting } in messages {
        let (arrived, next) = (time(*arrived), time(*next_attempt));
        lines.push(format!("{id}  {arrived}  {size} bytes  from <{sender}>  next attempt {next}"));
        for Waiting { recipient, deferral } in waiting {
            lines.push(format!("    to {recipient}  {deferral}").trim_end().to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_listed_with_their_deferrals() {
        assert_eq!(lines(&[]), ["the queue is empty"]);
        let message = serde_json::json!({
            "id": "1f", "sender": "ada@example.org", "recipients": 1, "size": 20, "arrived": 0, "next_attempt": 400,
            "waiting": [{ "recipient": "x@example.net", "deferral": "no answer" }, { "recipient": "y@example.net", "deferral": "" }],
        });
        let expected = [
            "1f  1970-01-01T00:00:00Z  20 bytes  from <ada@example.org>  next attempt 1970-01-01T00:06:40Z",
            "    to x@example.net  no answer",
            "    to y@example.net",
        ];
        assert_eq!(lines(&[serde_json::from_value(message).unwrap()]), expected);
    }
}
