//! The schedule of attempts (qmail-send without its files): pure, time and routes are arguments.
//!
//! Each recipient waits for its time, becomes ready on its channel, runs, and ends done, waiting again, or failed. When
//! no recipient of a message is ready or running, its failures so far go into one notice ([`Work::Notice`]); they count
//! as done once the notice is itself in the queue. Start at [`Scheduler::next`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

use postkiln_address::Address;
use postkiln_mail::bounce::TOO_LONG_IN_QUEUE;
use postkiln_mail::{QueueId, Status};

use crate::{Channel, Deferral, Message, retry};

/// The number of attempts at once, and the time that messages stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest number of local attempts at once (`concurrencylocal`); 0 holds all.
    pub local: usize,
    /// The largest number of remote attempts at once (`concurrencyremote`); 0 holds all.
    pub remote: usize,
    /// The longest time in the queue (`queuelifetime`).
    pub lifetime: Duration,
}

/// One attempt that the caller has to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The name of the message.
    pub id: QueueId,
    /// The index of the recipient in the envelope.
    pub recipient: usize,
    /// The way out of the queue.
    pub channel: Channel,
    /// The time when the attempt began.
    pub began: SystemTime,
    /// Whether a deferral of this attempt becomes a failure.
    pub last: bool,
}

/// The next thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// An attempt; answer with [`Scheduler::ended`].
    Attempt(Attempt),
    /// A notice about these failures is to be queued; answer with [`Scheduler::noticed`].
    Notice(QueueId, Vec<Failure>),
}

/// A recipient that will not get the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The index of the recipient in the envelope.
    pub recipient: usize,
    /// The reason as a status code.
    pub status: Status,
    /// The reason in words for the notice.
    pub text: String,
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Another server or the store has taken responsibility.
    Delivered,
    /// The delivery is to be tried again.
    Deferred(Status, String),
    /// The delivery is never to be tried again.
    Failed(Status, String),
    /// The role that tried went away without a verdict.
    Cut,
}

/// Changes that the caller has to write down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Recipients to mark as done.
    pub done: Vec<usize>,
    /// A deferral to note.
    pub deferred: Option<Deferral>,
    /// Whether the message is finished and forgotten here: the caller removes it, and no marks are needed.
    pub finished: bool,
}

/// All queued messages and their times.
#[derive(Debug)]
pub struct Scheduler {
    limits: Limits,
    entries: BTreeMap<QueueId, Entry>,
    agenda: BTreeSet<(SystemTime, QueueId, Item)>,
    ready: Queues<VecDeque<(QueueId, usize)>>,
    running: Queues<usize>,
}

#[derive(Debug)]
struct Entry {
    message: Message,
    states: Vec<State>,
    failures: Vec<Failure>,
    /// The number of recipients that are ready or running.
    busy: usize,
    /// The number of recipients that are not done. It is counted, since a list may have very many.
    open: usize,
    notice: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting { due: SystemTime, cuts: u8 },
    Ready { cuts: u8 },
    Running { cuts: u8 },
    Failed,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Recipient(usize),
    Notice,
}

#[derive(Clone, Copy, Debug, Default)]
struct Queues<T> {
    local: T,
    remote: T,
}

