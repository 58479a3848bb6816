//! `smtpd`: receives mail on the ports 25, 587 and 465. It meets strangers, so it holds little: the bundle to read, doors
//! to `directoryd`, `queued` and `keyd`, clamd's socket. Knows no mailbox and no queue format. Start at [`run`]; the
//! answers a session needs are in `answers`, a message on its way in `message`.

mod answers;
mod client;
mod config;
mod message;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use postkiln_bundle::Role;
use postkiln_control::tcprules;
use postkiln_ipc::Door;
use postkiln_net::{Begin, Counting, Limits, drive};
use postkiln_session::Tls;
use postkiln_smtp::{Peer, Session};
use postkiln_sys::Inherited;
use tokio::net::TcpStream;

use crate::asking::{Certificate, Directory};
use crate::role::{self, Seat};
use answers::Answers;
use client::Client;
use config::Config;

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), String> {
    role::serve(Role::Smtpd, inherited, Config::read, body)
}

/// What every connection needs.
struct Office {
    seat: Seat<Config>,
    directoryd: Arc<Door>,
    queued: Arc<Door>,
    certificate: Certificate,
    counting: Counting,
}

async fn body(mut seat: Seat<Config>) -> Result<(), String> {
    let (directoryd, queued) = (seat.door(Role::Directoryd)?, seat.door(Role::Queued)?);
    let certificate = Certificate::fetch(seat.door(Role::Keyd)?, &seat);
    let listeners = seat.listeners();
    let counting = Counting::new(Limits { total: seat.config().connections, per_peer: PER_PEER });
    let office = Rc::new(Office { seat, directoryd, queued, certificate, counting: counting.clone() });
    for (name, listener) in listeners {
        let name: Rc<str> = name.into();
        let accepting = postkiln_net::accept(listener, counting.clone(), {
            let (office, name) = (office.clone(), name.clone());
            move |connection, peer, place| {
                let (office, name) = (office.clone(), name.clone());
                async move {
                    converse(&office, &name, connection, peer).await;
                    drop(place);
                }
            }
        });
        office.seat.part(async move { accepting.await.map_err(|error| format!("listener {name}: {error}")) });
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

/// One connection.
async fn converse(office: &Office, listener: &str, connection: TcpStream, peer: SocketAddr) {
    let config = office.seat.config();
    let Some(service) = config.services.get(listener) else { return };
    // A new bundle's number holds from the first client that sees it.
    office.counting.set_total(config.connections);
    let Some(client) = Client::new(&tcprules::lookup(&service.rules, peer.ip(), None)) else {
        postkiln_log::info("refused", &[("peer", &peer.ip()), ("listener", &listener)]);
        return;
    };
    let tls = office.certificate.get(service.session.tls == Tls::Implicit).await;
    let (begin, session) = match (service.session.tls, tls) {
        (Tls::Implicit, Some(tls)) => (Begin::Tls(tls), service.session.clone()),
        // Without a certificate there is nothing to say on this port.
        (Tls::Implicit, None) => return,
        (_, Some(tls)) => (Begin::Plain(Some(tls)), service.session.clone()),
        (_, None) => (Begin::Plain(None), service.without_tls()),
    };
    let session = match client.databytes {
        Some(databytes) => with_databytes(&session, databytes),
        None => session,
    };
    let session = Session::new((session, Peer { ip: peer.ip(), relay_client: client.relay }), Instant::now());
    let directory = Directory::new(office.directoryd.clone());
    let mut answers =
        Answers::new(config.clone(), directory, office.queued.clone(), office.seat.data(), peer.ip(), client.blocked);
    if let Err(error) = drive(connection, begin, session, &mut answers, office.seat.stopped()).await {
        let problem = postkiln_log::chain(&error);
        postkiln_log::info("broken", &[("peer", &peer.ip()), ("listener", &listener), ("problem", &problem)]);
    }
}

/// For a client whose messages may be larger or smaller than others'.
fn with_databytes(session: &postkiln_smtp::Config, databytes: Option<u64>) -> Arc<postkiln_smtp::Config> {
    let limits = postkiln_smtp::Limits { databytes, ..session.limits.clone() };
    Arc::new(postkiln_smtp::Config { limits, ..session.clone() })
}

/// What one peer may have of the places for clients.
const PER_PEER: usize = 100;
/// For what is in hand to end: 421 to the idle, 250 to a message that is just being kept. Less than `init` grants.
const FAREWELL: std::time::Duration = std::time::Duration::from_millis(2500);
