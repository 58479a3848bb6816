//! `imapd`: mailbox access by IMAP, on the ports 143 and 993. Knows no file format and no password; the answers to what a
//! logged-in session asks are in `imap_answers`. Start at [`run`].

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use postkiln_bundle::Role;
use postkiln_imap::{Answer, Failure, FailureKind, Limits, Question, Session};
use postkiln_ipc::directory::Access;
use postkiln_session::Tls;
use postkiln_sys::Inherited;

use crate::access::{self, Client, Config, LoggedIn, Login, Transport};
use crate::imap_answers::Mailbox;
use crate::role;

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), String> {
    let prepare = |bundle: &postkiln_sys::BundleDirectory| Config::read(Role::Imapd, bundle);
    role::serve(Role::Imapd, inherited, prepare, |seat| access::serve(seat, meet))
}

fn meet(client: Client) -> (Session, Answers) {
    let tls = match client.transport {
        Transport::Encrypted => Tls::Implicit,
        Transport::Upgradable => Tls::Starttls,
        Transport::Plain => Tls::Unavailable,
    };
    let config = postkiln_imap::Config { hostname: client.hostname, tls, limits: Limits::default() };
    (Session::new(Arc::new(config), Instant::now()), Answers { login: client.login, mailbox: None })
}

/// One connection's answers.
struct Answers {
    login: Login,
    mailbox: Option<Mailbox>,
}

impl postkiln_net::Answers<Session> for Answers {
    async fn answer(&mut self, question: Question) -> Answer {
        if let Question::Login { name, password } = question {
            return match self.login.try_in(Access::Imap, name, password).await {
                LoggedIn::Mailbox(place) => {
                    self.mailbox = Some(Mailbox::new(&place.maildir, place.quota, place.uniques));
                    Answer::Done
                }
                LoggedIn::Denied => Answer::Denied,
                LoggedIn::Unavailable => unavailable(),
            };
        }
        let Some(mailbox) = self.mailbox.take() else { return unavailable() };
        match access::work(mailbox, move |mailbox: &mut Mailbox| mailbox.answer(&question, SystemTime::now())).await {
            Some((mailbox, answer)) => {
                self.mailbox = Some(mailbox);
                answer.unwrap_or_else(unavailable)
            }
            None => unavailable(),
        }
    }
}

fn unavailable() -> Answer {
    Answer::Failed(Failure { kind: FailureKind::Unavailable, text: "temporary trouble, try again later".to_owned() })
}
