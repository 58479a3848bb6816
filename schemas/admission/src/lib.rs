//! Who may send what to whom: the control files that decide it, in their order, and the words of each refusal.
//! Pure: knows no reply codes, no sockets and no mailboxes; whether an address exists the walk says in between.
//! Start at [`Policy`].

mod client;
mod refusal;

use std::io;

use postkiln_address::{Address, Domain, LocalPart, ReversePath};
use postkiln_control::{Badmailfrom, Badrcptto, ControlFile, Morercpthosts, Rcpthosts, ReadError};

pub use client::Client;
pub use refusal::{Cause, Refusal};

/// The files that admission is decided by.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Senders that are refused.
    pub bad_senders: Badmailfrom,
    /// Recipients that are refused, whoever writes.
    pub bad_recipients: Badrcptto,
    /// Domains that strangers may write to.
    pub hosts: Rcpthosts,
    /// The rest of those.
    pub more_hosts: Morercpthosts,
}

/// One recipient of a message that a client wants to hand over.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The verdict of the listener's rules about the client.
    pub client: &'a Client,
    /// Somebody of ours has logged in.
    pub has_login: bool,
    /// The reverse path of the message.
    pub sender: &'a ReversePath,
    /// The forward path of this recipient.
    pub recipient: &'a Address,
}

impl Policy {
    /// Reads the files through a look-up from name to content.
    ///
    /// # Errors
    /// When the look-up fails, or a file is malformed.
    pub fn read(mut get: impl FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        Ok(Self {
            bad_senders: Badmailfrom::read(&mut get)?,
            bad_recipients: Badrcptto::read(&mut get)?,
            hosts: Rcpthosts::read(&mut get)?,
            more_hosts: Morercpthosts::read(&mut get)?,
        })
    }

    /// Judges a recipient before anybody looks for the recipient. Gives the recipient as it goes on: `RELAYCLIENT`'s
    /// value is put behind it.
    ///
    /// # Errors
    /// When it is refused: for its sender first, for its client then, for itself last.
    pub fn before(&self, candidate: &Candidate<'_>) -> Result<Address, Refusal> {
        // The sender is judged at each recipient, as qmail does, so that the log shows for whom the mail was.
        if self.bad_senders.refuses(candidate.sender) {
            return Err(Refusal::of(Cause::BadSender));
        }
        let suffix = candidate.client.relay.as_deref();
        let recipient = with_suffix(candidate.recipient, suffix).ok_or_else(|| Refusal::of(Cause::NotRelayed))?;
        if let Some(blocked) = &candidate.client.blocked {
            return Err(blocked.clone());
        }
        if self.is_bad(&recipient) {
            return Err(Refusal::of(Cause::BadRecipient));
        }
        Ok(recipient)
    }

    /// Judges, last, a recipient that the walk did not refuse: one of ours, or one of others.
    ///
    /// # Errors
    /// When the client may send to our own domains only, and this is none of them.
    pub fn after(&self, candidate: &Candidate<'_>, recipient: &Address) -> Result<(), Refusal> {
        // Strangers' mail is taken for the domains of these files only, whatever the user database says; and also for a
        // domain that lives elsewhere (a secondary MX).
        if self.is_open(recipient.domain()) || candidate.may_relay() {
            return Ok(());
        }
        Err(Refusal::of(Cause::NotListed))
    }

    /// Whether nobody may write to an address.
    #[must_use]
    pub fn is_bad(&self, recipient: &Address) -> bool {
        self.bad_recipients.refuses(recipient)
    }

    /// Whether strangers may write to addresses of a domain.
    #[must_use]
    pub fn is_open(&self, domain: &Domain) -> bool {
        self.hosts.allows(domain) || self.more_hosts.allows(domain)
    }
}

impl Candidate<'_> {
    /// Whether the client may send to domains that are not ours: it is no stranger.
    #[must_use]
    pub const fn may_relay(&self) -> bool {
        self.has_login || self.client.relay.is_some()
    }
}

