//! Outcomes of what happens before a session, in qmail-remote's words: names that lead nowhere, hosts that
//! do not answer.

use postkiln_address::Domain;
use postkiln_mail::{Outcome, Status};
use postkiln_smtp::client::harmless;

/// Nobody could be reached.
pub(crate) fn no_connection() -> Outcome {
    Outcome::Deferred(Status(4, 4, 1), "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)".to_owned())
}

/// One address could not be reached.
pub(crate) fn unreachable(address: &str, problem: &str) -> Outcome {
    let text = format!("Sorry, I wasn't able to establish an SMTP connection to {address}: {problem}. (#4.4.1)");
    Outcome::Deferred(Status(4, 4, 1), text)
}

/// The best route leads back to us.
pub(crate) fn our_own() -> Outcome {
    let text =
        "Sorry. Although I'm listed as a best-preference MX or A for that host, it isn't one of my domains. (#5.4.6)";
    Outcome::Bounced(Status(5, 4, 6), text.to_owned())
}

/// The name does not exist.
pub(crate) fn no_host(name: &str) -> Outcome {
    Outcome::Bounced(Status(5, 1, 2), format!("Sorry, I couldn't find any host named {name}. (#5.1.2)"))
}

/// The name could not be looked up.
pub(crate) fn no_lookup(name: &str, problem: &str) -> Outcome {
    let text = format!("Sorry, I couldn't look up {name} just now: {}. (#4.4.3)", harmless(problem));
    Outcome::Deferred(Status(4, 4, 3), text)
}

/// The domain says that it takes no mail (RFC 7505 §4.1).
pub(crate) fn null_mx(domain: &Domain) -> Outcome {
    Outcome::Bounced(Status(5, 1, 10), format!("Sorry, {domain} accepts no mail (null MX). (#5.1.10)"))
}
