//! A static list (ezmlm-send with the members in the bundle): who may post, which header the copies have, one message to
//! all members.
//!
//! There are no command addresses and no bounce handling yet: copies are sent by `LIST-owner@domain` if that address exists, else
//! by the domain's postmaster, so that failures reach a person.

use postkiln_address::{Address, LocalPart, ReversePath};
use postkiln_ipc::directory;
use postkiln_mail::{Envelope, Outcome, Status, header};
use serde::Deserialize;

use super::original::Original;
use super::submit::{Rest, submit};
use super::{Config, Tools, looping, route, trouble};

/// `list.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    members: Vec<Address>,
    post: Posting,
    moderators: Vec<Address>,
    prefix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Posting {
    Anyone,
    Members,
    Moderators,
}

/// Sends a post to the members, or refuses it.
///
/// # Errors
/// The outcome that ends the delivery.
pub(super) async fn post(
    config: &Config,
    tools: &Tools,
    original: &Original,
    list: &directory::List,
) -> Result<(), Outcome> {
    let path = format!("lists/{}/list.json", list.directory);
    let settings = read(config, &path).map_err(|problem| trouble(&format!("{path}: {problem}")))?;
    match verdict(&settings, &list.address, original) {
        Verdict::Refuse(outcome) => return Err(outcome),
        Verdict::Ignore(reason) => {
            postkiln_log::info(
                "list_ignored",
                &[("queue", &original.request.id), ("list", &list.address), ("reason", &reason)],
            );
            return Ok(());
        }
        Verdict::Send => {}
    }
    if settings.members.is_empty() {
        return Ok(());
    }
    let owner = owner(tools, &list.address).await?;
    let head = header_of_copy(original.header(), &list.address, &owner, settings.prefix.as_deref());
    let envelope = Envelope { sender: ReversePath::Address(owner), recipients: settings.members };
    let id = submit(tools, envelope, &head, Rest::Body(original)).await?;
    postkiln_log::info("list", &[("queue", &original.request.id), ("list", &list.address), ("post", &id)]);
    Ok(())
}

