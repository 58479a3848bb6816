//! The session: its verbs, what it waits for, and deadlines. Commands are in their own files.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postkiln_session::{Action, Actions, Session as _, Tls};

use crate::command;
use crate::frames::{Bounds, Frame, Frames};
use crate::job::{Context, Job, News, Reply, Status, Step};
use crate::question::{Answer, FailureKind, Question};
use crate::{Config, capability, login};

/// One client's conversation. Not a [`postkiln_session::Machine`]: a command has literals, and may come
/// in several frames.
#[derive(Debug)]
pub struct Session {
    context: Context,
    input: Frames,
    task: Task,
    deadline: Option<Instant>,
    /// When the login has to be done, or the client is silent for too long.
    patience: Instant,
    last_look: Option<Instant>,
    errors: u32,
    denied: u32,
}

/// The event that the session waits for.
#[derive(Debug)]
enum Task {
    Command,
    /// The line after AUTHENTICATE.
    Response {
        tag: String,
    },
    Answer {
        tag: String,
        job: Box<dyn Job>,
    },
    /// News of the open folder, then the reply goes out.
    News {
        tag: String,
        reply: Reply,
    },
    /// DONE, or the next look.
    Idle {
        tag: String,
    },
    /// News while idling.
    IdleNews {
        tag: String,
    },
    Handshake,
    Over,
}

impl Session {
    /// Begins a conversation; the greeting is the first action. Under [`Tls::Implicit`] the handshake is over.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let encrypted = config.tls == Tls::Implicit;
        let patience = now + config.limits.login;
        let mut context = Context { config, actions: Actions::default(), encrypted, logged_in: false, view: None };
        let capabilities = capability::list(&context);
        context.untagged(&format!("OK [CAPABILITY {capabilities}] {} IMAP4rev1", context.config.hostname.clone()));
        Self {
            context,
            input: Frames::default(),
            task: Task::Command,
            deadline: Some(patience),
            patience,
            last_look: None,
            errors: 0,
            denied: 0,
        }
    }

    /// Something may have come into the open folder: an idling client hears of it now instead of at the next look.
    pub fn changed(&mut self, now: Instant) {
        if matches!(self.task, Task::Idle { .. }) && self.context.view.is_some() {
            self.deadline = Some(now);
            self.expire(now);
        }
    }

    /// Takes from the input what can be taken now.
    fn work(&mut self, now: Instant) {
        let limits = &self.context.config.limits;
        let bounds = Bounds { line: limits.line, message: if self.context.logged_in { limits.message } else { 0 } };
        while self.wants_input() {
            let frame =
                if matches!(self.task, Task::Command) { self.input.command(bounds) } else { self.input.line(bounds) };
            match frame {
                None => return,
                Some(Frame::Continue) => self.context.send(b"+ send the literal\r\n".to_vec()),
                Some(Frame::TooLong(head)) => self.too_long(&head, now),
                Some(Frame::Command(octets)) => self.obey(&octets, now),
            }
            if matches!(self.task, Task::Handshake) {
                // Input from before the handshake was not protected by it (RFC 3501 §6.2.1).
                self.input.clear();
            }
        }
    }

    fn obey(&mut self, octets: &[u8], now: Instant) {
        match mem::replace(&mut self.task, Task::Command) {
            Task::Response { tag } => self.step(tag, login::plain(octets), now),
            Task::Idle { tag } => {
                let reply = if octets.eq_ignore_ascii_case(b"DONE") {
                    Reply::ok("done idling").news(News::None)
                } else {
                    Reply::bad("DONE was expected").news(News::None)
                };
                self.reply(&tag, &reply, now);
            }
            _ => match command::parse(octets) {
                (Some(tag), Ok(command)) => {
                    let step = command.run(&mut self.context);
                    self.step(tag, step, now);
                }
                (tag, Err(bad)) => self.reply(tag.as_deref().unwrap_or("*"), &Reply::bad(bad), now),
                (None, Ok(_)) => {}
            },
        }
    }

    /// A command over a limit: its tag may have been kept.
    fn too_long(&mut self, head: &[u8], now: Instant) {
        self.task = Task::Command;
        let tag = command::parse(head).0;
        self.reply(tag.as_deref().unwrap_or("*"), &Reply::bad("the command is too long").code("TOOBIG"), now);
    }

    fn step(&mut self, tag: String, step: Step, now: Instant) {
        match step {
            Step::Reply(reply) => self.finish(tag, reply, now),
            Step::Ask(question, job) => {
                self.task = Task::Answer { tag, job };
                self.ask(question);
            }
            Step::Authenticate => {
                self.context.send(b"+ \r\n".to_vec());
                self.task = Task::Response { tag };
            }
            Step::Idle => {
                self.context.send(b"+ idling\r\n".to_vec());
                // News since the last look are told at once.
                self.task = Task::Idle { tag };
                self.patience = now + self.context.config.limits.idle;
                self.wait(now);
                self.changed(now);
            }
            Step::StartTls => {
                self.reply(&tag, &Reply::ok("begin TLS now"), now);
                self.context.actions.push(Action::StartTls);
                self.task = Task::Handshake;
                self.deadline = None;
            }
            Step::Logout => {
                self.context.untagged("BYE until next time");
                self.context.send(Reply::ok("logged out").print(&tag));
                self.close();
            }
        }
    }

    /// Looks for news before the reply, where that is wanted and not done a moment ago.
    fn finish(&mut self, tag: String, reply: Reply, now: Instant) {
        let looked_lately = self.last_look.is_some_and(|last| now.duration_since(last) < PAUSE);
        let looks = match reply.news {
            News::None => false,
            News::Fresh => true,
            News::All | News::NoExpunge => !looked_lately,
        };
        if looks && self.context.view.is_some() {
            self.last_look = Some(now);
            self.task = Task::News { tag, reply };
            self.poll();
        } else {
            self.reply(&tag, &reply, now);
        }
    }

    /// Tells what is new in the open folder; `false` when the session cannot go on.
    fn news(&mut self, answer: Answer, may_expunge: bool, now: Instant) -> bool {
        self.last_look = Some(now);
        let Answer::Snapshot(snapshot) = answer else {
            if is_gone(&answer) {
                self.folder_is_gone();
                return false;
            }
            // Unchanged, or it cannot be said now: the next look will.
            return true;
        };
        let mut out = Vec::new();
        let goes_on = self.context.view.as_mut().is_none_or(|view| view.update(snapshot, may_expunge, &mut out));
        self.context.send(out);
        if !goes_on {
            self.folder_is_gone();
        }
        goes_on
    }

    fn reply(&mut self, tag: &str, reply: &Reply, now: Instant) {
        self.context.send(reply.print(tag));
        self.task = Task::Command;
        let limits = &self.context.config.limits;
        self.errors = if reply.status == Status::Bad { self.errors + 1 } else { 0 };
        self.denied += u32::from(reply.denied);
        if self.errors >= limits.max_errors || self.denied >= limits.max_logins {
            return self.end("BYE too many mistakes");
        }
        if self.context.logged_in {
            self.patience = now + limits.idle;
        }
        self.wait(now);
    }

    /// Another session has removed or renamed the open folder. No response tells a client that its folder is closed:
    /// RFC 2180 §3.3 names this as one of the ways.
    fn folder_is_gone(&mut self) {
        self.end("BYE the folder was removed, renamed, or made anew");
    }

    fn poll(&mut self) {
        if let Some(view) = &self.context.view {
            let uid_validity = view.uid_validity;
            self.ask(Question::Poll { uid_validity });
        }
    }

    fn ask(&mut self, question: Question) {
        self.context.actions.push(Action::Ask(question));
        self.deadline = None;
    }

    /// Sets the deadline for what is awaited now.
    fn wait(&mut self, now: Instant) {
        let idles = matches!(self.task, Task::Idle { .. }) && self.context.view.is_some();
        let look = idles.then(|| now + self.context.config.limits.poll);
        self.deadline = Some(look.map_or(self.patience, |look| look.min(self.patience)));
    }

    fn end(&mut self, text: &str) {
        if !matches!(self.task, Task::Over) {
            self.context.untagged(text);
            self.close();
        }
    }

    fn close(&mut self) {
        self.context.actions.push(Action::Close);
        self.context.view = None;
        self.input.clear();
        self.task = Task::Over;
        self.deadline = None;
    }
}

