//! `imapd`: mailbox access by IMAP, on the ports 143 and 993. Knows no file format and no password; the answers to what
//! a logged-in session asks are in `imap_answers`. Start at [`run`].

use std::sync::Arc;
use std::time::Instant;

use postkiln_bundle::Role;
use postkiln_imap::{Answer, Failure, FailureKind, Limits, Question, Session};
use postkiln_ipc::directory::Access as Service;
use postkiln_sys::{BundleDirectory, Inherited};

use crate::access::{self, Access, Config, LoggedIn, Person};
use crate::error::NodeError;
use crate::imap_answers::Mailbox;
use crate::role;
use crate::serving::{self, Client, Front};

/// Runs the role until `init` stops it.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    let prepare = |bundle: &BundleDirectory| Config::read(Role::Imapd, bundle);
    role::serve(Role::Imapd, inherited, prepare, |mut seat| async move {
        let access = Access::new(&mut seat)?;
        serving::serve(seat, Imapd(access)).await
    })
}

struct Imapd(Access);

impl Front for Imapd {
    type Config = Config;
    type Session = Session;
    type Answers = Answers;
    const PER_PEER: usize = access::PER_PEER;

    fn meet(&self, config: &Arc<Config>, client: Client<'_>) -> Option<(Session, Answers)> {
        let hostname = config.hostname.clone();
        let config = postkiln_imap::Config { hostname, tls: client.tls, limits: Limits::default() };
        let answers = Answers(Person::Visitor(self.0.login(client.peer)));
        Some((Session::new(Arc::new(config), Instant::now()), answers))
    }
}

/// Answers the questions of one connection's session.
struct Answers(Person<Mailbox>);

impl postkiln_net::Answers<Session> for Answers {
    async fn answer(&mut self, question: Question) -> Answer {
        let Question::Login { name, password } = question else {
            return self.0.ask(question).await.unwrap_or_else(unavailable);
        };
        match self.0.log_in(Service::Imap, name, password).await {
            LoggedIn::Done => Answer::Done,
            LoggedIn::Denied => Answer::Denied,
            LoggedIn::Unavailable => unavailable(),
        }
    }
}

fn unavailable() -> Answer {
    Answer::Failed(Failure { kind: FailureKind::Unavailable, text: "temporary trouble, try again later".to_owned() })
}