fn read(config: &Config, path: &str) -> Result<List, String> {
    let bytes = config.bundle.read(path).map_err(|error| error.to_string())?.ok_or("is missing")?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Send,
    /// Dropped with a log line: a refusal would be one more automatic message.
    Ignore(&'static str),
    Refuse(Outcome),
}

fn verdict(list: &List, address: &Address, original: &Original) -> Verdict {
    if header::is_delivered_to(original.header(), &format!("mailing list {address}")) {
        return Verdict::Refuse(looping());
    }
    if original.has("Mailing-List") {
        let text = "This message already has a Mailing-List header: it has been on a list before. (#5.7.2)";
        return Verdict::Refuse(Outcome::Bounced(Status(5, 7, 2), text.to_owned()));
    }
    if original.request.sender.address().is_none() {
        return Verdict::Ignore("a notice");
    }
    if original.has_precedence(&["junk", "bulk"]) {
        return Verdict::Ignore("precedence");
    }
    let (who, allowed) = match list.post {
        Posting::Anyone => return Verdict::Send,
        Posting::Members => ("subscribers", &list.members),
        Posting::Moderators => ("moderators", &list.moderators),
    };
    let allows = |poster: &Address| allowed.iter().any(|one| one.key() == poster.key());
    if original.request.sender.address().is_some_and(allows) || author(original).as_ref().is_some_and(allows) {
        return Verdict::Send;
    }
    Verdict::Refuse(Outcome::Bounced(Status(5, 7, 2), format!("Sorry, only {who} may post. (#5.7.2)")))
}

/// The address in From: services that send for people put themselves into the envelope.
fn author(original: &Original) -> Option<Address> {
    let from = original.field("From")?;
    let address = match from.rsplit_once('<') {
        Some((_, rest)) => rest.split_once('>')?.0,
        None => from.as_str(),
    };
    address.trim().parse().ok()
}

/// Who stands for the list as sender and contact.
async fn owner(tools: &Tools, list: &Address) -> Result<Address, Outcome> {
    if let Ok(local) = LocalPart::new(&format!("{}-owner", list.local().as_str())) {
        let owner = Address::new(local, list.domain().clone());
        match route(tools, &owner).await {
            Ok(_) => return Ok(owner),
            Err(Outcome::Bounced(..)) => {}
            Err(outcome) => return Err(outcome),
        }
    }
    let postmaster = LocalPart::new("postmaster").map_err(|error| trouble(&error.to_string()))?;
    Ok(Address::new(postmaster, list.domain().clone()))
}

/// The copies' header: ours, then what may stay of the original.
fn header_of_copy(original: &[u8], list: &Address, owner: &Address, prefix: Option<&str>) -> Vec<u8> {
    let name = list.local().as_str().replace(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'), "-");
    let mut head = format!(
        "Mailing-List: contact {owner}; run by postkiln\n\
         List-Id: <{name}.{}>\n\
         List-Post: <mailto:{list}>\n\
         List-Owner: <mailto:{owner}>\n\
         List-Unsubscribe: <mailto:{owner}?subject=unsubscribe>\n\
         Precedence: bulk\n\
         Delivered-To: mailing list {list}\n",
        list.domain(),
    )
    .into_bytes();
    let prefix = prefix.map(bracketed);
    let mut has_subject = false;
    for field in header::fields(original) {
        if REMOVED.iter().any(|name| field.is(name)) {
            continue;
        }
        match &prefix {
            Some(prefix) if field.is("Subject") && !has_subject => {
                has_subject = true;
                head.extend_from_slice(&prefixed(field, prefix));
            }
            _ => head.extend_from_slice(field.raw),
        }
    }
    if let (Some(prefix), false) = (&prefix, has_subject) {
        head.extend_from_slice(format!("Subject: {prefix}\n").as_bytes());
    }
    head
}

/// `announce` and `[announce]` mean the same.
fn bracketed(prefix: &str) -> String {
    if prefix.starts_with('[') { prefix.to_owned() } else { format!("[{prefix}]") }
}

/// Once: an answer to a post has it already.
fn prefixed(field: header::Field<'_>, prefix: &str) -> Vec<u8> {
    if field.text().to_ascii_lowercase().contains(&prefix.to_ascii_lowercase()) {
        return field.raw.to_vec();
    }
    let body = field.body.strip_prefix(b" ").unwrap_or(field.body);
    [b"Subject: ", prefix.as_bytes(), b" ", body, b"\n"].concat()
}

/// ezmlm's `headerremove`, and what this list says itself.
const REMOVED: [&str; 14] = [
    "Return-Path",
    "Return-Receipt-To",
    "Disposition-Notification-To",
    "Content-Length",
    "Precedence",
    "X-Confirm-Reading-To",
    "X-Pmrqc",
    "List-Id",
    "List-Post",
    "List-Owner",
    "List-Help",
    "List-Archive",
    "List-Subscribe",
    "List-Unsubscribe",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::tests::original;

    fn list(post: Posting) -> List {
        let address = |text: &str| text.parse::<Address>().unwrap();
        List {
            members: vec![address("ada@example.org"), address("Grace@example.org")],
            post,
            moderators: vec![address("joan@example.org")],
            prefix: None,
        }
    }

    fn check(post: Posting, sender: &str, message: &str, expected: &str) {
        let original = original(sender, "l@example.org", message);
        let verdict = match verdict(&list(post), &"l@example.org".parse().unwrap(), &original) {
            Verdict::Send => "send".to_owned(),
            Verdict::Ignore(reason) => format!("ignore {reason}"),
            Verdict::Refuse(Outcome::Bounced(status, _)) => format!("refuse {status}"),
            Verdict::Refuse(other) => format!("{other:?}"),
        };
        assert_eq!(verdict, expected, "{post:?} {sender} {message:?}");
    }

    #[test]
    fn who_may_post() {
        check(Posting::Anyone, "x@elsewhere.example", "\n", "send");
        check(Posting::Members, "grace@example.org", "\n", "send");
        check(Posting::Members, "x@elsewhere.example", "From: Ada <ADA@example.org>\n\n", "send");
        check(Posting::Members, "x@elsewhere.example", "From: ada@example.com\n\n", "refuse 5.7.2");
        check(Posting::Moderators, "ada@example.org", "\n", "refuse 5.7.2");
        check(Posting::Moderators, "joan@example.org", "\n", "send");
        check(Posting::Anyone, "", "\n", "ignore a notice");
        check(Posting::Anyone, "x@elsewhere.example", "Precedence: Junk\n\n", "ignore precedence");
        check(Posting::Anyone, "x@elsewhere.example", "Mailing-List: x\n\n", "refuse 5.7.2");
        check(Posting::Anyone, "x@elsewhere.example", "Delivered-To: mailing list l@example.org\n\n", "refuse 5.4.6");
    }

    fn check_header(prefix: Option<&str>, original: &str, rest: &str) {
        let (list, owner) = ("l@example.org".parse().unwrap(), "postmaster@example.org".parse().unwrap());
        let head = String::from_utf8(header_of_copy(original.as_bytes(), &list, &owner, prefix)).unwrap();
        let ours = "Mailing-List: contact postmaster@example.org; run by postkiln\n\
                    List-Id: <l.example.org>\n\
                    List-Post: <mailto:l@example.org>\n\
                    List-Owner: <mailto:postmaster@example.org>\n\
                    List-Unsubscribe: <mailto:postmaster@example.org?subject=unsubscribe>\n\
                    Precedence: bulk\n\
                    Delivered-To: mailing list l@example.org\n";
        assert_eq!(head, format!("{ours}{rest}"));
    }

    #[test]
    fn copies_have_the_lists_header() {
        check_header(None, "Subject: x\nTo: l\n", "Subject: x\nTo: l\n");
        check_header(None, "return-receipt-to: me\nTo: l\n", "To: l\n");
        check_header(Some("l"), "Subject: x\n y\n", "Subject: [l] x\n y\n");
        check_header(Some("[l]"), "Subject: Re: [L] x\n", "Subject: Re: [L] x\n");
        check_header(Some("l"), "To: l\n", "To: l\nSubject: [l]\n");
    }
}
