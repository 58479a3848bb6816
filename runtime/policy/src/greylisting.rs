//! Greylisting (RFC 6647): a stranger's recipient is refused for now, and taken when the stranger comes again after a
//! while, as servers do and most spam does not. Whoever came again is known from then on, for all recipients; a network
//! of which several senders came again is not asked any more.

use postkiln_address::ReversePath;
use postkiln_control::{self as control, ControlFile, Delays, ReadError};
use postkiln_mail::Status;

use crate::{Attempt, Check, Get, Judgement, Record, Verdict, network};

/// The check with the site's delays.
#[derive(Debug)]
struct Greylisting(Delays);

/// Makes the check.
pub(crate) fn make(get: &mut Get<'_>) -> Result<Option<Box<dyn Check>>, ReadError> {
    let delays = control::Greylisting::read(get)?.0;
    Ok(delays.map(|delays| Box::new(Greylisting(delays)) as Box<dyn Check>))
}

impl Check for Greylisting {
    fn name(&self) -> &'static str {
        "greylisting"
    }

    /// The network, the sender from there, and the recipient of that sender.
    fn keys(&self, attempt: &Attempt<'_>) -> Vec<String> {
        let network = network(attempt.client);
        let sender = format!("{network} {}", sender(attempt.sender));
        let recipient = format!("{sender} {}", attempt.recipient.key());
        vec![network, sender, recipient]
    }

    fn judge(&self, attempt: &Attempt<'_>, known: &[Option<Record>], now: u64) -> Judgement {
        let &[network, sender, recipient] = known else { return self.not_yet(Vec::new()) };
        let keys = self.keys(attempt);
        let is_trusted = network.is_some_and(|network| network.count >= TRUSTED);
        match recipient {
            _ if is_trusted || sender.is_some() => {
                // A known sender is known for longer; the network does not count it twice.
                let seen = keys.into_iter().zip([network, sender]).filter_map(|(key, record)| Some((key, record?)));
                Judgement {
                    verdict: Verdict::Pass,
                    remember: seen.map(|(key, it)| (key, self.seen(it, 0, now))).collect(),
                }
            }
            Some(first) if first.first.saturating_add(self.0.delay) <= now => {
                let new = Record { first: now, last: now, count: 0, expires: now };
                let came = [network, None].map(|record| self.seen(record.unwrap_or(new), 1, now));
                Judgement { verdict: Verdict::Pass, remember: keys.into_iter().zip(came).collect() }
            }
            Some(_) => self.not_yet(Vec::new()),
            None => {
                let first = Record { first: now, last: now, count: 0, expires: now.saturating_add(self.0.window) };
                self.not_yet(keys.into_iter().skip(2).map(|key| (key, first)).collect())
            }
        }
    }
}

impl Greylisting {
    fn not_yet(&self, remember: Vec<(String, Record)>) -> Judgement {
        let text = format!("greylisted, try again in {} seconds (#4.7.1)", self.0.delay);
        Judgement { verdict: Verdict::Refuse(Status(4, 7, 1), text), remember }
    }

    fn seen(&self, record: Record, more: u64, now: u64) -> Record {
        let expires = now.saturating_add(self.0.remember);
        Record { last: now, count: record.count.saturating_add(more), expires, ..record }
    }
}

/// The sender as it is remembered: without a detail behind `+`, and with the numbers that lists put into their senders
/// (VERP) made equal.
fn sender(path: &ReversePath) -> String {
    let Some(address) = path.address() else { return format!("<{path}>") };
    let key = address.key();
    let (local, domain) = key.rsplit_once('@').unwrap_or((&key, ""));
    let local = local.split('+').next().unwrap_or_default();
    let mut same = String::new();
    for c in local.chars() {
        match c {
            '0'..='9' if same.ends_with('#') => {}
            '0'..='9' => same.push('#'),
            c => same.push(c),
        }
    }
    format!("{same}@{domain}")
}

