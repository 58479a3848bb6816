//! The role `netd`: the machine's address, by DHCP or as the site says. Puts addresses and routes into the kernel and
//! the DNS servers into `run/net/resolv.conf`. Acts only on the machine, where `init` lets it keep the powers for it:
//! in an ordinary run the network is the host's. Start at [`run`]; the protocol is in `dhcp.rs`.

mod dhcp;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::Duration;

use postkiln_bundle::Role;
use postkiln_control::{Network, Resolvers};
use postkiln_log::Event;
use postkiln_sys::network::{Link, Netlink};
use postkiln_sys::{BundleDirectory, CapabilitySet, Inherited, sync};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::contents;
use crate::error::{During, NodeError};
use crate::role::{self, Desk, Seat};
use dhcp::{Kind, Lease, Reply, Request};

/// The network as the site describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Config {
    network: Network,
    resolvers: Resolvers,
}

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Netd, inherited, prepare, serve)
}

fn prepare(bundle: &BundleDirectory) -> Result<Config, NodeError> {
    Ok(Config { network: contents::control(bundle)?, resolvers: contents::control(bundle)? })
}

async fn serve(seat: Seat<Config>) -> Result<(), NodeError> {
    let stopped = seat.stopped();
    if !in_charge() {
        seat.ready();
        stopped.await;
        return Ok(());
    }
    tokio::select! {
        () = stopped => Ok(()),
        result = follow(&seat) => result,
    }
}

/// Whether `init` let us keep the power over the network. An ordinary run never does, also as root.
fn in_charge() -> bool {
    rustix::thread::capability_is_in_ambient_set(CapabilitySet::NET_ADMIN).unwrap_or(false)
}

/// Keeps the network as the configuration in force says.
async fn follow(seat: &Seat<Config>) -> Result<(), NodeError> {
    let mut changes = seat.config.clone();
    let mut interface = Interface::find(&seat.desk, seat.data().join(postkiln_operation::paths::RESOLV_CONF)).await?;
    let ready = || seat.ready();
    loop {
        let config = changes.borrow_and_update().clone();
        tokio::select! {
            result = interface.keep(&config, &seat.desk, &ready) => result?,
            () = async {
                // Another bundle with the same network changes nothing here.
                while changes.changed().await.is_ok() {
                    if *changes.borrow_and_update() != config {
                        return;
                    }
                }
                std::future::pending().await
            } => {}
        }
        interface.clear();
    }
}

/// The machine's interface and what we put on it.
struct Interface {
    netlink: Netlink,
    link: Link,
    hardware: [u8; 6],
    address: Option<(Ipv4Addr, u8)>,
    resolv_conf: PathBuf,
}

/// How often to look for an interface, and to try again after a failure.
const LOOK: Duration = Duration::from_secs(2);
/// Without an address by then the services begin all the same: the console says what is missing.
const PATIENCE: Duration = Duration::from_secs(10);
/// RFC 2131 §4.1: wait longer each time, up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(64);

impl Interface {
    /// The first Ethernet interface, waiting until there is one; switched on.
    async fn find(desk: &Desk, resolv_conf: PathBuf) -> Result<Self, NodeError> {
        let mut netlink = Netlink::open().during(|| "netlink".to_owned())?;
        loop {
            let links = netlink.links().during(|| "the list of interfaces".to_owned())?;
            let found = links.into_iter().find_map(|link| link.ethernet.map(|hardware| (link, hardware)));
            if let Some((link, hardware)) = found {
                netlink.up(link.index).during(|| link.name.clone())?;
                return Ok(Self { netlink, link, hardware, address: None, resolv_conf });
            }
            desk.note("no network interface");
            sleep(LOOK).await;
        }
    }

    /// Gives the interface its address and keeps it. Returns when a lease has ended.
    async fn keep(&mut self, config: &Config, desk: &Desk, ready: &impl Fn()) -> Result<(), NodeError> {
        match config.network {
            Network::Static { address, prefix, gateway } => {
                self.put(address, prefix, gateway)?;
                self.name_servers(config, &[]);
                desk.note("");
                ready();
                std::future::pending().await
            }
            Network::Dhcp => self.lease(config, desk, ready).await,
        }
    }

    async fn lease(&mut self, config: &Config, desk: &Desk, ready: &impl Fn()) -> Result<(), NodeError> {
        let socket = self.socket()?;
        let lease = tokio::select! {
            lease = self.obtain(&socket) => lease,
            () = async {
                sleep(PATIENCE).await;
                desk.note("no address: no DHCP server answers");
                ready();
                std::future::pending().await
            } => None,
        };
        let Some(mut lease) = lease else { return Ok(()) };
        let mut since = Instant::now();
        loop {
            self.put(lease.address, lease.prefix, lease.gateway)?;
            self.name_servers(config, &lease.resolvers);
            let shown = format!("{}/{}", lease.address, lease.prefix);
            postkiln_log::info(
                Event::Lease,
                &[("address", &shown), ("server", &lease.server), ("for", &lease.duration.as_secs())],
            );
            desk.note("");
            ready();
            sleep_until(since + lease.renew).await;
            match self.prolong(&socket, &lease, since).await {
                Some(next) => lease = next,
                None => break,
            }
            since = Instant::now();
        }
        desk.note("the lease of the address has ended");
        Ok(())
    }

