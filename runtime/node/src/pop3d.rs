//! `pop3d`: mailbox access by POP3, on the ports 110 and 995. Knows no file format and no password; the answers to what a
//! logged-in session asks are in `pop3_answers`. Start at [`run`].

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use postkiln_bundle::Role;
use postkiln_ipc::directory::Access;
use postkiln_mail::Status;
use postkiln_pop3::{Answer, Question, Session};
use postkiln_session::Tls;
use postkiln_sys::Inherited;

use crate::access::{self, Client, Config, LoggedIn, Login, Transport};
use crate::pop3_answers::Mailbox;
use crate::role;

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), String> {
    let prepare = |bundle: &postkiln_sys::BundleDirectory| Config::read(Role::Pop3d, bundle);
    role::serve(Role::Pop3d, inherited, prepare, |seat| access::serve(seat, meet))
}

fn meet(client: Client) -> (Session, Answers) {
    let config = postkiln_pop3::Config {
        hostname: client.hostname,
        tls: match client.transport {
            Transport::Encrypted => Tls::Implicit,
            Transport::Upgradable => Tls::Starttls,
            Transport::Plain => Tls::Unavailable,
        },
        timeout: AUTOLOGOUT,
        max_logins: 3,
        max_errors: 20,
    };
    (Session::new(Arc::new(config), Instant::now()), Answers { login: client.login, mailbox: None })
}

/// One connection's answers.
struct Answers {
    login: Login,
    mailbox: Option<Mailbox>,
}

impl postkiln_net::Answers<Session> for Answers {
    async fn answer(&mut self, question: Question) -> Answer {
        if let Question::Authenticate { name, password } = question {
            return match self.login.try_in(Access::Pop3, name, password).await {
                LoggedIn::Mailbox(place) => {
                    self.mailbox = Some(Mailbox::new(&place.maildir, place.quota, place.uniques));
                    Answer::Authenticated
                }
                LoggedIn::Denied => Answer::Refused(Status(5, 7, 8), "authorization failed".to_owned()),
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
    Answer::Refused(Status(4, 3, 0), "temporary trouble, try again later".to_owned())
}

/// RFC 1939 §3: at least ten minutes.
const AUTOLOGOUT: Duration = Duration::from_secs(660);