impl Scheduler {
    /// A scheduler without messages.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (entries, agenda) = (BTreeMap::new(), BTreeSet::new());
        Self { limits, entries, agenda, ready: Queues::default(), running: Queues::default() }
    }

    /// Sets other limits from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes a message, new or recovered: recipients that are not done are due at the time noted for them,
    /// without one now.
    pub fn add(&mut self, message: Message, now: SystemTime) {
        // A time beyond what the schedule can give was noted under a clock that went back since.
        let latest = retry::next_attempt(message.arrived, now, Channel::Remote).max(now);
        let mut states = Vec::with_capacity(message.recipients.len());
        for (at, recipient) in message.recipients.iter().enumerate() {
            if recipient.done {
                states.push(State::Done);
                continue;
            }
            let due = recipient.due.map_or(now, |due| due.min(latest));
            self.agenda.insert((due, message.id.clone(), Item::Recipient(at)));
            states.push(State::Waiting { due, cuts: 0 });
        }
        let id = message.id.clone();
        let open = states.iter().filter(|state| **state != State::Done).count();
        self.entries.insert(id, Entry { message, states, failures: Vec::new(), busy: 0, open, notice: false });
    }

    /// The next thing to do at `now`; `None` until [`Self::wake`] or until something running ends.
    pub fn next(&mut self, now: SystemTime, route: impl Fn(&Address) -> Channel) -> Option<Work> {
        while self.agenda.first().is_some_and(|(due, ..)| *due <= now) {
            let (_, id, item) = self.agenda.pop_first()?;
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            match item {
                Item::Notice => {
                    entry.notice = true;
                    return Some(Work::Notice(id, entry.failures.clone()));
                }
                Item::Recipient(at) => {
                    let Some(recipient) = entry.make_ready(at) else { continue };
                    let channel = route(recipient);
                    self.ready.of(channel).push_back((id, at));
                }
            }
        }
        self.start(Channel::Local, now).or_else(|| self.start(Channel::Remote, now)).map(Work::Attempt)
    }

    fn start(&mut self, channel: Channel, now: SystemTime) -> Option<Attempt> {
        if *self.running.of(channel) >= self.limit(channel) {
            return None;
        }
        let (id, recipient) = self.ready.of(channel).pop_front()?;
        let entry = self.entries.get_mut(&id)?;
        let state = entry.states.get_mut(recipient)?;
        *state = State::Running { cuts: if let State::Ready { cuts } = state { *cuts } else { 0 } };
        *self.running.of(channel) += 1;
        let last = retry::is_last(entry.message.arrived, now, self.limits.lifetime);
        Some(Attempt { id, recipient, channel, began: now, last })
    }

    /// When there will be something to do next, unless something running ends before.
    #[must_use]
    pub fn wake(&self) -> Option<SystemTime> {
        self.agenda.first().map(|(due, ..)| *due)
    }

    /// Takes the end of an attempt.
    pub fn ended(&mut self, attempt: &Attempt, ended: Ended, now: SystemTime) -> Step {
        let running = self.running.of(attempt.channel);
        *running = running.saturating_sub(1);
        let Some(entry) = self.entries.get_mut(&attempt.id) else { return Step::default() };
        let at = attempt.recipient;
        let Some(state) = entry.states.get_mut(at) else { return Step::default() };
        let cuts = if let State::Running { cuts } = state { *cuts } else { 0 };
        entry.busy = entry.busy.saturating_sub(1);
        let mut step = Step::default();
        match verdict(attempt, ended) {
            Ended::Delivered => {
                *state = State::Done;
                entry.open = entry.open.saturating_sub(1);
                step.done.push(at);
            }
            Ended::Failed(status, text) => {
                *state = State::Failed;
                entry.failures.push(Failure { recipient: at, status, text });
            }
            other => {
                // A role that died is back at once; one that dies of this message must not do so again and again.
                let cuts = if other == Ended::Cut { cuts.saturating_add(1) } else { 0 };
                let normal = retry::next_attempt(entry.message.arrived, attempt.began, attempt.channel);
                let due = if (1..=QUICK).contains(&cuts) { now + SOON } else { normal.max(now) };
                *state = State::Waiting { due, cuts };
                self.agenda.insert((due, attempt.id.clone(), Item::Recipient(at)));
                let text = if let Ended::Deferred(_, text) = other { text } else { CUT.to_owned() };
                step.deferred = Some(Deferral { recipient: at, due, text });
            }
        }
        self.conclude(&attempt.id, step, now)
    }

    /// The notice that [`Work::Notice`] asked for is queued, or could not be (`kept` false: it is asked for again).
    pub fn noticed(&mut self, id: &QueueId, reported: &[Failure], kept: bool, now: SystemTime) -> Step {
        let Some(entry) = self.entries.get_mut(id) else { return Step::default() };
        entry.notice = false;
        let mut step = Step::default();
        if kept {
            for failure in reported {
                if let Some(state) = entry.states.get_mut(failure.recipient) {
                    *state = State::Done;
                    entry.open = entry.open.saturating_sub(1);
                    step.done.push(failure.recipient);
                }
            }
            // While a notice is being made no other is, and failures only join at the end.
            entry.failures.drain(..reported.len().min(entry.failures.len()));
            return self.conclude(id, step, now);
        }
        entry.notice = true;
        let due = retry::next_attempt(entry.message.arrived, now, Channel::Local).max(now + LATER);
        self.agenda.insert((due, id.clone(), Item::Notice));
        step
    }

    /// Ends the message, or asks for a notice when the pass is over.
    fn conclude(&mut self, id: &QueueId, mut step: Step, now: SystemTime) -> Step {
        let Some(entry) = self.entries.get_mut(id) else { return step };
        if entry.open == 0 {
            self.entries.remove(id);
            step.finished = true;
        } else if entry.busy == 0 && !entry.failures.is_empty() && !entry.notice {
            entry.notice = true;
            self.agenda.insert((now, id.clone(), Item::Notice));
        }
        step
    }

    /// Makes every waiting recipient due (SIGALRM of qmail-send).
    pub fn flush(&mut self, now: SystemTime) {
        for (id, entry) in &mut self.entries {
            for (at, state) in entry.states.iter_mut().enumerate() {
                if let State::Waiting { due, .. } = state {
                    let item = (*due, id.clone(), Item::Recipient(at));
                    self.agenda.remove(&item);
                    *due = now;
                    self.agenda.insert((now, id.clone(), Item::Recipient(at)));
                }
            }
        }
    }

    /// The message of this name, if it is queued.
    #[must_use]
    pub fn message(&self, id: &QueueId) -> Option<&Message> {
        self.entries.get(id).map(|entry| &entry.message)
    }

    /// A message and the time of its next attempt, as [`Self::messages`] gives it.
    #[must_use]
    pub fn find(&self, id: &QueueId) -> Option<(&Message, Option<SystemTime>)> {
        self.entries.get(id).map(|entry| (&entry.message, entry.next_attempt()))
    }

    /// The message of this name, for marking by [`crate::Queue`].
    pub fn message_mut(&mut self, id: &QueueId) -> Option<&mut Message> {
        self.entries.get_mut(id).map(|entry| &mut entry.message)
    }

    /// Every message, oldest name first, and the time of its next attempt: `None` while one runs or is about to.
    pub fn messages(&self) -> impl Iterator<Item = (&Message, Option<SystemTime>)> {
        self.entries.values().map(|entry| (&entry.message, entry.next_attempt()))
    }

    /// The number of running attempts, on the local and on the remote channel.
    #[must_use]
    pub const fn running(&self) -> (usize, usize) {
        (self.running.local, self.running.remote)
    }

    const fn limit(&self, channel: Channel) -> usize {
        match channel {
            Channel::Local => self.limits.local,
            Channel::Remote => self.limits.remote,
        }
    }
}

