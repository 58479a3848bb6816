//! [`Client`]: the caller's side of the conversation with `directoryd`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use postkiln_address::Address;

use super::{Access, Account, Destination, Password, Reply, Request};
use crate::again::Line;
use crate::{ChannelError, Door};

/// Asks `directoryd`, in one conversation as long as that lasts.
#[derive(Debug)]
pub struct Client(Line<Request, Reply>);

/// Where mail for an address goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// All places that the address leads to; none when mail is dropped on purpose.
    To(Vec<Destination>),
    /// The domain is ours and the address does not exist, or refuses mail; one line for the sender.
    NoSuchAddress(String),
    /// The domain is not ours: `remote` has to carry it.
    NotOurs,
}

/// Why there is no answer now. A temporary failure of ours, whatever was asked.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// `directoryd` says so itself; one line for the log.
    #[error("{0}")]
    Said(String),
    /// `directoryd` does not answer in time.
    #[error("directoryd does not answer")]
    Silent(#[from] ChannelError),
}

impl Client {
    /// Asks nothing yet.
    #[must_use]
    pub const fn new(door: Arc<Door>) -> Self {
        Self(Line::new(door))
    }

    /// Asks whether name and password are right; `name` is `user@domain`. `None`: wrong name or password, or the
    /// service is switched off for this user.
    ///
    /// # Errors
    /// When there is no answer now.
    pub async fn authenticate(
        &mut self,
        service: Access,
        name: String,
        password: Password,
        peer: IpAddr,
    ) -> Result<Option<Account>, Unavailable> {
        match self.ask(&Request::Authenticate { service, name, password, peer }).await? {
            Reply::Authenticated(account) => Ok(Some(account)),
            Reply::Denied => Ok(None),
            other => Err(unavailable(other)),
        }
    }

    /// Asks where mail for an address goes, by the walk of `schemas/routing`.
    ///
    /// # Errors
    /// When there is no answer now.
    pub async fn route(&mut self, address: &Address) -> Result<Route, Unavailable> {
        match self.ask(&Request::Route(address.clone())).await? {
            Reply::Route(destinations) => Ok(Route::To(destinations)),
            Reply::NoSuchAddress(line) => Ok(Route::NoSuchAddress(line)),
            Reply::NotOurs => Ok(Route::NotOurs),
            other => Err(unavailable(other)),
        }
    }

    async fn ask(&mut self, question: &Request) -> Result<Reply, ChannelError> {
        self.0.ask_within(PATIENCE, question).await
    }
}

fn unavailable(reply: Reply) -> Unavailable {
    match reply {
        Reply::Unavailable(problem) => Unavailable::Said(problem),
        _ => Unavailable::Silent(ChannelError::Malformed),
    }
}

/// Longer than a role needs to come back, shorter than a client's patience with AUTH and RCPT (RFC 5321 §4.5.3.2).
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hatch, pair};

    /// A directory that goes away in the middle of the first questions and answers the others.
    async fn play(hatch: Hatch, mut deaths: usize, reply: Reply) {
        while let Ok(mut channel) = hatch.accept::<Reply, Request>().await {
            while let Ok(Some(_)) = channel.receive().await {
                if deaths > 0 {
                    deaths -= 1;
                    break;
                }
                channel.send(&reply).await.unwrap();
            }
        }
    }

    fn check(deaths: usize, reply: &Reply, is_expected: impl Fn(Result<Route, Unavailable>) -> bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (door, hatch) = pair().unwrap();
            tokio::task::spawn_local(play(Hatch::new(hatch).unwrap(), deaths, reply.clone()));
            let mut client = Client::new(Arc::new(Door::new(door)));
            let address = "ada@example.org".parse().unwrap();
            let answer = client.route(&address).await;
            assert!(is_expected(answer), "{deaths} {reply:?}");
        });
    }

    #[test]
    fn a_question_is_asked_again_when_its_conversation_breaks_and_not_for_ever() {
        for deaths in [0, 1, 2] {
            check(deaths, &Reply::NotOurs, |answer| matches!(answer, Ok(Route::NotOurs)));
        }
        check(3, &Reply::NotOurs, |answer| matches!(answer, Err(Unavailable::Silent(ChannelError::Cut))));
    }

    #[test]
    fn an_answer_to_nothing_that_was_asked_is_none() {
        check(0, &Reply::Denied, |answer| matches!(answer, Err(Unavailable::Silent(ChannelError::Malformed))));
        let busy = Reply::Unavailable("the database is away".to_owned());
        check(0, &busy, |answer| matches!(answer, Err(Unavailable::Said(problem)) if problem.contains("database")));
    }
}