    /// DISCOVER, OFFER, REQUEST, ACK (RFC 2131 §3.1), until it works.
    async fn obtain(&self, socket: &UdpSocket) -> Option<Lease> {
        let begun = Instant::now();
        let mut wait = Duration::from_secs(1);
        loop {
            let deadline = Instant::now() + wait;
            let mut request = self.request(Kind::Discover, begun);
            if let Some(Reply::Offer(offer)) = self.ask(socket, &request, SERVERS, deadline).await {
                request.kind = Kind::Select { address: offer.address, server: offer.server };
                let deadline = Instant::now() + wait.max(Duration::from_secs(2));
                if let Some(Reply::Acknowledged(lease)) = self.ask(socket, &request, SERVERS, deadline).await {
                    return Some(lease);
                }
            }
            sleep_until(deadline).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Asks the server, then anybody, to let us keep the address (RFC 2131 §4.4.5). Nothing when the lease has ended.
    async fn prolong(&self, socket: &UdpSocket, lease: &Lease, since: Instant) -> Option<Lease> {
        let end = since + lease.duration;
        while Instant::now() < end {
            let now = Instant::now();
            let (server, until) = if now < since + lease.rebind {
                (lease.server, since + lease.rebind)
            } else {
                (Ipv4Addr::BROADCAST, end)
            };
            let request = self.request(Kind::Renew { address: lease.address }, now);
            let to = SocketAddrV4::new(server, SERVER_PORT);
            let patience = Duration::from_secs(5);
            match self.ask(socket, &request, to, (now + patience).min(end)).await {
                Some(Reply::Acknowledged(next)) if next.address == lease.address => return Some(next),
                Some(Reply::Refused | Reply::Acknowledged(_)) => return None,
                _ => {}
            }
            // Half of what is left, but not more often than once a minute.
            let left = until.saturating_duration_since(Instant::now()) / 2;
            sleep_until((Instant::now() + left.max(Duration::from_secs(60))).min(end)).await;
        }
        None
    }

    fn request(&self, kind: Kind, begun: Instant) -> Request {
        let seconds = u16::try_from(begun.elapsed().as_secs()).unwrap_or(u16::MAX);
        Request { transaction: random(), hardware: self.hardware, seconds, kind }
    }

    async fn ask(&self, socket: &UdpSocket, request: &Request, to: SocketAddrV4, deadline: Instant) -> Option<Reply> {
        if let Err(error) = socket.send_to(&request.bytes(), SocketAddr::V4(to)).await {
            postkiln_log::warn(Event::DhcpNotSent, &[("problem", &error)]);
            return None;
        }
        let mut buffer = vec![0; 2048];
        loop {
            let received = timeout_at(deadline, socket.recv_from(&mut buffer)).await.ok()?;
            let Ok((count, _)) = received else { return None };
            if let Some(reply) = buffer.get(..count).and_then(|bytes| request.answered(bytes)) {
                return Some(reply);
            }
        }
    }

    /// A socket on this interface alone: without an address there is no route that would lead there.
    fn socket(&self) -> Result<UdpSocket, NodeError> {
        let make = || -> std::io::Result<UdpSocket> {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM.nonblocking(), None)?;
            socket.set_broadcast(true)?;
            socket.set_reuse_address(true)?;
            socket.bind_device(Some(self.link.name.as_bytes()))?;
            socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, CLIENT_PORT)).into())?;
            UdpSocket::from_std(socket.into())
        };
        make().during(|| format!("the DHCP socket on {}", self.link.name))
    }

    fn put(&mut self, address: Ipv4Addr, prefix: u8, gateway: Option<Ipv4Addr>) -> Result<(), NodeError> {
        let index = self.link.index;
        if self.address != Some((address, prefix)) {
            self.clear();
            let added = self.netlink.add_address(index, address, prefix);
            added.during(|| format!("address {address}/{prefix}"))?;
            self.address = Some((address, prefix));
        }
        match gateway {
            Some(gateway) => self.netlink.set_default_route(index, gateway).during(|| format!("gateway {gateway}")),
            None => Ok(()),
        }
    }

    /// Takes our address away; its routes go with it.
    fn clear(&mut self) {
        if let Some((address, prefix)) = self.address.take()
            && let Err(error) = self.netlink.remove_address(self.link.index, address, prefix)
        {
            postkiln_log::warn(Event::AddressNotRemoved, &[("address", &address), ("problem", &error)]);
        }
    }

    /// The site's own servers, else those that DHCP named.
    fn name_servers(&self, config: &Config, leased: &[Ipv4Addr]) {
        let own = config
            .resolvers
            .0
            .iter()
            .filter(|resolver| resolver.port == 53)
            .map(|resolver| resolver.address.to_string());
        let own: Vec<String> = own.collect();
        let servers = if own.is_empty() { leased.iter().map(ToString::to_string).collect() } else { own };
        if let Err(error) = write_servers(&self.resolv_conf, &servers) {
            postkiln_log::error(Event::ResolversNotWritten, &[("problem", &error)]);
        }
    }
}

fn write_servers(path: &Path, servers: &[String]) -> std::io::Result<()> {
    let text: String = servers.iter().map(|server| format!("nameserver {server}\n")).collect();
    sync::replace_volatile(path, text.as_bytes(), 0o644)
}

/// RFC 2131 §4.1.
const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
const SERVERS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT);

/// A number that others on the network do not guess.
fn random() -> u32 {
    u32::from_ne_bytes(postkiln_sys::random().unwrap_or_default())
}
