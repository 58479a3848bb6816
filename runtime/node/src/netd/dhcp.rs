//! DHCP messages and leases (RFC 2131, RFC 2132), as a client needs them. No socket, no clock. Start at [`Request`].

use std::net::Ipv4Addr;
use std::time::Duration;

/// A message to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Names this exchange; the server repeats it.
    pub(crate) transaction: u32,
    /// Our Ethernet address.
    pub(crate) hardware: [u8; 6],
    /// Seconds since we began to ask.
    pub(crate) seconds: u16,
    /// The kind of message.
    pub(crate) kind: Kind,
}

/// The messages of a client (RFC 2131 §4.3.2 tells which fields each carries).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// DHCPDISCOVER: asks whether there is a server.
    Discover,
    /// DHCPREQUEST after an offer: takes it.
    Select {
        /// The offered address.
        address: Ipv4Addr,
        /// The server that made the offer.
        server: Ipv4Addr,
    },
    /// DHCPREQUEST during a lease: asks to keep the address.
    Renew {
        /// The address we have.
        address: Ipv4Addr,
    },
}

/// A server's reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// DHCPOFFER: this address can be had.
    Offer(Lease),
    /// DHCPACK: the address is ours for the time of the lease.
    Acknowledged(Lease),
    /// DHCPNAK: the address is not ours.
    Refused,
}

/// An address that a server grants for a time, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// The address for us.
    pub(crate) address: Ipv4Addr,
    /// Bits of the network part.
    pub(crate) prefix: u8,
    /// The router to everywhere else.
    pub(crate) gateway: Option<Ipv4Addr>,
    /// The addresses of DNS servers.
    pub(crate) resolvers: Vec<Ipv4Addr>,
    /// The server that made the offer.
    pub(crate) server: Ipv4Addr,
    /// How long it lasts.
    pub(crate) duration: Duration,
    /// When to ask that server to prolong it.
    pub(crate) renew: Duration,
    /// When to ask any server.
    pub(crate) rebind: Duration,
}

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const HEADER: usize = 236;
/// Octets of a message at least: servers and relays may drop a shorter one (RFC 1542 §2.1).
const SMALLEST: usize = 300;
/// Octets of the longest answer that we read, as servers are told (RFC 2132 §9.10).
const LARGEST: u16 = 1472;
/// Seconds of a lease at least: a server that names less would make us ask all the time.
const SHORTEST_LEASE: u32 = 60;
/// How many DNS servers are taken from an answer: a stranger may send a long list.
const MOST_RESOLVERS: usize = 4;

mod option {
    pub(super) const PAD: u8 = 0;
    pub(super) const MASK: u8 = 1;
    pub(super) const ROUTER: u8 = 3;
    pub(super) const RESOLVERS: u8 = 6;
    pub(super) const REQUESTED: u8 = 50;
    pub(super) const LEASE: u8 = 51;
    pub(super) const MESSAGE: u8 = 53;
    pub(super) const SERVER: u8 = 54;
    pub(super) const WANTED: u8 = 55;
    pub(super) const LARGEST: u8 = 57;
    pub(super) const RENEW: u8 = 58;
    pub(super) const REBIND: u8 = 59;
    pub(super) const END: u8 = 255;
}

