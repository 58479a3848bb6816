//! `pop3d`: mailbox access by POP3, on the ports 110 and 995. Knows no file format and no password; the answers to what
//! a logged-in session asks are in `pop3_answers`. Start at [`run`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use postkiln_bundle::Role;
use postkiln_ipc::directory::Access as Service;
use postkiln_mail::Status;
use postkiln_pop3::{Answer, Question, Session};
use postkiln_sys::{BundleDirectory, Inherited};

use crate::access::{self, Access, Config, LoggedIn, Person};
use crate::error::NodeError;
use crate::pop3_answers::Mailbox;
use crate::role;
use crate::serving::{self, Client, Front};

/// Runs the role until `init` stops it.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    let prepare = |bundle: &BundleDirectory| Config::read(Role::Pop3d, bundle);
    role::serve(Role::Pop3d, inherited, prepare, |mut seat| async move {
        let access = Access::new(&mut seat)?;
        serving::serve(seat, Pop3d(access)).await
    })
}

struct Pop3d(Access);

impl Front for Pop3d {
    type Config = Config;
    type Session = Session;
    type Answers = Answers;
    const PER_PEER: usize = access::PER_PEER;

    fn meet(&self, config: &Arc<Config>, client: Client<'_>) -> Option<(Session, Answers)> {
        let config = postkiln_pop3::Config {
            hostname: config.hostname.clone(),
            tls: client.tls,
            timeout: AUTOLOGOUT,
            max_logins: 3,
            max_errors: 20,
        };
        let answers = Answers(Person::Visitor(self.0.login(client.peer)));
        Some((Session::new(Arc::new(config), Instant::now()), answers))
    }
}

/// Answers the questions of one connection's session.
struct Answers(Person<Mailbox>);

impl postkiln_net::Answers<Session> for Answers {
    async fn answer(&mut self, question: Question) -> Answer {
        let Question::Authenticate { name, password } = question else {
            return self.0.ask(question).await.unwrap_or_else(unavailable);
        };
        match self.0.log_in(Service::Pop3, name, password).await {
            LoggedIn::Done => Answer::Authenticated,
            LoggedIn::Denied => Answer::Refused(Status(5, 7, 8), "authorization failed".to_owned()),
            LoggedIn::Unavailable => unavailable(),
        }
    }
}

fn unavailable() -> Answer {
    Answer::Refused(Status(4, 3, 0), "temporary trouble, try again later".to_owned())
}

/// How long a client may be silent: at least ten minutes (RFC 1939 §3).
const AUTOLOGOUT: Duration = Duration::from_secs(660);