impl Entry {
    fn make_ready(&mut self, at: usize) -> Option<&Address> {
        let state = self.states.get_mut(at)?;
        let State::Waiting { cuts, .. } = *state else { return None };
        *state = State::Ready { cuts };
        self.busy += 1;
        self.message.envelope.recipients.get(at)
    }

    fn next_attempt(&self) -> Option<SystemTime> {
        let due = |state: &State| if let State::Waiting { due, .. } = state { Some(*due) } else { None };
        if self.busy > 0 { None } else { self.states.iter().filter_map(due).min() }
    }
}

impl<T> Queues<T> {
    const fn of(&mut self, channel: Channel) -> &mut T {
        match channel {
            Channel::Local => &mut self.local,
            Channel::Remote => &mut self.remote,
        }
    }
}

/// The last try turns a deferral into a failure (RFC 3463 X.4.7: delivery time expired).
fn verdict(attempt: &Attempt, ended: Ended) -> Ended {
    match ended {
        Ended::Deferred(_, text) if attempt.last => {
            Ended::Failed(Status(4, 4, 7), format!("{text}\n{TOO_LONG_IN_QUEUE}"))
        }
        Ended::Cut if attempt.last => Ended::Failed(Status(4, 4, 7), format!("{CUT}\n{TOO_LONG_IN_QUEUE}")),
        other => other,
    }
}

const SOON: Duration = Duration::from_secs(5);
/// The number of attempts in a row that may be cut off and are repeated after [`SOON`].
const QUICK: u8 = 3;
const LATER: Duration = Duration::from_secs(60);
const CUT: &str = "The delivery service went away in the middle of the attempt. (#4.3.0)";

#[cfg(test)]
mod tests;