impl Request {
    /// The octets of the datagram.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // A BOOTREQUEST on Ethernet, whose addresses have six octets, that no relay has passed on.
        let mut bytes = vec![1, 1, 6, 0];
        bytes.extend(self.transaction.to_be_bytes());
        bytes.extend(self.seconds.to_be_bytes());
        // Before we have an address, nothing can reach us at it: answers come by broadcast. During a lease they
        // come to us.
        let (broadcast, own) = match self.kind {
            Kind::Renew { address } => (0, address),
            _ => (0x8000_u16, Ipv4Addr::UNSPECIFIED),
        };
        bytes.extend(broadcast.to_be_bytes());
        bytes.extend(own.octets());
        bytes.resize(28, 0);
        bytes.extend(self.hardware);
        bytes.resize(HEADER, 0);
        bytes.extend(COOKIE);
        let kind = if self.kind == Kind::Discover { 1 } else { 3 };
        bytes.extend([option::MESSAGE, 1, kind]);
        if let Kind::Select { address, server } = self.kind {
            bytes.extend([option::REQUESTED, 4]);
            bytes.extend(address.octets());
            bytes.extend([option::SERVER, 4]);
            bytes.extend(server.octets());
        }
        bytes.extend([option::LARGEST, 2]);
        bytes.extend(LARGEST.to_be_bytes());
        let wanted = [
            option::MASK,
            option::ROUTER,
            option::RESOLVERS,
            option::LEASE,
            option::SERVER,
            option::RENEW,
            option::REBIND,
        ];
        bytes.extend([option::WANTED, 7]);
        bytes.extend(wanted);
        bytes.push(option::END);
        bytes.resize(bytes.len().max(SMALLEST), 0);
        bytes
    }

    /// Reads an answer; nothing when it is not one to this request or makes no sense. Anybody on the network may send.
    pub(crate) fn answered(&self, bytes: &[u8]) -> Option<Reply> {
        let ours = bytes.first() == Some(&2)
            && bytes.get(4..8)? == self.transaction.to_be_bytes()
            && bytes.get(28..34)? == self.hardware
            && bytes.get(HEADER..HEADER + 4)? == COOKIE;
        if !ours {
            return None;
        }
        let options = Options(bytes.get(HEADER + 4..)?);
        match options.find(option::MESSAGE)? {
            [2] => Some(Reply::Offer(lease(bytes, options)?)),
            [5] => Some(Reply::Acknowledged(lease(bytes, options)?)),
            [6] => Some(Reply::Refused),
            _ => None,
        }
    }
}

fn lease(bytes: &[u8], options: Options<'_>) -> Option<Lease> {
    let address = Ipv4Addr::from(*bytes.get(16..)?.first_chunk::<4>()?);
    let usable = |address: &Ipv4Addr| {
        !(address.is_unspecified() || address.is_broadcast() || address.is_loopback() || address.is_multicast())
    };
    if !usable(&address) {
        return None;
    }
    let mask = options.find(option::MASK).and_then(|octets| octets.try_into().ok()).map(u32::from_be_bytes);
    // A server that names no mask means a network of 256 addresses; a mask with holes is no mask.
    let mask = mask.unwrap_or(0xffff_ff00);
    let prefix = u8::try_from(mask.leading_ones())
        .ok()
        .filter(|prefix| *prefix > 0 && mask.count_ones() == u32::from(*prefix))?;
    let seconds = |code| options.find(code).and_then(|octets| octets.try_into().ok()).map(u32::from_be_bytes);
    let duration = seconds(option::LEASE)?.max(SHORTEST_LEASE);
    let within = |seconds: Option<u32>, other: u32| seconds.filter(|seconds| *seconds < duration).unwrap_or(other);
    // RFC 2131 §4.4.5: half and seven eighths.
    let renew = within(seconds(option::RENEW), duration / 2);
    let rebind = within(seconds(option::REBIND), duration / 8 * 7).max(renew);
    let time = |seconds: u32| Duration::from_secs(seconds.into());
    Some(Lease {
        address,
        prefix,
        gateway: options.addresses(option::ROUTER).find(usable),
        resolvers: options.addresses(option::RESOLVERS).filter(usable).take(MOST_RESOLVERS).collect(),
        server: options.addresses(option::SERVER).next()?,
        duration: time(duration),
        renew: time(renew),
        rebind: time(rebind),
    })
}

#[derive(Clone, Copy)]
struct Options<'b>(&'b [u8]);

