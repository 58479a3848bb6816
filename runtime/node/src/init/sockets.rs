//! Everything `init` keeps open on behalf of roles: listeners, doors and hatches. They outlive the role that uses them,
//! so a caller or a client waits while the callee is started again, and is not refused.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use postkiln_bundle::{Listener, LocalSocket, Manifest, Program, Role};
use postkiln_operation::status;

use super::{Listen, Place};
use crate::error::{During, NodeError};

/// The sockets of all roles.
#[derive(Debug)]
pub(super) struct Sockets {
    listeners: BTreeMap<String, (Role, TcpListener)>,
    locals: BTreeMap<String, (Role, UnixListener)>,
    doors: BTreeMap<(Role, Role), (OwnedFd, OwnedFd)>,
    /// Secrets that an operator hands over, for the role that takes them; nobody reads them here.
    pub(super) secrets: Option<OwnedFd>,
}

impl Sockets {
    /// Opens what the service table asks for.
    ///
    /// # Errors
    /// When a port is taken or descriptors have run out.
    pub(super) fn open(place: &Place, manifest: &Manifest) -> Result<Self, NodeError> {
        let mut sockets =
            Self { listeners: BTreeMap::new(), locals: BTreeMap::new(), doors: BTreeMap::new(), secrets: None };
        sockets.follow(place, manifest)?;
        Ok(sockets)
    }

    /// Opens what a new service table adds and closes listeners it no longer has. Doors stay: an idle pair costs
    /// nothing, and a role may come back.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn follow(&mut self, place: &Place, manifest: &Manifest) -> Result<(), NodeError> {
        let wanted =
            |name: &str| manifest.services.iter().flat_map(|service| &service.listeners).any(|l| l.name == name);
        self.listeners.retain(|name, _| wanted(name));
        let wanted = |name: &str| manifest.services.iter().flat_map(|service| &service.sockets).any(|s| s.name == name);
        self.locals.retain(|name, _| wanted(name));
        for service in &manifest.services {
            for listener in &service.listeners {
                if !self.listeners.contains_key(&listener.name) {
                    let socket = listen(place.listen, listener)?;
                    self.listeners.insert(listener.name.clone(), (service.role, socket));
                }
            }
            for socket in &service.sockets {
                if !self.locals.contains_key(&socket.name) {
                    let opened = local(&place.data, socket).during(|| socket.path.clone())?;
                    self.locals.insert(socket.name.clone(), (service.role, opened));
                }
            }
            for callee in &service.doors {
                if is_node_role(manifest, *callee) && !self.doors.contains_key(&(service.role, *callee)) {
                    let pair = postkiln_ipc::pair().during(|| "a door".to_owned())?;
                    self.doors.insert((service.role, *callee), pair);
                }
            }
        }
        Ok(())
    }

    /// The listeners of a role.
    pub(super) fn listeners_of(&self, role: Role) -> impl Iterator<Item = (&str, &TcpListener)> {
        let own = self.listeners.iter().filter(move |(_, (owner, _))| *owner == role);
        own.map(|(name, (_, socket))| (name.as_str(), socket))
    }

    /// The callers' ends that a role holds, with the callee.
    pub(super) fn doors_of(&self, role: Role) -> impl Iterator<Item = (Role, &OwnedFd)> {
        self.doors
            .iter()
            .filter(move |((caller, _), _)| *caller == role)
            .map(|((_, callee), (door, _))| (*callee, door))
    }

    /// The callee's ends that a role holds, with the caller.
    pub(super) fn hatches_of(&self, role: Role) -> impl Iterator<Item = (Role, &OwnedFd)> {
        self.doors
            .iter()
            .filter(move |((_, callee), _)| *callee == role)
            .map(|((caller, _), (_, hatch))| (*caller, hatch))
    }

    /// Makes anew the doors to and from a role that one of the two sides has spoiled: `shutdown` reaches both ends, and
    /// the copies kept here. Gives who is on the other side of each; both sides have to be started again.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub(super) fn renew(&mut self, role: Role) -> io::Result<Vec<Role>> {
        let mut others = Vec::new();
        for ((caller, callee), pair) in &mut self.doors {
            let is_own = *caller == role || *callee == role;
            if is_own && (postkiln_ipc::is_hung_up(pair.0.as_fd()) || postkiln_ipc::is_hung_up(pair.1.as_fd())) {
                *pair = postkiln_ipc::pair()?;
                others.push(if *caller == role { *callee } else { *caller });
            }
        }
        Ok(others)
    }

    /// The Unix sockets of a role.
    pub(super) fn local_of(&self, role: Role) -> impl Iterator<Item = (&str, &UnixListener)> {
        let own = self.locals.iter().filter(move |(_, (owner, _))| *owner == role);
        own.map(|(name, (_, socket))| (name.as_str(), socket))
    }

    /// The listeners with their addresses, for the status.
    pub(super) fn listeners(&self) -> Vec<status::Listener> {
        let describe = |(name, (role, socket)): (&String, &(Role, TcpListener))| {
            let bound = socket.local_addr().ok()?;
            Some(status::Listener {
                name: name.clone(),
                role: *role,
                address: bound.ip().to_string(),
                port: bound.port(),
            })
        };
        self.listeners.iter().filter_map(describe).collect()
    }
}

fn is_node_role(manifest: &Manifest, role: Role) -> bool {
    manifest.services.iter().any(|service| service.role == role && service.program == Program::Node)
}

fn listen(listen: Listen, listener: &Listener) -> Result<TcpListener, NodeError> {
    let bound = match listen {
        Listen::Loopback(base) => {
            let port = if base == 0 { Some(0) } else { base.checked_add(listener.port) };
            let port =
                port.ok_or_else(|| NodeError::Usage(format!("the base port is too high for {}", listener.name)))?;
            TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
                .during(|| format!("127.0.0.1:{port} ({})", listener.name))
        }
        // One socket for both families (RFC 3493 §5.3); a kernel without IPv6 gets the other.
        Listen::Everywhere => TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, listener.port)))
            .or_else(|_| TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, listener.port))))
            .during(|| format!("port {} ({})", listener.port, listener.name)),
    };
    let bound = bound?;
    bound.set_nonblocking(true).during(|| listener.name.clone())?;
    Ok(bound)
}

/// A socket for its owner alone. Opened here so that the role needs no directory it may write.
fn local(data: &Path, socket: &LocalSocket) -> io::Result<UnixListener> {
    let path = data.join(&socket.path);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = bind_at(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Binds also where the path is longer than an address may be (unix(7): 108 octets), by way of
/// the directory's descriptor.
fn bind_at(path: &Path) -> io::Result<UnixListener> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    let folder = std::fs::File::open(folder)?;
    let short = Path::new("/proc/self/fd").join(std::os::fd::AsRawFd::as_raw_fd(&folder).to_string()).join(name);
    UnixListener::bind(short)
}