/// qmail appends the value of `RELAYCLIENT` to every recipient. With a value like `@gateway` the old address becomes
/// the local part.
fn with_suffix(address: &Address, suffix: Option<&str>) -> Option<Address> {
    let suffix = match suffix {
        None | Some("") => return Some(address.clone()),
        Some(suffix) => suffix,
    };
    let text = format!("{}@{}{suffix}", address.local().as_str(), address.domain());
    let (local, domain) = text.rsplit_once('@')?;
    Some(Address::new(LocalPart::new(local).ok()?, domain.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let file = |name: &str| match name {
            "badmailfrom" => Some("spam@bad.example\n@worse.example\n"),
            "badrcptto" => Some("former@example.org\n"),
            "rcpthosts" => Some("example.org\nsecondary.example\n"),
            "morercpthosts" => Some(".more.example\n"),
            _ => None,
        };
        Policy::read(|name| Ok(file(name).map(|text| text.as_bytes().to_vec()))).unwrap()
    }

    /// The result of both steps for a recipient that the walk does not refuse.
    fn judge(client: &Client, has_login: bool, sender: &str, recipient: &str) -> Result<String, Cause> {
        let (sender, recipient) = (sender.parse().unwrap(), recipient.parse().unwrap());
        let candidate = Candidate { client, has_login, sender: &sender, recipient: &recipient };
        let recipient = policy().before(&candidate).map_err(|refusal| refusal.cause)?;
        policy().after(&candidate, &recipient).map_err(|refusal| refusal.cause)?;
        Ok(recipient.to_string())
    }

    #[test]
    fn strangers_send_to_listed_domains() {
        let check = |from, to, refused: Option<Cause>| {
            let judged = judge(&Client::default(), false, from, to);
            assert_eq!(judged.err(), refused, "{from} to {to}");
        };
        check("a@x.example", "ada@example.org", None);
        check("", "ada@b.more.example", None);
        check("a@x.example", "bo@secondary.example", None);
        check("a@x.example", "bo@third.example", Some(Cause::NotListed));
        check("SPAM@bad.example", "ada@example.org", Some(Cause::BadSender));
        check("x@worse.example", "former@example.org", Some(Cause::BadSender));
        check("a@x.example", "Former@example.org", Some(Cause::BadRecipient));
    }

    #[test]
    fn who_may_relay_sends_anywhere_and_is_judged_all_the_same() {
        let relay = |suffix: &str| Client { relay: Some(suffix.to_owned()), ..Client::default() };
        let check = |client: &Client, has_login, from, expected: Result<&str, Cause>| {
            let judged = judge(client, has_login, from, "bo@third.example");
            assert_eq!(judged.as_deref().map_err(|cause| *cause), expected, "{client:?} {from}");
        };
        check(&Client::default(), true, "a@x.example", Ok("bo@third.example"));
        check(&relay(""), false, "a@x.example", Ok("bo@third.example"));
        check(&relay("@gateway.example"), false, "a@x.example", Ok("\"bo@third.example\"@gateway.example"));
        check(&relay("@"), false, "a@x.example", Err(Cause::NotRelayed));
        check(&relay(""), true, "spam@bad.example", Err(Cause::BadSender));
    }

    #[test]
    fn blocked_clients_hear_why_before_their_recipients_are_judged() {
        let blocked = Refusal::blocked("-go away").unwrap();
        let client = Client { blocked: Some(blocked.clone()), ..Client::default() };
        let (sender, recipient) = ("a@x.example".parse().unwrap(), "former@example.org".parse().unwrap());
        let candidate = Candidate { client: &client, has_login: false, sender: &sender, recipient: &recipient };
        assert_eq!(policy().before(&candidate), Err(blocked));
    }

    #[test]
    fn relayclient_is_appended() {
        let check = |suffix, expected: Option<&str>| {
            let address = "ada@example.org".parse().unwrap();
            assert_eq!(with_suffix(&address, suffix).map(|a| a.to_string()).as_deref(), expected, "{suffix:?}");
        };
        check(None, Some("ada@example.org"));
        check(Some(""), Some("ada@example.org"));
        check(Some(".relay.example"), Some("ada@example.org.relay.example"));
        check(Some("@relay"), Some("\"ada@example.org\"@relay"));
        check(Some("@"), None);
    }
}
