//! `postkiln queue`: the mail that a node has not delivered yet.

use postkiln_operation::Question;
use postkiln_operation::queue::{Line, Message, Waiting};
use serde::Serialize;

use crate::operate::{Answer, Node};
use crate::outcome::{Exit, Failure};
use crate::output;
use crate::status::time;

/// Shows a running node's mail queue
///
/// Asks the node that `postkiln run` started for this site, or with this data directory: messages that are waiting, to
/// whom, since when, and what the last attempt said.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln queue mysite
  postkiln queue /tmp/mail

Exit codes: 0 shown, 1 the site has errors, 4 no node answers there, 64 wrong usage.")]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command `queue`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let mut answer = Answer::to(Question::Queue, &args.node.data()?)?;
    if args.json {
        output::json(&whole(|| answer.next())?);
        return Ok(Exit::Success);
    }
    loop {
        let line = answer.next()?;
        for text in texts(&line)? {
            output::result(&text);
        }
        if matches!(line, Line::End { .. }) {
            return Ok(Exit::Success);
        }
    }
}

/// The listing in one piece, for programs.
#[derive(Debug, Serialize)]
struct Listing {
    queue: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    #[serde(flatten)]
    message: Message,
    waiting: Vec<Waiting>,
}

fn whole(mut next: impl FnMut() -> Result<Line, Failure>) -> Result<Listing, Failure> {
    let mut queue: Vec<Entry> = Vec::new();
    loop {
        match next()? {
            Line::Message(message) => queue.push(Entry { message, waiting: Vec::new() }),
            Line::Waiting(waiting) => {
                if let Some(entry) = queue.last_mut() {
                    entry.waiting.extend(waiting);
                }
            }
            Line::End { .. } => return Ok(Listing { queue }),
            Line::Error(problem) => return Err(broken(&problem)),
        }
    }
}

/// The text of one line for a person: it is shown as it comes, since the queue may be long.
fn texts(line: &Line) -> Result<Vec<String>, Failure> {
    let waits =
        |Waiting { recipient, deferral }: &Waiting| format!("    to {recipient}  {deferral}").trim_end().to_owned();
    Ok(match line {
        Line::Message(Message { id, sender, size, arrived, next_attempt, .. }) => {
            let (arrived, next) = (time(*arrived), time(*next_attempt));
            vec![format!("{id}  {arrived}  {size} bytes  from <{sender}>  next attempt {next}")]
        }
        Line::Waiting(waiting) => waiting.iter().map(waits).collect(),
        Line::End { messages: 0 } => vec!["the queue is empty".to_owned()],
        Line::End { .. } => Vec::new(),
        Line::Error(problem) => return Err(broken(problem)),
    })
}

fn broken(problem: &str) -> Failure {
    Failure::unavailable(format!("the node says: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Vec<Line> {
        let message = Message {
            id: "1f".to_owned(),
            sender: "ada@example.org".to_owned(),
            recipients: 3,
            size: 20,
            arrived: 0,
            next_attempt: 400,
        };
        let waiting = |recipient: &str, deferral: &str| {
            Line::Waiting(vec![Waiting { recipient: recipient.to_owned(), deferral: deferral.to_owned() }])
        };
        let pieces = [waiting("x@example.net", "no answer"), waiting("y@example.net", "")];
        [Line::Message(message)].into_iter().chain(pieces).chain([Line::End { messages: 1 }]).collect()
    }

    #[test]
    fn messages_are_listed_with_their_deferrals() {
        assert_eq!(texts(&Line::End { messages: 0 }).unwrap(), ["the queue is empty"]);
        let expected = [
            "1f  1970-01-01T00:00:00Z  20 bytes  from <ada@example.org>  next attempt 1970-01-01T00:06:40Z",
            "    to x@example.net  no answer",
            "    to y@example.net",
        ];
        assert_eq!(listing().iter().flat_map(|line| texts(line).unwrap()).collect::<Vec<_>>(), expected);
        assert!(texts(&Line::Error("queued is gone".to_owned())).is_err());
    }

    #[test]
    fn programs_get_the_pieces_in_one() {
        let mut lines = listing().into_iter();
        let whole = serde_json::to_value(whole(|| Ok(lines.next().unwrap())).unwrap()).unwrap();
        assert_eq!(whole["queue"][0]["waiting"][1]["recipient"], "y@example.net");
        assert_eq!(whole["queue"][0]["recipients"], 3);
    }
}
