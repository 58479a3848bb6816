//! COPY (RFC 3501 §6.4.7) and MOVE (RFC 6851), with the UIDs of the copies (RFC 4315 §3).

use std::collections::HashSet;

use crate::cursor::{Bad, Cursor};
use crate::job::{Context, Job, News, Reply, Step};
use crate::question::{Answer, Question};
use crate::sequence::{SequenceSet, printed};
use crate::view::Numbers;

/// `copy = "COPY" SP sequence-set SP mailbox`
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<(SequenceSet, String), Bad> {
    cursor.space()?;
    let set = SequenceSet::parse(cursor)?;
    cursor.space()?;
    Ok((set, cursor.mailbox()?))
}

pub(crate) fn copy(set: &SequenceSet, folder: String, numbers: Numbers, moves: bool, context: &Context) -> Step {
    let Some(view) = &context.view else { return Step::Reply(Reply::bad("no folder is open")) };
    if moves && view.read_only {
        return Step::Reply(Reply::no("the folder is open for reading only"));
    }
    let places = match view.resolve(set, numbers) {
        Ok(places) => places,
        Err(bad) => return Step::Reply(Reply::bad(bad)),
    };
    if places.is_empty() {
        return Step::Reply(Reply::ok("nothing to do"));
    }
    let messages = view.at(&places);
    let job = Box::new(Waiting { moves });
    let question = if moves { Question::Move { messages, folder } } else { Question::Copy { messages, folder } };
    Step::Ask(question, job)
}

#[derive(Debug)]
struct Waiting {
    moves: bool,
}

impl Job for Waiting {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let (uid_validity, uids) = match answer {
            Answer::Copied { uid_validity, uids } => (uid_validity, uids),
            other => return Step::Reply(Reply::other(&other, "TRYCREATE")),
        };
        let sources = printed(uids.iter().map(|(source, _)| *source));
        let targets = printed(uids.iter().map(|(_, target)| *target));
        let code = format!("COPYUID {uid_validity} {sources} {targets}");
        if !self.moves {
            let reply = Reply::ok("copied").news(News::Fresh);
            return Step::Reply(if uids.is_empty() { reply } else { reply.code(code) });
        }
        if !uids.is_empty() {
            // Before the EXPUNGE responses, so that the client can put them together (RFC 6851 §4.3).
            context.untagged(&format!("OK [{code}] moved"));
        }
        let gone: HashSet<u32> = uids.iter().map(|(source, _)| *source).collect();
        let mut out = Vec::new();
        if let Some(view) = &mut context.view {
            view.expunge(|uid| gone.contains(&uid), &mut out);
        }
        context.send(out);
        Step::Reply(Reply::ok("moved").news(News::Fresh))
    }
}
