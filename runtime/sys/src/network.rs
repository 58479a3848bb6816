//! Links, addresses and the default route, by rtnetlink(7). Knows nothing about where an address comes from. Start at
//! [`Netlink`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The number that the kernel gave the interface.
    pub index: u32,
    /// The interface's name: `eth0`.
    pub name: String,
    /// The hardware address of an Ethernet interface.
    pub ethernet: Option<[u8; 6]>,
    /// Whether the interface is switched on.
    pub up: bool,
}

/// A conversation with the kernel about its network.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

// Numbers of linux/netlink.h and linux/rtnetlink.h.
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
const REPLACE_OR_CREATE: u16 = 0x100 | 0x400;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const IFF_UP: u32 = 1;
const ARPHRD_ETHER: u16 = 1;
const AF_INET: u8 = 2;
const HEADER: usize = 16;

impl Netlink {
    /// Opens a socket.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn open() -> io::Result<Self> {
        // NETLINK_ROUTE is protocol 0, which is also the number for no protocol.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// All network interfaces.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn links(&mut self) -> io::Result<Vec<Link>> {
        let replies = self.ask(RTM_GETLINK, DUMP, &[0; 16])?;
        Ok(replies.iter().filter_map(|reply| link(reply)).collect())
    }

    /// Switches an interface on.
    ///
    /// # Errors
    /// When the kernel refuses: no such interface, or not permitted.
    pub fn up(&mut self, index: u32) -> io::Result<()> {
        let mut body = vec![0; 4];
        body.extend(index.to_ne_bytes());
        body.extend(IFF_UP.to_ne_bytes());
        body.extend(IFF_UP.to_ne_bytes());
        self.ask(RTM_NEWLINK, ACK, &body).map(drop)
    }

    /// Gives an interface an IPv4 address with its prefix length.
    ///
    /// # Errors
    /// As [`Self::up`].
    pub fn add_address(&mut self, index: u32, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let mut body = address_body(index, address, prefix);
        let host_bits = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
        attribute(&mut body, IFA_BROADCAST, &Ipv4Addr::from_bits(address.to_bits() | host_bits).octets());
        self.ask(RTM_NEWADDR, ACK | REPLACE_OR_CREATE, &body).map(drop)
    }

    /// Takes an IPv4 address from an interface.
    ///
    /// # Errors
    /// The errors of [`Self::up`], and one when the interface does not have the address.
    pub fn remove_address(&mut self, index: u32, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
        self.ask(RTM_DELADDR, ACK, &address_body(index, address, prefix)).map(drop)
    }

    /// Sets the default route to a gateway behind an interface.
    ///
    /// # Errors
    /// The errors of [`Self::up`], and one when the gateway cannot be reached directly.
    pub fn set_default_route(&mut self, index: u32, gateway: Ipv4Addr) -> io::Result<()> {
        // The fields: family, two prefix lengths, service, table main, protocol static, scope universe, type unicast,
        // flags.
        let mut body = vec![AF_INET, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0];
        attribute(&mut body, RTA_GATEWAY, &gateway.octets());
        attribute(&mut body, RTA_OIF, &index.to_ne_bytes());
        self.ask(RTM_NEWROUTE, ACK | REPLACE_OR_CREATE, &body).map(drop)
    }

    /// Sends one request and collects the replies up to the acknowledgement or the end of the list.
    fn ask(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.sequence = self.sequence.wrapping_add(1);
        let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
        let mut message = length.to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        message.extend((flags | REQUEST).to_ne_bytes());
        message.extend(self.sequence.to_ne_bytes());
        message.extend([0; 4]);
        message.extend(body);
        send(&self.socket, &message, SendFlags::empty())?;
        let mut replies = Vec::new();
        loop {
            let mut buffer = vec![0; 1 << 16];
            let (_, count) = recv(&self.socket, &mut buffer[..], RecvFlags::empty())?;
            let mut rest = buffer.get(..count).unwrap_or_default();
            while let Some((kind, sequence, body, next)) = split(rest) {
                rest = next;
                if sequence != self.sequence {
                    continue;
                }
                match kind {
                    NLMSG_DONE => return Ok(replies),
                    NLMSG_ERROR => return acknowledged(body).map(|()| replies),
                    _ => replies.push(body.to_vec()),
                }
            }
        }
    }
}