impl postkiln_session::Session for Session {
    type Question = Question;
    type Answer = Answer;

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        if matches!(self.task, Task::Over | Task::Handshake) {
            return;
        }
        self.input.push(bytes);
        self.work(now);
    }

    fn answer(&mut self, answer: Answer, now: Instant) {
        match mem::replace(&mut self.task, Task::Command) {
            Task::Answer { .. } if self.context.view.is_some() && is_gone(&answer) => self.folder_is_gone(),
            Task::Answer { tag, job } => {
                let step = job.answered(answer, &mut self.context);
                self.step(tag, step, now);
            }
            Task::News { tag, reply } => {
                if self.news(answer, reply.news != News::NoExpunge, now) {
                    self.reply(&tag, &reply, now);
                }
            }
            Task::IdleNews { tag } => {
                if self.news(answer, true, now) {
                    self.task = Task::Idle { tag };
                    self.wait(now);
                }
            }
            other => self.task = other,
        }
        self.work(now);
    }

    fn tls_started(&mut self, now: Instant) {
        if matches!(self.task, Task::Handshake) {
            self.context.encrypted = true;
            self.task = Task::Command;
            self.wait(now);
        }
    }

    fn expire(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        if now >= self.patience {
            return self.end("BYE you were silent for too long");
        }
        if let Task::Idle { tag } = mem::replace(&mut self.task, Task::Command) {
            self.task = Task::IdleNews { tag };
            self.poll();
        }
    }

    fn shut_down(&mut self) {
        self.end("BYE the server is stopping");
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn wants_input(&self) -> bool {
        matches!(self.task, Task::Command | Task::Response { .. } | Task::Idle { .. })
    }

    fn next(&mut self) -> Option<Action<Question>> {
        self.context.actions.take()
    }
}

fn is_gone(answer: &Answer) -> bool {
    matches!(answer, Answer::Failed(failure) if failure.kind == FailureKind::FolderGone)
}

/// Between two looks at the open folder that nobody asked for.
const PAUSE: Duration = Duration::from_secs(1);
