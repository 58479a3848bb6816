//! [`Answers`]: what a session of `smtpd` cannot know: which addresses exist, who may send as whom, whether a
//! message is kept.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use postkiln_address::{Address, ReversePath};
use postkiln_ipc::Door;
use postkiln_ipc::directory::{self, Access, Destination, Password, Route, Unavailable};
use postkiln_ipc::policy::{self, Attempt, Verdict};
use postkiln_log::Event;
use postkiln_mail::{Secret, Status};
use postkiln_smtp::{Answer, Begin, Question, Session};

use super::config::Config;
use super::message::Message;

/// Answers the questions of one connection's session.
pub(super) struct Answers {
    config: Arc<Config>,
    directory: directory::Client,
    policy: policy::Client,
    queued: Arc<Door>,
    data: PathBuf,
    peer: IpAddr,
    message: Option<Message>,
}

impl Answers {
    /// Answers for a new connection, which has asked nothing yet.
    pub(super) const fn new(
        config: Arc<Config>,
        directory: directory::Client,
        policy: policy::Client,
        queued: Arc<Door>,
        data: PathBuf,
        peer: IpAddr,
    ) -> Self {
        Self { config, directory, policy, queued, data, peer, message: None }
    }

    async fn authenticate(&mut self, name: String, password: Secret) -> Answer {
        let password = Password(password.into_exposed());
        match self.directory.authenticate(Access::Submission, name, password, self.peer).await {
            Ok(Some(account)) => Answer::Authenticated(account.address.to_string()),
            Ok(None) => refused(Status(5, 7, 8), "authorization failed (#5.7.8)"),
            Err(problem) => unavailable(&problem),
        }
    }

    /// A person may send as any address that leads to the person's own mailbox, and as nobody (RFC 5321 §4.5.5).
    async fn sender(&mut self, account: &str, sender: &ReversePath) -> Answer {
        let sender = match sender {
            ReversePath::Null => return Answer::Accepted,
            ReversePath::DoubleBounce => return refused(Status(5, 7, 1), NOT_YOURS),
            ReversePath::Address(address) => address,
        };
        let Ok(own) = account.parse::<Address>() else { return refused(Status(4, 3, 0), "internal trouble") };
        if own.key() == sender.key() {
            return Answer::Accepted;
        }
        match self.directory.route(sender).await {
            Ok(Route::To(destinations)) if destinations.iter().any(|one| leads_to(one, &own)) => Answer::Accepted,
            Ok(_) => refused(Status(5, 7, 1), NOT_YOURS),
            Err(problem) => unavailable(&problem),
        }
    }

    /// Whether the walk refuses the recipient; whose mail is taken for it, the session's policy says.
    async fn recipient(&mut self, address: &Address) -> Answer {
        match self.directory.route(address).await {
            Ok(Route::To(_) | Route::NotOurs) => Answer::Accepted,
            Ok(Route::NoSuchAddress(line)) => refused(Status::stated(&line).unwrap_or(Status(5, 1, 1)), &line),
            Err(problem) => unavailable(&problem),
        }
    }

    /// Whether what is remembered of the client speaks against the recipient.
    async fn stranger(&mut self, sender: ReversePath, recipient: Address) -> Answer {
        match self.policy.judge(&Attempt { client: self.peer, sender, recipient }).await {
            Verdict::Pass => Answer::Accepted,
            Verdict::Refuse(status, line) => Answer::Refused(status, line),
            Verdict::Unavailable(problem) => {
                postkiln_log::warn(Event::Deferred, &[("problem", &problem)]);
                refused(Status(4, 3, 0), "what is remembered cannot be said now (#4.3.0)")
            }
        }
    }

    async fn begin(&mut self, begin: &Begin) -> Answer {
        self.message = None;
        match Message::begin(&self.config, &self.queued, &self.data, self.peer, begin).await {
            Ok(message) => {
                self.message = Some(message);
                Answer::Accepted
            }
            Err((status, line)) => Answer::Refused(status, line),
        }
    }
}

impl postkiln_net::Answers<Session> for Answers {
    async fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Authenticate { name, password } => self.authenticate(name, password).await,
            Question::Sender { account, sender } => self.sender(&account, &sender).await,
            Question::Recipient { address, .. } => self.recipient(&address).await,
            Question::Stranger { sender, address } => self.stranger(sender, address).await,
            Question::Begin(begin) => self.begin(&begin).await,
            Question::Finish => match self.message.take() {
                Some(message) => match message.finish().await {
                    Ok(id) => Answer::Kept(id),
                    Err((status, line)) => Answer::Refused(status, line),
                },
                None => refused(Status(4, 3, 0), "internal trouble"),
            },
        }
    }

    async fn content(&mut self, piece: Vec<u8>) {
        if let Some(message) = &mut self.message {
            message.content(piece).await;
        }
    }

    async fn abort(&mut self) {
        // Dropping the conversation makes `queued` forget.
        self.message = None;
    }
}

fn leads_to(destination: &Destination, own: &Address) -> bool {
    match destination {
        Destination::Mailbox(account) => account.address.key() == own.key(),
        Destination::Forward(address) => address.key() == own.key(),
        Destination::List(_) | Destination::Respond(_) => false,
    }
}

fn refused(status: Status, line: &str) -> Answer {
    Answer::Refused(status, line.to_owned())
}

fn unavailable(problem: &Unavailable) -> Answer {
    postkiln_log::warn(Event::Deferred, &[("problem", &postkiln_log::chain(problem))]);
    refused(Status(4, 3, 0), "the user database cannot say now (#4.3.0)")
}

const NOT_YOURS: &str = "that address is not yours (#5.7.1)";