/// Senders of one network that came again until the network is trusted: postgrey's number.
const TRUSTED: u64 = 5;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A memory as `policyd` keeps it.
    #[derive(Default)]
    struct Memory(BTreeMap<String, Record>);

    impl Memory {
        /// Whether an attempt of `client` from `sender` passes at `now`: delay 300 s, window 1000 s, remembered
        /// for 5000 s.
        fn passes(&mut self, client: &str, sender: &str, recipient: &str, now: u64) -> bool {
            let check = Greylisting(Delays { delay: 300, window: 1000, remember: 5000 });
            let (sender, recipient) = (sender.parse().unwrap(), recipient.parse().unwrap());
            let attempt = Attempt { client: client.parse().unwrap(), sender: &sender, recipient: &recipient };
            let live = |key: &String| self.0.get(key).copied().filter(|record| record.expires > now);
            let known: Vec<_> = check.keys(&attempt).iter().map(live).collect();
            let judgement = check.judge(&attempt, &known, now);
            self.0.extend(judgement.remember);
            judgement.verdict == Verdict::Pass
        }
    }

    const CLIENT: &str = "192.0.2.1";
    const SENDER: &str = "bob@elsewhere.example";
    const ADA: &str = "ada@example.org";

    #[test]
    fn a_stranger_waits_and_is_known_when_it_comes_again() {
        let mut memory = Memory::default();
        assert!(!memory.passes(CLIENT, SENDER, ADA, 0));
        assert!(!memory.passes(CLIENT, SENDER, ADA, 299), "too early; the first attempt counts");
        assert!(memory.passes("192.0.2.77", "Bob@elsewhere.example", "Ada@example.org", 300), "from a neighbour");
        assert!(memory.passes(CLIENT, SENDER, ADA, 301));
        assert!(memory.passes(CLIENT, SENDER, "grace@example.org", 5_300), "known, for others too");
        assert!(memory.passes(CLIENT, SENDER, ADA, 10_000), "and longer for being seen");
        assert!(!memory.passes(CLIENT, SENDER, ADA, 15_001), "forgotten");
    }

    #[test]
    fn others_are_strangers_still() {
        let mut memory = Memory::default();
        for now in [0, 300] {
            let _ = memory.passes(CLIENT, SENDER, ADA, now);
        }
        assert!(!memory.passes("198.51.100.1", SENDER, ADA, 400), "another network");
        assert!(!memory.passes(CLIENT, "eve@elsewhere.example", ADA, 400), "another sender");
        assert!(!memory.passes(CLIENT, "", ADA, 400), "a notice");
        assert!(memory.passes(CLIENT, "", ADA, 700));
    }

    #[test]
    fn whoever_comes_again_too_late_begins_anew() {
        let mut memory = Memory::default();
        assert!(!memory.passes(CLIENT, SENDER, ADA, 0));
        assert!(!memory.passes(CLIENT, SENDER, ADA, 1000));
        assert!(memory.passes(CLIENT, SENDER, ADA, 1300));
    }

    #[test]
    fn a_network_is_trusted_once_five_of_its_senders_came_again() {
        let mut memory = Memory::default();
        for sender in ["a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example"] {
            assert!(!memory.passes(CLIENT, sender, ADA, 0));
        }
        for sender in ["a@x.example", "a@x.example", "b@x.example", "c@x.example", "d@x.example"] {
            assert!(memory.passes(CLIENT, sender, ADA, 300));
        }
        assert!(!memory.passes(CLIENT, "f@x.example", ADA, 300), "four different ones");
        assert!(memory.passes(CLIENT, "e@x.example", ADA, 300));
        assert!(memory.passes(CLIENT, "g@x.example", ADA, 300));
    }

    #[test]
    fn numbers_and_details_of_senders_make_no_difference() {
        let check = |path: &str, expected: &str| assert_eq!(sender(&path.parse().unwrap()), expected, "{path}");
        check("List-return-4711-ada=example.org@lists.example", "list-return-#-ada=example.org@lists.example");
        check("bob+4711@elsewhere.example", "bob@elsewhere.example");
        check("", "<>");
    }
}
