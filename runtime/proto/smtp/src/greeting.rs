//! HELO and EHLO (RFC 5321 §4.1.1.1).

use crate::context::{Context, Hello};
use crate::state::State;

/// `helo = "HELO" SP Domain CRLF`; ends a transaction (§4.1.4).
pub(crate) fn helo(context: &mut Context, name: String) -> State {
    context.say(&format!("250 {}", context.config.hostname));
    context.hello = Some(Hello { name, extended: false });
    State::Idle
}

/// `ehlo = "EHLO" SP ( Domain / address-literal ) CRLF`; ends a transaction (§4.1.4).
pub(crate) fn ehlo(context: &mut Context, name: String) -> State {
    let mut keywords = vec!["PIPELINING".to_owned(), "8BITMIME".to_owned(), "ENHANCEDSTATUSCODES".to_owned()];
    if context.offers_starttls() {
        keywords.push("STARTTLS".to_owned());
    }
    if context.offers_auth() {
        keywords.push("AUTH PLAIN LOGIN".to_owned());
    }
    let mut reply = format!("250-{}\r\n", context.config.hostname);
    for keyword in keywords {
        reply.push_str(&format!("250-{keyword}\r\n"));
    }
    // RFC 1870 §3: 0 says that there is no fixed limit.
    reply.push_str(&format!("250 SIZE {}", context.config.limits.databytes.unwrap_or(0)));
    context.say(&reply);
    context.hello = Some(Hello { name, extended: true });
    State::Idle
}
