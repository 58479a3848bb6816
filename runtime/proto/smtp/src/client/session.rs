//! The client session: what it waits for in each of its states, its commands, and the fate that each reply means.

use std::time::{Duration, Instant};

use postkiln_mail::Outcome;
use postkiln_session::{Action, Actions};

use super::auth::Step;
use super::body::Encoder;
use super::outcome::{answered, died, not_greeted, not_let_in, not_told, refused, said};
use super::reply::{Extensions, Replies, Reply};
use super::{Answer, Delivery, Encryption, Fate, Question};

/// One connection to one server.
#[derive(Debug)]
pub struct Session {
    delivery: Delivery,
    state: State,
    is_encrypted: bool,
    extensions: Extensions,
    replies: Replies,
    encoder: Encoder,
    actions: Actions<Question>,
    deadline: Option<Instant>,
}

/// The reply, answer or event that is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Handshake,
    /// The answer to [`Question::InTheClear`].
    Permission,
    Auth(Step),
    Mail,
    Rcpt,
    Data,
    /// The answer to [`Question::Content`].
    Content,
    /// The reply to the whole message.
    Verdict,
    /// The answer to [`Question::Ended`].
    Ended(Farewell),
    Quit,
    Closed,
}

/// The way a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    Quit,
    /// The connection is of no use any more, or the server of none.
    Close,
}

impl Session {
    /// Begins a conversation over a new connection: with a handshake where encryption is implicit, else the
    /// server speaks first.
    #[must_use]
    pub fn new(delivery: Delivery, now: Instant) -> Self {
        let mut session = Self {
            delivery,
            state: State::Handshake,
            is_encrypted: false,
            extensions: Extensions::default(),
            replies: Replies::default(),
            encoder: Encoder::new(),
            actions: Actions::default(),
            deadline: None,
        };
        if session.delivery.encryption == Encryption::Implicit {
            session.actions.push(Action::StartTls);
        } else {
            session.await_greeting(now);
        }
        session
    }

    fn await_greeting(&mut self, now: Instant) {
        self.wait(State::Greeting, now.checked_add(self.delivery.patience.min(GREETING)));
    }

    /// The connection broke, or the handshake failed, for this reason.
    pub fn lost(&mut self, problem: &str) {
        let server = &self.delivery.server;
        let fate = match self.state {
            State::Closed | State::Ended(_) => return,
            State::Quit => return self.close(),
            State::StartTls | State::Handshake => self.not_encrypted(problem),
            State::Greeting | State::Ehlo | State::Helo | State::Auth(_) => Fate::Elsewhere(died(server, problem)),
            // All is sent, and the server may have taken it.
            State::Verdict => Fate::Final(died(server, &format!("{problem}. Possible duplicate!"))),
            State::Permission | State::Mail | State::Rcpt | State::Data | State::Content => {
                Fate::Final(died(server, problem))
            }
        };
        self.end(fate, Farewell::Close);
    }

    /// Takes replies while one is awaited.
    fn work(&mut self, now: Instant) {
        while self.awaits_reply() {
            match self.replies.next() {
                Ok(Some(reply)) => self.replied(&reply, now),
                Ok(None) => return,
                Err(_) => self.lost("the server's reply is not understood"),
            }
        }
    }

    const fn awaits_reply(&self) -> bool {
        use State::{Auth, Data, Ehlo, Greeting, Helo, Mail, Quit, Rcpt, StartTls, Verdict};
        matches!(self.state, Greeting | Ehlo | Helo | StartTls | Auth(_) | Mail | Rcpt | Data | Verdict | Quit)
    }

