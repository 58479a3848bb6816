//! The skeleton of every role that listens for clients: accept within limits, ask the listener's rules, take the
//! certificate, hold a session, say farewell. Knows no protocol: a [`Front`] makes the sessions. Start at [`serve`].

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use postkiln_bundle::Role;
use postkiln_control::tcprules::Decision;
use postkiln_log::Event;
use postkiln_net::{Answers, Begin, Counting, Limits, drive};
use postkiln_session::{Session, Tls};
use tokio::net::TcpStream;

use crate::certificate::Certificate;
use crate::contents::Listeners;
use crate::error::{During, NodeError};
use crate::role::Seat;

/// The configuration of a role that listens.
pub(crate) trait Listening: 'static {
    /// The listeners of the role.
    fn listeners(&self) -> &Listeners;
    /// How many clients are served at the same time.
    fn connections(&self) -> usize;
}

/// The part of a listening role that its clients see.
pub(crate) trait Front: 'static {
    /// The configuration from the bundle.
    type Config: Listening;
    /// The protocol's session.
    type Session: Session;
    /// The party that answers a session's questions.
    type Answers: Answers<Self::Session>;
    /// How many connections one peer may have.
    const PER_PEER: usize;

    /// A session for a client, and who answers its questions; nothing for one that is not served.
    fn meet(&self, config: &Arc<Self::Config>, client: Client<'_>) -> Option<(Self::Session, Self::Answers)>;
}

/// A client that the listener's rules let in.
pub(crate) struct Client<'a> {
    /// The listener's name.
    pub(crate) listener: &'a str,
    /// The client's address.
    pub(crate) peer: IpAddr,
    /// The decision of the rules about the client.
    pub(crate) decision: Decision,
    /// How TLS begins, if at all.
    pub(crate) tls: Tls,
}

/// Serves until `init` stops the role.
pub(crate) async fn serve<F: Front>(mut seat: Seat<F::Config>, front: F) -> Result<(), NodeError> {
    let certificate = Certificate::fetch(seat.door(Role::Keyd)?, seat.desk.clone());
    let listeners = seat.listeners();
    let counting = Counting::new(Limits { total: seat.config().connections(), per_peer: F::PER_PEER });
    let office = Rc::new(Office { seat, certificate, counting: counting.clone(), front });
    for (name, listener) in listeners {
        let name: Rc<str> = name.into();
        let accepting = postkiln_net::accept(listener, counting.clone(), {
            let (office, name) = (office.clone(), name.clone());
            move |connection, peer, place| {
                let (office, name) = (office.clone(), name.clone());
                async move {
                    office.converse(&name, connection, peer).await;
                    drop(place);
                }
            }
        });
        office.seat.part(async move { accepting.await.during(|| format!("listener {name}")) });
    }
    tokio::select! {
        () = office.certificate.asked() => office.seat.ready(),
        () = office.seat.stopped() => {}
    }
    office.seat.stopped().await;
    // Sessions have heard it too.
    let _ = tokio::time::timeout(FAREWELL, counting.empty()).await;
    Ok(())
}

/// The parts that all connections share.
struct Office<F: Front> {
    seat: Seat<F::Config>,
    certificate: Certificate,
    counting: Counting,
    front: F,
}

impl<F: Front> Office<F> {
    /// Serves one connection from beginning to end.
    async fn converse(&self, name: &str, connection: TcpStream, peer: SocketAddr) {
        let config = self.seat.config();
        let Some(listener) = config.listeners().get(name) else { return };
        // A new bundle's number holds from the first client that sees it.
        self.counting.set_total(config.connections());
        let decision = listener.decide(peer.ip());
        if decision == Decision::Deny {
            postkiln_log::info(Event::Refused, &[("peer", &peer.ip()), ("listener", &name)]);
            return;
        }
        let is_implicit = listener.tls == postkiln_bundle::Tls::Implicit;
        let (begin, tls) = match (is_implicit, self.certificate.get(is_implicit).await) {
            (true, Some(certificate)) => (Begin::Tls(certificate), Tls::Implicit),
            // Without a certificate there is nothing to say on this port.
            (true, None) => return,
            (false, Some(certificate)) => (Begin::Plain(Some(certificate)), Tls::Starttls),
            (false, None) => (Begin::Plain(None), Tls::Unavailable),
        };
        let client = Client { listener: name, peer: peer.ip(), decision, tls };
        let Some((session, mut answers)) = self.front.meet(&config, client) else { return };
        if let Err(error) = drive(connection, begin, session, &mut answers, self.seat.stopped()).await {
            let problem = postkiln_log::chain(&error);
            postkiln_log::info(Event::Broken, &[("peer", &peer.ip()), ("listener", &name), ("problem", &problem)]);
        }
    }
}

/// For what is in hand to end: the last words to the idle, the reply to a message that is just being kept. Less than
/// `init` grants.
const FAREWELL: Duration = Duration::from_millis(2500);
