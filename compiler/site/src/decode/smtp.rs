//! `smtp`: sizes, rates, networks, lists, routes, smarthost.

use std::collections::BTreeMap;

use postkiln_address::Domain;
use postkiln_control::{AddressPattern, ControlFile, Delays, Greylisting, HostPattern, KeyDigest, Relay, RelayHost};

use crate::answer::Value;
use crate::decode::declared::insert_once;
use crate::decode::fields::Fields;
use crate::decode::meant::Name;
use crate::decode::walker::{At, Walker};
use crate::decode::{quantity, tcp_clients};
use crate::{Decide, Dnsbl, Placed, Rates, Smarthost, Smtp, SmtpListener, SmtpNetwork, codes};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Smtp> {
    let fields = walker.fields(at, "smtp", FIELDS)?;
    let size = fields.defaulted("size").and_then(|at| quantity::octets(walker, &at));
    let recipients = fields.defaulted("recipients").and_then(|at| walker.number(&at, 1, 100_000));
    let connections = fields.defaulted("connections").and_then(|at| walker.number(&at, 1, 10_000));
    let greeting = fields.optional("greeting", |at| walker.line(at, "a greeting"));
    let helo = fields.optional("helo", |at| walker.domain(at));
    let rates = fields.defaulted("rates").and_then(|at| rates(walker, &at));
    let networks = list(walker, &fields, "networks", network);
    let dnsbl = list(walker, &fields, "dnsbl", dnsbl);
    let greylisting = fields.optional("greylisting", |at| greylisting(walker, at));
    let bad_senders = list(walker, &fields, "bad_senders", |walker, at| {
        walker.parsed(at, "a sender", Some(BAD), str::parse::<AddressPattern>)
    });
    let bad_recipients = list(walker, &fields, "bad_recipients", |walker, at| {
        walker.parsed(at, "a recipient", Some(BAD), str::parse::<AddressPattern>)
    });
    let routes = fields.defaulted("routes").and_then(|at| routes(walker, &at));
    let smarthost = fields.optional("smarthost", |at| smarthost(walker, at));
    let lifetime = fields.defaulted("retry").and_then(|at| {
        let fields = walker.fields(&at, "retry", &["lifetime"])?;
        fields.defaulted("lifetime").and_then(|at| quantity::seconds(walker, &at))
    });
    Some(Smtp {
        size: size?,
        recipients: recipients?,
        connections: connections?,
        greeting: greeting?,
        helo: helo?,
        rates: rates?,
        networks: networks?,
        dnsbl: dnsbl?,
        greylisting: greylisting?,
        bad_senders: bad_senders?,
        bad_recipients: bad_recipients?,
        routes: routes?,
        smarthost: smarthost?,
        lifetime: lifetime?,
    })
}

/// A list with a default; every element is decoded, even when others are wrong.
fn list<'a, T>(
    walker: &'a Walker<'_>,
    fields: &Fields<'a>,
    name: &'static str,
    one: impl Fn(&Walker<'_>, &At<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let found: Vec<_> = walker.list(&fields.defaulted(name)?, name)?.iter().map(|item| one(walker, item)).collect();
    found.into_iter().collect()
}

fn rates(walker: &Walker<'_>, at: &At<'_>) -> Option<Rates> {
    let known = &["connections_per_minute", "messages_per_hour", "recipients_per_hour"];
    let fields = walker.fields(at, "rates", known)?;
    let rate = |name| fields.optional(name, |at| walker.number(at, 1, 1_000_000));
    let (connections, messages, recipients) =
        (rate("connections_per_minute"), rate("messages_per_hour"), rate("recipients_per_hour"));
    Some(Rates { connections_per_minute: connections?, messages_per_hour: messages?, recipients_per_hour: recipients? })
}

