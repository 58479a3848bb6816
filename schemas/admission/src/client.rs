//! The verdict of a listener's rules about a client, as the environment that tcpserver would set (tcprules(1)):
//! `RELAYCLIENT`, `DATABYTES`, `RBLSMTPD`.

use postkiln_control::tcprules::Decision;

use crate::Refusal;

/// The permissions and limits of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// `RELAYCLIENT`: it may send to any domain; the text is put after each recipient.
    pub relay: Option<String>,
    /// The largest message in place of `databytes`: `Some(None)` without a limit.
    pub databytes: Option<Option<u64>>,
    /// `RBLSMTPD`: every recipient is answered with this (rblsmtpd(1)).
    pub blocked: Option<Refusal>,
}

impl Client {
    /// `None` for a client that is not served. A `DATABYTES` that is no number leaves the limit as it is.
    #[must_use]
    pub fn new(decision: &Decision) -> Option<Self> {
        if *decision == Decision::Deny {
            return None;
        }
        let number = decision.variable("DATABYTES").and_then(|text| text.parse::<u64>().ok());
        Some(Self {
            relay: decision.variable("RELAYCLIENT").map(ToOwned::to_owned),
            databytes: number.map(|number| (number > 0).then_some(number)),
            blocked: decision.variable("RBLSMTPD").and_then(Refusal::blocked),
        })
    }
}

#[cfg(test)]
mod tests {
    use postkiln_control::tcprules::{compile, lookup, parse};

    use super::*;

    fn check(rules: &str, ip: &str, expected: Option<Client>) {
        let cdb = compile(&parse(rules).unwrap());
        assert_eq!(Client::new(&lookup(&cdb, ip.parse().unwrap(), None)), expected, "{rules:?} {ip}");
    }

    #[test]
    fn the_most_special_rule_alone_says_what_a_client_may() {
        let rules = "10.20.:allow,RELAYCLIENT=\"\"\n10.20.0.9:allow,DATABYTES=\"100\",RBLSMTPD=\"\"\n[2001:db8:0:]:allow,RELAYCLIENT=\"@x\",DATABYTES=\"0\"\n192.0.2.:deny\n:allow\n";
        check(rules, "203.0.113.1", Some(Client::default()));
        check(rules, "10.20.1.1", Some(Client { relay: Some(String::new()), ..Client::default() }));
        check(rules, "10.20.0.9", Some(Client { databytes: Some(Some(100)), ..Client::default() }));
        let unlimited = Client { relay: Some("@x".to_owned()), databytes: Some(None), blocked: None };
        check(rules, "2001:db8::1", Some(unlimited));
        check(rules, "192.0.2.1", None);
    }

    #[test]
    fn blocked_clients_hear_why() {
        let blocked = |variable| Client { blocked: Refusal::blocked(variable), ..Client::default() };
        check(":allow,RBLSMTPD=\"-go away\"\n", "192.0.2.1", Some(blocked("-go away")));
        check(":allow,RBLSMTPD=\"later\"\n", "192.0.2.1", Some(blocked("later")));
        check(":allow,DATABYTES=\"many\"\n", "192.0.2.1", Some(Client::default()));
    }
}