    fn replied(&mut self, reply: &Reply, now: Instant) {
        let positive = reply.code / 100 == 2;
        match self.state {
            State::Greeting if reply.code == 220 => self.ehlo(now),
            State::Greeting => self.end(Fate::Elsewhere(not_greeted(&self.lead(), reply)), Farewell::Close),
            State::Ehlo if reply.code == 250 => {
                self.extensions = Extensions::offered(reply);
                self.greeted(now);
            }
            // For those who do not know EHLO (RFC 5321 §4.1.1.1).
            State::Ehlo if reply.code / 100 == 5 => {
                self.command(&format!("HELO {}", self.delivery.helo), State::Helo, now);
            }
            State::Helo if reply.code == 250 => self.greeted(now),
            State::Ehlo | State::Helo => {
                self.end(Fate::Elsewhere(refused(&self.lead(), reply)), Farewell::Close);
            }
            State::StartTls if reply.code == 220 => {
                self.wait(State::Handshake, None);
                // RFC 3207 §4.2: what came before the handshake is not to be believed.
                self.replies.clear();
                self.actions.push(Action::StartTls);
            }
            State::StartTls => self.end(self.not_encrypted(&said(reply)), Farewell::Close),
            State::Auth(step) => self.let_in(step, reply, now),
            State::Mail if positive => {
                self.command(&format!("RCPT TO:<{}>", self.delivery.recipient), State::Rcpt, now);
            }
            State::Rcpt if positive => self.command("DATA", State::Data, now),
            State::Data if reply.code == 354 => self.ask(Question::Content, State::Content),
            State::Verdict => self.end(Fate::Final(self.verdict(reply)), Farewell::Quit),
            State::Mail | State::Rcpt | State::Data => {
                self.end(Fate::Final(refused(&self.lead(), reply)), Farewell::Quit);
            }
            State::Quit => self.close(),
            _ => {}
        }
    }

    /// The beginning of an outcome's text: the command that a reply is to.
    fn lead(&self) -> String {
        let server = &self.delivery.server;
        match self.state {
            State::Greeting => format!("Connected to {server} but greeting failed."),
            State::Ehlo | State::Helo => format!("Connected to {server} but my name was rejected."),
            State::Auth(_) => format!("Connected to {server} but my login was rejected."),
            State::Mail => format!("Connected to {server} but sender was rejected."),
            State::Rcpt => format!("{server} does not like recipient."),
            _ => format!("{server} failed on DATA command."),
        }
    }

    fn verdict(&self, reply: &Reply) -> Outcome {
        let verb = if reply.code / 100 == 2 { "accepted message" } else { "failed after I sent the message" };
        answered(&format!("{} {verb}.", self.delivery.server), reply)
    }

    fn ehlo(&mut self, now: Instant) {
        self.command(&format!("EHLO {}", self.delivery.helo), State::Ehlo, now);
    }

    /// The server knows us.
    fn greeted(&mut self, now: Instant) {
        let may = self.delivery.encryption != Encryption::Never;
        match (self.is_encrypted, may && self.extensions.starttls) {
            (true, _) => self.log_in(now),
            (false, true) => self.command("STARTTLS", State::StartTls, now),
            (false, false) if self.must_encrypt() => {
                self.end(self.not_encrypted("it offers no encryption"), Farewell::Quit);
            }
            (false, false) => self.ask(Question::InTheClear, State::Permission),
        }
    }

    fn must_encrypt(&self) -> bool {
        self.delivery.login.is_some() || matches!(self.delivery.encryption, Encryption::Required | Encryption::Implicit)
    }

    fn not_encrypted(&self, problem: &str) -> Fate {
        if self.must_encrypt() {
            return Fate::Elsewhere(not_told(&self.delivery.server, problem));
        }
        Fate::NotEncrypted(problem.to_owned())
    }

    /// Under TLS: the login, where one is asked for.
    fn log_in(&mut self, now: Instant) {
        let Some(login) = &self.delivery.login else { return self.mail(now) };
        match self.extensions.auth.begin(login) {
            Some((command, step)) => self.command(&command, State::Auth(step), now),
            None => {
                let problem = "it offers neither PLAIN nor LOGIN";
                self.end(Fate::Elsewhere(not_told(&self.delivery.server, problem)), Farewell::Quit);
            }
        }
    }