fn network(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<SmtpNetwork>> {
    let known = &["from", "listener", "decide", "relay", "size", "dnsbl"];
    let fields = walker.fields(at, "a network", known)?;
    let from = fields.required("from").and_then(|at| {
        let hint = "write 192.0.2.0/24, 2001:db8::/48, tcprules' `10.1.`, or `=host.example.org`";
        walker.parsed(&at, "a network", Some(hint), tcp_clients::parse)
    });
    let listeners =
        [("smtp", SmtpListener::Smtp), ("submission", SmtpListener::Submission), ("all", SmtpListener::All)];
    let listener = fields.defaulted("listener").and_then(|at| walker.tag(&at, &listeners));
    let decide = fields.defaulted("decide").and_then(|at| decide(walker, &at));
    let relay = fields.optional("relay", |at| {
        let value = walker.boolean(at)?;
        Some(at.is_written.then(|| at.placed(value)))
    });
    let size = fields.optional("size", |at| quantity::octets(walker, at));
    let dnsbl = fields.defaulted("dnsbl").and_then(|at| Some(at.placed(walker.boolean(&at)?)));
    let network = SmtpNetwork {
        from: from?,
        listener: listener?.value,
        decide: decide?,
        relay: relay?.flatten(),
        size: size?,
        dnsbl: dnsbl?,
    };
    Some(at.placed(network))
}

fn decide(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Decide>> {
    let (tag, why) = match &at.node.value {
        Value::Tag(tag, Some(why)) => (tag, why),
        Value::Tag(tag, None) if tag == "refuse" || tag == "defer" => {
            walker.mistyped(at, &format!("a text after '{tag}"), Some(&format!("write '{tag} \"why\"")));
            return None;
        }
        _ => {
            let deny = walker.tag(at, &[("allow", false), ("deny", true), ("refuse", false), ("defer", false)])?;
            return Some(at.placed(if deny.value { Decide::Deny } else { Decide::Allow }));
        }
    };
    let text = walker.line(&At { node: why, ..at.clone() }, "the text of a refusal")?.value;
    // rblsmtpd cuts the text at 200 octets.
    if text.is_empty() || text.len() > 200 || !text.is_ascii() || text.starts_with('-') {
        let hint = "1 to 200 ASCII characters, not beginning with a hyphen";
        walker.report(codes::VALUE, "not the text of a refusal", &at.place, Some(hint));
        return None;
    }
    match tag.as_str() {
        "refuse" => Some(at.placed(Decide::Refuse(text))),
        "defer" => Some(at.placed(Decide::Defer(text))),
        _ => {
            walker.mistyped(at, "'allow, 'deny, 'refuse \"why\" or 'defer \"why\"", None);
            None
        }
    }
}

fn dnsbl(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Dnsbl>> {
    let fields = walker.fields(at, "a list of bad clients", &["zone", "on_failure"])?;
    let zone = fields.required("zone").and_then(|at| walker.domain(&at));
    let defer = fields.defaulted("on_failure").and_then(|at| walker.tag(&at, &[("accept", false), ("defer", true)]));
    Some(at.placed(Dnsbl { zone: zone?.value, defer_on_failure: defer?.value }))
}

fn greylisting(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Delays>> {
    let fields = walker.fields(at, "greylisting", &["delay", "retry_within", "remember"])?;
    let seconds = |name| fields.defaulted(name).and_then(|at| quantity::seconds(walker, &at));
    let (delay, window, remember) = (seconds("delay"), seconds("retry_within"), seconds("remember"));
    let delays = Delays { delay: delay?.value, window: window?.value, remember: remember?.value };
    // The file's own reader knows which times go together.
    if Greylisting::parse(Greylisting(Some(delays)).print().as_bytes()).is_err() {
        let problem = "`delay` must be shorter than `retry_within`, and none of the times 0 or longer than a year";
        walker.report(codes::VALUE, problem, &at.place, None);
        return None;
    }
    Some(at.placed(delays))
}

fn routes(walker: &Walker<'_>, at: &At<'_>) -> Option<BTreeMap<HostPattern, Placed<Option<Relay>>>> {
    let mut routes = BTreeMap::new();
    let mut complete = true;
    for named in walker.entries(at, "routes by domain")? {
        let hint = "a domain, or `.example.com` for the names below it; for everything there is `smarthost`";
        let pattern = walker.domain_name::<HostPattern>(&named, Some(hint));
        match (pattern, relay(walker, &named.value)) {
            (Some(pattern), Some(relay)) => insert_once(walker, &mut routes, pattern, relay),
            _ => complete = false,
        }
    }
    complete.then_some(routes)
}

fn relay(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Option<Relay>>> {
    if matches!(at.node.value, Value::Tag(..)) {
        return walker.tag(at, &[("mx", ())]).map(|_| at.placed(None));
    }
    let hint = "write a host, `host:port` or an address, or 'mx for no route";
    walker.parsed(at, Name("a relay"), Some(hint), str::parse::<Relay>).map(|relay| at.placed(Some(relay.value)))
}

fn smarthost(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Smarthost>> {
    let fields = walker.fields(at, "a smarthost", &["host", "port", "user", "password", "spki_sha256"])?;
    let host = fields.required("host").and_then(|at| {
        walker.parsed(&at, Name("a host"), Some("a name or an address; the port has a field of its own"), relay_host)
    });
    let port = fields.defaulted("port").and_then(|at| walker.number(&at, 1, 65_535));
    let user = fields.optional("user", |at| walker.line(at, "a login"));
    let password = fields.optional("password", |at| walker.secret(at, "the smarthost"));
    let key = fields.optional("spki_sha256", |at| {
        let hint = "of a certificate: openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum";
        walker.parsed(at, "a digest", Some(hint), str::parse::<KeyDigest>)
    });
    let (user, password) = (user?, password?);
    if user.is_some() != password.is_some() {
        let (present, missing) = if user.is_some() { ("user", "password") } else { ("password", "user") };
        let hint = format!("a login needs both: add `{missing}`, or take `{present}` away");
        walker.report(
            codes::HALF_LOGIN,
            format!("the smarthost has a {present} and no {missing}"),
            &at.place,
            Some(&hint),
        );
        return None;
    }
    let key = key?;
    if let (None, Some(key)) = (&user, &key) {
        let hint = "add `user` and `password`, or take `spki_sha256` away: without a login the server may be anybody";
        walker.report(codes::HALF_LOGIN, "the smarthost has a key and no login", &key.place, Some(hint));
        return None;
    }
    let port = u16::try_from(port?.value).ok()?;
    Some(at.placed(Smarthost { relay: Relay { host: host?.value, port }, user, password, key }))
}

fn relay_host(text: &str) -> Result<RelayHost, postkiln_address::AddressError> {
    text.parse().map_or_else(|_| text.parse::<Domain>().map(RelayHost::Name), |address| Ok(RelayHost::Address(address)))
}

const BAD: &str = "write `user@example.com`, or `@example.com` for everybody there";

const FIELDS: &[&str] = &[
    "size",
    "recipients",
    "connections",
    "greeting",
    "helo",
    "rates",
    "networks",
    "dnsbl",
    "greylisting",
    "bad_senders",
    "bad_recipients",
    "routes",
    "smarthost",
    "retry",
];