// Numbers of linux/if_addr.h and linux/if_link.h.
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;

fn address_body(index: u32, address: Ipv4Addr, prefix: u8) -> Vec<u8> {
    let mut body = vec![AF_INET, prefix, 0, 0];
    body.extend(index.to_ne_bytes());
    attribute(&mut body, IFA_LOCAL, &address.octets());
    attribute(&mut body, IFA_ADDRESS, &address.octets());
    body
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend(u16::try_from(4 + value.len()).unwrap_or(u16::MAX).to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// A message's kind, sequence number and body, and the octets after it.
fn split(bytes: &[u8]) -> Option<(u16, u32, &[u8], &[u8])> {
    let length = usize::try_from(u32::from_ne_bytes(*bytes.first_chunk()?)).ok()?;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let sequence = u32::from_ne_bytes(*bytes.get(8..)?.first_chunk()?);
    let body = bytes.get(HEADER..length)?;
    Some((kind, sequence, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

fn acknowledged(body: &[u8]) -> io::Result<()> {
    let code = body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code.saturating_neg())) }
}

/// The value of an attribute, if it is there.
fn find(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(*attributes.first_chunk()?));
        let kind = u16::from_ne_bytes(*attributes.get(2..)?.first_chunk()?);
        let value = attributes.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

fn link(body: &[u8]) -> Option<Link> {
    let kind = u16::from_ne_bytes(*body.get(2..)?.first_chunk()?);
    let index = u32::from_ne_bytes(*body.get(4..)?.first_chunk()?);
    let flags = u32::from_ne_bytes(*body.get(8..)?.first_chunk()?);
    let attributes = body.get(16..)?;
    let name = find(attributes, IFLA_IFNAME)?.split(|octet| *octet == 0).next()?;
    let hardware = find(attributes, IFLA_ADDRESS).and_then(|octets| octets.try_into().ok());
    Some(Link {
        index,
        name: String::from_utf8_lossy(name).into_owned(),
        ethernet: hardware.filter(|_| kind == ARPHRD_ETHER),
        up: flags & IFF_UP != 0,
    })
}

/// Switches the loopback interface `lo` on.
///
/// # Errors
/// When the kernel refuses.
pub fn loopback_up() -> io::Result<()> {
    let mut netlink = Netlink::open()?;
    let links = netlink.links()?;
    let found = links.iter().find(|link| link.name == "lo").ok_or(io::ErrorKind::NotFound)?;
    netlink.up(found.index)
}

/// The addresses by which others reach this machine, with their prefix lengths, for people to read.
///
/// # Errors
/// When the kernel refuses.
pub fn addresses() -> io::Result<Vec<String>> {
    let replies = Netlink::open()?.ask(RTM_GETADDR, DUMP, &[0; 8])?;
    Ok(replies.iter().filter_map(|reply| address(reply)).collect())
}

fn address(body: &[u8]) -> Option<String> {
    let prefix = body.get(1)?;
    let attributes = body.get(8..)?;
    let octets = find(attributes, IFA_LOCAL).or_else(|| find(attributes, IFA_ADDRESS))?;
    let address = match octets.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)),
        _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)),
    };
    let local = match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    };
    (!local).then(|| format!("{address}/{prefix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_lists_its_loopback() {
        let links = Netlink::open().unwrap().links().unwrap();
        let loopback = links.iter().find(|link| link.name == "lo").unwrap();
        assert_eq!((loopback.index, loopback.ethernet), (1, None));
        assert!(addresses().unwrap().iter().all(|address| !address.starts_with("127.")));
    }

    #[test]
    fn what_the_kernel_refuses_is_an_error() {
        let error = Netlink::open().unwrap().up(u32::MAX >> 1).unwrap_err();
        assert!(matches!(error.raw_os_error(), Some(libc::ENODEV | libc::EPERM)), "{error}");
    }

    #[test]
    fn attributes_are_padded_and_found() {
        let mut body = Vec::new();
        attribute(&mut body, 7, b"abc");
        attribute(&mut body, 9, b"defg");
        assert_eq!(body.len(), 16);
        assert_eq!(find(&body, 9), Some(&b"defg"[..]));
        assert_eq!(find(&body, 8), None);
        assert_eq!(find(&body[..15], 9), None);
    }
}