    /// A reply of the server in a login: a question (RFC 4954 §4), or the verdict.
    fn let_in(&mut self, step: Step, reply: &Reply, now: Instant) {
        let response = self.delivery.login.as_ref().filter(|_| reply.code == 334).and_then(|login| step.respond(login));
        match response {
            Some((line, next)) => self.command(&line, State::Auth(next), now),
            None if step == Step::Verdict && reply.code == 235 => self.mail(now),
            None => self.end(Fate::Elsewhere(not_let_in(&self.lead(), reply)), Farewell::Quit),
        }
    }

    /// Addresses are typed: no CR, LF or angle bracket outside quotes can be in them. `#@[]` means something
    /// to us only.
    fn mail(&mut self, now: Instant) {
        let sender = self.delivery.sender.address().map(ToString::to_string).unwrap_or_default();
        let size = if self.extensions.size { format!(" SIZE={}", self.delivery.size) } else { String::new() };
        let body = if self.extensions.eight_bit { " BODY=8BITMIME" } else { "" };
        self.command(&format!("MAIL FROM:<{sender}>{size}{body}"), State::Mail, now);
    }

    /// Sends on a piece of the content.
    fn content(&mut self, answer: &Answer, now: Instant) {
        let mut wire = Vec::new();
        match answer {
            Answer::Piece(piece) => {
                self.encoder.push(piece, &mut wire);
                self.actions.send(&wire);
                self.ask(Question::Content, State::Content);
            }
            Answer::End => {
                self.encoder.finish(&mut wire);
                self.actions.send(&wire);
                self.wait(State::Verdict, now.checked_add(self.delivery.patience));
            }
            Answer::Unreadable(problem) => self.lost(problem),
            Answer::Go => self.lost("there is no content"),
        }
    }

    fn command(&mut self, line: &str, state: State, now: Instant) {
        self.actions.say(line);
        self.wait(state, now.checked_add(self.delivery.patience));
    }

    fn ask(&mut self, question: Question, state: State) {
        self.actions.push(Action::Ask(question));
        self.wait(state, None);
    }

    fn end(&mut self, fate: Fate, farewell: Farewell) {
        self.ask(Question::Ended(fate), State::Ended(farewell));
    }

    fn close(&mut self) {
        self.actions.push(Action::Close);
        self.wait(State::Closed, None);
    }

    const fn wait(&mut self, state: State, deadline: Option<Instant>) {
        self.state = state;
        self.deadline = deadline;
    }
}

impl postkiln_session::Session for Session {
    type Question = Question;
    type Answer = Answer;

    fn receive(&mut self, bytes: &[u8], now: Instant) {
        if !matches!(self.state, State::Handshake | State::Closed) {
            self.replies.push(bytes);
            self.work(now);
        }
    }

    fn answer(&mut self, answer: Answer, now: Instant) {
        match self.state {
            State::Permission => self.mail(now),
            State::Content => self.content(&answer, now),
            State::Ended(Farewell::Close) => self.close(),
            State::Ended(Farewell::Quit) => {
                self.actions.say("QUIT");
                // Nobody waits for the end; a server that does not answer is left alone soon.
                self.wait(State::Quit, now.checked_add(self.delivery.patience.min(QUIT)));
            }
            _ => return,
        }
        self.work(now);
    }

    fn tls_started(&mut self, now: Instant) {
        if self.state == State::Handshake {
            // RFC 3207 §4.2: what was said before is forgotten.
            self.is_encrypted = true;
            self.extensions = Extensions::default();
            match self.delivery.encryption {
                Encryption::Implicit => self.await_greeting(now),
                _ => self.ehlo(now),
            }
        }
    }

    fn expire(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.lost("timed out");
        }
    }

    fn shut_down(&mut self) {
        self.lost("we are stopping");
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn wants_input(&self) -> bool {
        self.awaits_reply()
    }

    fn next(&mut self) -> Option<Action<Question>> {
        self.actions.take()
    }
}

/// RFC 5321 §4.5.3.2.1.
const GREETING: Duration = Duration::from_secs(300);
const QUIT: Duration = Duration::from_secs(10);
