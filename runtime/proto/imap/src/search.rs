//! SEARCH and UID SEARCH (RFC 3501 §6.4.4): no message is read for a key that is decided already, and those that have
//! to be are read in batches.

use std::collections::VecDeque;

use crate::haystack::Haystack;
use crate::job::{Context, Job, News, Reply, Step};
use crate::question::{Answer, Part, Question};
use crate::search_key::{Key, Search, Subject};
use crate::view::{Numbers, View};

pub(crate) fn search(search: Search, numbers: Numbers, context: &mut Context) -> Step {
    let Search::For(key) = search else {
        return Step::Reply(Reply::no("the character set is not known").code("BADCHARSET (US-ASCII UTF-8)"));
    };
    let Some(view) = &context.view else { return Step::Reply(Reply::bad("no folder is open")) };
    let mut job =
        Running { needs: key.needs(), key, numbers, found: Vec::new(), undecided: VecDeque::new(), batch: Vec::new() };
    for at in 0..view.entries.len() {
        match job.judge(view, at, None) {
            Some(true) => job.found.push(at),
            Some(false) => {}
            None => job.undecided.push_back(at),
        }
    }
    job.go_on(context)
}

#[derive(Debug)]
struct Running {
    key: Key,
    needs: Option<Part>,
    numbers: Numbers,
    /// Places in the view, which does not change while we wait.
    found: Vec<usize>,
    undecided: VecDeque<usize>,
    batch: Vec<usize>,
}

impl Running {
    fn judge(&self, view: &View, at: usize, content: Option<&Haystack<'_>>) -> Option<bool> {
        let entry = view.entries.get(at)?;
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let (count, largest_uid) = (view.count(), view.largest(Numbers::Uid));
        let is_whole = self.needs == Some(Part::Whole);
        self.key.fits(&Subject { entry, number, count, largest_uid, content, is_whole })
    }

    fn go_on(mut self, context: &mut Context) -> Step {
        let (Some(view), Some(part)) = (&context.view, self.needs) else { return self.finish(context) };
        let mut octets = 0;
        self.batch.clear();
        while let Some(at) = self.undecided.pop_front() {
            octets += if part == Part::Whole { view.entries.get(at).map_or(0, |entry| entry.size) } else { 4096 };
            self.batch.push(at);
            if octets >= BATCH {
                break;
            }
        }
        if self.batch.is_empty() {
            return self.finish(context);
        }
        let messages = view.at(&self.batch);
        Step::Ask(Question::Read { messages, part }, Box::new(self))
    }

    fn finish(mut self, context: &mut Context) -> Step {
        self.found.sort_unstable();
        let mut line = "* SEARCH".to_owned();
        for at in &self.found {
            let number = match (self.numbers, &context.view) {
                (Numbers::Uid, Some(view)) => view.entries.get(*at).map_or(0, |entry| entry.uid),
                _ => u32::try_from(at + 1).unwrap_or(u32::MAX),
            };
            line.push_str(&format!(" {number}"));
        }
        line.push_str("\r\n");
        context.send(line.into_bytes());
        let news = if self.numbers == Numbers::Uid { News::All } else { News::NoExpunge };
        Step::Reply(Reply::ok("searched").news(news))
    }
}

impl Job for Running {
    fn answered(mut self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let contents = match answer {
            Answer::Messages(contents) => contents,
            other => return Step::Reply(Reply::other(&other, "NONEXISTENT").news(News::NoExpunge)),
        };
        let Some(view) = &context.view else { return Step::Reply(Reply::bad("no folder is open")) };
        for (uid, content) in contents {
            // A message that is gone fits nothing.
            let (Some(at), Some(content)) = (view.position(uid), content) else { continue };
            if self.judge(view, at, Some(&Haystack::new(&content))) == Some(true) {
                self.found.push(at);
            }
        }
        self.go_on(context)
    }
}

/// Octets of messages in one question, about.
const BATCH: u64 = 1024 * 1024;
