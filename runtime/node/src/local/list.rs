//! A static list (ezmlm-send with the members in the bundle): who may post, which header the copies have, one message to
//! all members.
//!
//! There are no command addresses, no moderation and no bounce handling yet: copies are sent by the list's owner, else by
//! `LIST-owner@domain` if that address exists, else by the domain's postmaster, so that failures reach a person. What
//! moderators would have to agree to is refused.

use postkiln_address::{Address, LocalPart, ReversePath};
use postkiln_control::list::{List, Posting, ReplyTo};
use postkiln_ipc::directory;
use postkiln_mail::{Envelope, Outcome, Status, header};

use super::original::Original;
use super::submit::{Rest, submit};
use super::{Config, Tools, looping, route, trouble};

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
    let owner = match &settings.owner {
        Some(owner) => owner.clone(),
        None => owner(tools, &list.address).await?,
    };
    let head = header_of_copy(original.header(), &list.address, &owner, &settings);
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
    if let Some(refusal) = size(list, original.request.size) {
        return Verdict::Refuse(refusal);
    }
    let author = author(original);
    let posters: Vec<String> = original.request.sender.address().into_iter().chain(&author).map(Address::key).collect();
    let among = |people: &[Address]| people.iter().any(|one| posters.contains(&one.key()));
    if list.lets_post(among) {
        return Verdict::Send;
    }
    let text = match list.post {
        _ if among(&list.deny) => "Sorry, you may not post to this list. (#5.7.2)",
        Posting::Anyone | Posting::Members | Posting::MembersElseModerated => {
            "Sorry, only subscribers may post. (#5.7.2)"
        }
        Posting::Moderators | Posting::Moderated => "Sorry, only moderators may post. (#5.7.2)",
    };
    Verdict::Refuse(Outcome::Bounced(Status(5, 7, 2), text.to_owned()))
}

/// Refuses what is larger or smaller than the list takes (ezmlm-reject's texts).
fn size(list: &List, octets: u64) -> Option<Outcome> {
    let (min, max) = list.message_size;
    let text = if max > 0 && octets > max {
        format!("Sorry, I don't accept messages larger than {max} bytes (#5.2.3)")
    } else if octets < min {
        format!("Sorry, I don't accept messages shorter than {min} bytes (#5.6.0)")
    } else {
        return None;
    };
    let status = if octets < min { Status(5, 6, 0) } else { Status(5, 2, 3) };
    Some(Outcome::Bounced(status, text))
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

/// The address that stands for the list as sender and contact.
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
fn header_of_copy(original: &[u8], list: &Address, owner: &Address, settings: &List) -> Vec<u8> {
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
    for line in &settings.header_add {
        head.extend_from_slice(format!("{line}\n").as_bytes());
    }
    if settings.reply_to == ReplyTo::List {
        head.extend_from_slice(format!("Reply-To: <{list}>\n").as_bytes());
    }
    let prefix = settings.prefix.as_deref().map(bracketed);
    let mut has_subject = false;
    for field in header::fields(original) {
        let mut removed = REMOVED.iter().copied().chain(settings.header_remove.iter().map(String::as_str));
        let is_replaced = settings.reply_to == ReplyTo::List && field.is("Reply-To");
        if is_replaced || removed.any(|name| field.is(name)) {
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
            moderators: vec![address("joan@example.org")],
            allow: vec![address("robot@elsewhere.example")],
            deny: vec![address("eve@elsewhere.example")],
            ..plain(post)
        }
    }

    fn plain(post: Posting) -> List {
        List { post, ..List::default() }
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
        check(Posting::Moderators, "robot@elsewhere.example", "\n", "send");
        check(Posting::Members, "joan@example.org", "\n", "send");
        check(Posting::Anyone, "eve@elsewhere.example", "\n", "refuse 5.7.2");
        // Held nowhere, so not let through.
        check(Posting::Moderated, "ada@example.org", "\n", "refuse 5.7.2");
        check(Posting::Moderated, "joan@example.org", "\n", "send");
        check(Posting::MembersElseModerated, "ada@example.org", "\n", "send");
        check(Posting::MembersElseModerated, "x@elsewhere.example", "\n", "refuse 5.7.2");
        check(Posting::Anyone, "", "\n", "ignore a notice");
        check(Posting::Anyone, "x@elsewhere.example", "Precedence: Junk\n\n", "ignore precedence");
        check(Posting::Anyone, "x@elsewhere.example", "Mailing-List: x\n\n", "refuse 5.7.2");
        check(Posting::Anyone, "x@elsewhere.example", "Delivered-To: mailing list l@example.org\n\n", "refuse 5.4.6");
    }

    #[test]
    fn posts_have_a_size() {
        let sized = |octets| size(&List { message_size: (10, 100), ..plain(Posting::Anyone) }, octets);
        let text = |octets| sized(octets).map(|outcome| format!("{outcome:?}"));
        assert_eq!((text(10), text(100)), (None, None));
        assert!(text(9).is_some_and(|text| text.contains("shorter than 10 bytes (#5.6.0)")));
        assert!(text(101).is_some_and(|text| text.contains("larger than 100 bytes (#5.2.3)")));
        assert_eq!(size(&plain(Posting::Anyone), u64::MAX), None, "without a limit");
    }

    #[test]
    fn copies_have_what_the_list_adds_and_lose_what_it_removes() {
        let settings = List {
            reply_to: ReplyTo::List,
            header_add: vec!["X-Office: London".to_owned()],
            header_remove: vec!["X-Mailer".to_owned()],
            ..plain(Posting::Anyone)
        };
        let (list, owner) = ("l@example.org".parse().unwrap(), "postmaster@example.org".parse().unwrap());
        let original = b"Reply-To: me\nx-mailer: y\nTo: l\n";
        let head = String::from_utf8(header_of_copy(original, &list, &owner, &settings)).unwrap();
        assert!(head.ends_with("X-Office: London\nReply-To: <l@example.org>\nTo: l\n"), "{head}");
    }

    fn check_header(prefix: Option<&str>, original: &str, rest: &str) {
        let (list, owner) = ("l@example.org".parse().unwrap(), "postmaster@example.org".parse().unwrap());
        let settings = List { prefix: prefix.map(str::to_owned), ..plain(Posting::Anyone) };
        let head = String::from_utf8(header_of_copy(original.as_bytes(), &list, &owner, &settings)).unwrap();
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
