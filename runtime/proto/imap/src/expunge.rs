//! EXPUNGE (RFC 3501 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1).

use std::collections::HashSet;

use crate::job::{Context, Job, News, Reply, Step};
use crate::question::{Answer, Question};
use crate::sequence::SequenceSet;
use crate::view::Numbers;

/// Removes what is marked deleted, of `among` where a set is given.
pub(crate) fn expunge(among: Option<&SequenceSet>, context: &Context) -> Step {
    let Some(view) = &context.view else { return Step::Reply(Reply::bad("no folder is open")) };
    if view.read_only {
        return Step::Reply(Reply::no("the folder is open for reading only"));
    }
    // The store says which messages are marked: another session may have set or taken back a mark since we looked.
    let among = match among.map(|set| view.resolve(set, Numbers::Uid)).transpose() {
        Ok(places) => places.map(|places| view.at(&places).uids),
        Err(bad) => return Step::Reply(Reply::bad(bad)),
    };
    if among.as_ref().is_some_and(Vec::is_empty) {
        return Step::Reply(Reply::ok("nothing to do"));
    }
    Step::Ask(Question::Expunge { uid_validity: view.uid_validity, among }, Box::new(Waiting))
}

#[derive(Debug)]
struct Waiting;

impl Job for Waiting {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let gone: HashSet<u32> = match answer {
            Answer::Expunged(uids) => uids.into_iter().collect(),
            other => return Step::Reply(Reply::other(&other, "NONEXISTENT")),
        };
        let mut out = Vec::new();
        if let Some(view) = &mut context.view {
            view.expunge(|uid| gone.contains(&uid), &mut out);
        }
        context.send(out);
        Step::Reply(Reply::ok("expunged").news(News::Fresh))
    }
}
