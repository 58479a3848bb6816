//! The unit in which clients are remembered.

use std::net::IpAddr;

/// The network that stands for a client: its /24, with IPv6 its /64. Large senders try again from a neighbouring
/// machine (RFC 6647 §2.4), and one IPv6 customer has a whole /64.
#[must_use]
pub fn network(client: IpAddr) -> String {
    match client.to_canonical() {
        IpAddr::V4(client) => {
            let [a, b, c, _] = client.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(client) => {
            let [a, b, c, d, ..] = client.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_client() {
        let check = |client: &str, expected: &str| assert_eq!(network(client.parse().unwrap()), expected, "{client}");
        check("192.0.2.77", "192.0.2.0/24");
        check("::ffff:192.0.2.77", "192.0.2.0/24");
        check("2001:db8:1:2:3::4", "2001:db8:1:2::/64");
    }
}