impl<'b> Options<'b> {
    fn find(self, wanted: u8) -> Option<&'b [u8]> {
        let mut rest = self.0;
        loop {
            match rest {
                [option::PAD, tail @ ..] => rest = tail,
                [option::END, ..] => return None,
                [code, length, tail @ ..] => {
                    let (value, next) = tail.split_at_checked(usize::from(*length))?;
                    if *code == wanted {
                        return Some(value);
                    }
                    rest = next;
                }
                _ => return None,
            }
        }
    }

    fn addresses(self, code: u8) -> impl Iterator<Item = Ipv4Addr> + use<'b> {
        let octets = self.find(code).unwrap_or_default();
        octets.chunks_exact(4).filter_map(|four| four.first_chunk::<4>()).map(|four| Ipv4Addr::from(*four))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARDWARE: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

    fn request(kind: Kind) -> Request {
        Request { transaction: 7, hardware: HARDWARE, seconds: 0, kind }
    }

    fn answer(address: [u8; 4], options: &[u8]) -> Vec<u8> {
        let mut bytes = request(Kind::Discover).bytes();
        bytes[0] = 2;
        bytes[16..20].copy_from_slice(&address);
        bytes.truncate(HEADER + 4);
        bytes.extend(options);
        bytes
    }

    #[test]
    fn an_offer_becomes_a_lease() {
        let options = [
            53, 1, 2, 0, 0, 1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 2, 2, 6, 8, 10, 0, 2, 3, 127, 0, 0, 1, 51, 4, 0, 1,
            81, 128, 54, 4, 10, 0, 2, 2, 255,
        ];
        let lease = Lease {
            address: Ipv4Addr::new(10, 0, 2, 15),
            prefix: 24,
            gateway: Some(Ipv4Addr::new(10, 0, 2, 2)),
            resolvers: vec![Ipv4Addr::new(10, 0, 2, 3)],
            server: Ipv4Addr::new(10, 0, 2, 2),
            duration: Duration::from_secs(86400),
            renew: Duration::from_secs(43200),
            rebind: Duration::from_secs(75600),
        };
        let got = request(Kind::Discover).answered(&answer([10, 0, 2, 15], &options));
        assert_eq!(got, Some(Reply::Offer(lease)));
    }

    #[test]
    fn what_makes_no_sense_is_not_heard() {
        let check =
            |bytes: &[u8], expected: Option<Reply>| assert_eq!(request(Kind::Discover).answered(bytes), expected);
        check(b"", None);
        check(&answer([10, 0, 2, 15], &[53, 1, 6, 255]), Some(Reply::Refused));
        let good = [53, 1, 5, 51, 4, 0, 0, 14, 16, 54, 4, 10, 0, 2, 2, 255];
        check(&answer([127, 0, 0, 1], &good), None);
        check(&answer([0, 0, 0, 0], &good), None);
        check(&answer([10, 0, 2, 15], &[53, 9, 5]), None);
        check(
            &answer([10, 0, 2, 15], &[53, 1, 5, 1, 4, 255, 0, 255, 0, 51, 4, 0, 0, 14, 16, 54, 4, 10, 0, 2, 2]),
            None,
        );
        let mut other = answer([10, 0, 2, 15], &good);
        other[7] = 8;
        check(&other, None);
    }

    #[test]
    fn the_messages_carry_what_the_rfc_wants() {
        let (address, server) = (Ipv4Addr::new(10, 0, 2, 15), Ipv4Addr::new(10, 0, 2, 2));
        let check = |kind: Kind, own: [u8; 4], broadcast: u8, code: u8, requested: bool| {
            let bytes = request(kind).bytes();
            let options = Options(&bytes[HEADER + 4..]);
            assert_eq!((&bytes[12..16], bytes[10]), (&own[..], broadcast));
            assert_eq!(options.find(option::MESSAGE), Some(&[code][..]));
            assert_eq!(options.find(option::REQUESTED).is_some(), requested);
            assert_eq!(options.find(option::SERVER).is_some(), requested);
            assert!(bytes.len() >= SMALLEST);
        };
        check(Kind::Discover, [0; 4], 0x80, 1, false);
        check(Kind::Select { address, server }, [0; 4], 0x80, 3, true);
        check(Kind::Renew { address }, [10, 0, 2, 15], 0, 3, false);
    }
}
