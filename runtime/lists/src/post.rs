//! The list's own address: a post (ezmlm-reject and ezmlm-send with the members in the bundle). Who may post, which
//! header the copies have, one message to all members.
//!
//! There is no moderation and no bounce handling yet: copies are sent by the list's owner, so that failures reach a
//! person. What moderators would have to agree to is refused.

use postkiln_address::{Address, ReversePath};
use postkiln_control::list::{List, Posting, ReplyTo};
use postkiln_mail::{Envelope, Outcome, Status, header};

use crate::command::{Command, Decision, Listing};
use crate::message::{Message, Outgoing, Rest};

pub(crate) struct Post;

impl Command for Post {
    fn words(&self) -> &'static [&'static str] {
        &[""]
    }

    fn obey(&self, list: &Listing<'_>, message: &Message<'_>) -> Decision {
        let Listing { address, settings, .. } = *list;
        if let Some(decision) = objection(settings, address, message) {
            return decision;
        }
        if settings.members.is_empty() {
            return Decision::Ignore("no members");
        }
        let Some(owner) = settings.owner.as_ref().or(list.owner) else { return Decision::OwnerWanted };
        let head = header_of_copy(message.header, address, owner, settings);
        let envelope = Envelope { sender: ReversePath::Address(owner.clone()), recipients: settings.members.clone() };
        Decision::Send(Outgoing { envelope, head, rest: Rest::Body })
    }
}

/// The decision about a message that does not go to the members.
fn objection(list: &List, address: &Address, message: &Message<'_>) -> Option<Decision> {
    if header::is_delivered_to(message.header, &format!("mailing list {address}")) {
        return Some(refuse(Status(5, 4, 6), "This message is looping: it already has my Delivered-To line. (#5.4.6)"));
    }
    if message.has("Mailing-List") {
        let text = "This message already has a Mailing-List header: it has been on a list before. (#5.7.2)";
        return Some(refuse(Status(5, 7, 2), text));
    }
    if message.sender.address().is_none() {
        return Some(Decision::Ignore("a notice"));
    }
    if message.has_precedence(&["junk", "bulk"]) {
        return Some(Decision::Ignore("precedence"));
    }
    size(list, message.size).or_else(|| author_may_not(list, message))
}

/// Refuses a post of somebody who may not post.
fn author_may_not(list: &List, message: &Message<'_>) -> Option<Decision> {
    let author = author(message);
    let posters: Vec<String> = message.sender.address().into_iter().chain(&author).map(Address::key).collect();
    let among = |people: &[Address]| people.iter().any(|one| posters.contains(&one.key()));
    if list.lets_post(among) {
        return None;
    }
    let text = match list.post {
        _ if among(&list.deny) => "Sorry, you may not post to this list. (#5.7.2)",
        Posting::Anyone | Posting::Members | Posting::MembersElseModerated => {
            "Sorry, only subscribers may post. (#5.7.2)"
        }
        Posting::Moderators | Posting::Moderated => "Sorry, only moderators may post. (#5.7.2)",
    };
    Some(refuse(Status(5, 7, 2), text))
}

fn refuse(status: Status, text: &str) -> Decision {
    Decision::Refuse(Outcome::Bounced(status, text.to_owned()))
}

/// Refuses what is larger or smaller than the list takes (ezmlm-reject's texts).
fn size(list: &List, octets: u64) -> Option<Decision> {
    let (min, max) = list.message_size;
    let text = if max > 0 && octets > max {
        format!("Sorry, I don't accept messages larger than {max} bytes (#5.2.3)")
    } else if octets < min {
        format!("Sorry, I don't accept messages shorter than {min} bytes (#5.6.0)")
    } else {
        return None;
    };
    let status = if octets < min { Status(5, 6, 0) } else { Status(5, 2, 3) };
    Some(refuse(status, &text))
}

/// The address in From: services that send for people put themselves into the envelope.
fn author(message: &Message<'_>) -> Option<Address> {
    let from = message.field("From")?;
    let address = match from.rsplit_once('<') {
        Some((_, rest)) => rest.split_once('>')?.0,
        None => from.as_str(),
    };
    address.trim().parse().ok()
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
    use crate::message::tests::with_message;

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

    fn check(post: Posting, sender: &str, header: &str, expected: &str) {
        let decision = with_message(sender, header, |message| {
            match objection(&list(post), &"l@example.org".parse().unwrap(), message) {
                None => "send".to_owned(),
                Some(Decision::Ignore(reason)) => format!("ignore {reason}"),
                Some(Decision::Refuse(Outcome::Bounced(status, _))) => format!("refuse {status}"),
                Some(other) => format!("{other:?}"),
            }
        });
        assert_eq!(decision, expected, "{post:?} {sender} {header:?}");
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
    fn a_post_goes_to_the_members_once_somebody_stands_for_the_list() {
        let (address, owner) = ("l@example.org".parse().unwrap(), "postmaster@example.org".parse().unwrap());
        let settings = list(Posting::Members);
        let obey = |settings: &List, owner: Option<&Address>| {
            let list = Listing { address: &address, settings, owner };
            with_message("ada@example.org", "Subject: x\n", |message| Post.obey(&list, message))
        };
        assert_eq!(obey(&settings, None), Decision::OwnerWanted);
        let Decision::Send(outgoing) = obey(&settings, Some(&owner)) else { panic!("not sent") };
        let envelope = Envelope { sender: ReversePath::Address(owner.clone()), recipients: settings.members.clone() };
        assert_eq!((outgoing.envelope, outgoing.rest), (envelope, Rest::Body));
        let named = List { owner: Some("joan@example.org".parse().unwrap()), ..settings.clone() };
        let Decision::Send(outgoing) = obey(&named, None) else { panic!("not sent") };
        assert_eq!(outgoing.envelope.sender.to_string(), "joan@example.org");
        let nobody = List { members: Vec::new(), ..plain(Posting::Anyone) };
        assert_eq!(obey(&nobody, None), Decision::Ignore("no members"));
    }

    #[test]
    fn posts_have_a_size() {
        let sized = |octets| size(&List { message_size: (10, 100), ..plain(Posting::Anyone) }, octets);
        let text = |octets| sized(octets).map(|decision| format!("{decision:?}"));
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
