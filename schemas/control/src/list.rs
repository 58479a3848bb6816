//! `lists/<domain>/<list>/list.json`: a mailing list's settings, as ezmlm keeps them in the option files of a list's
//! directory. The letters are those of `ezmlm-make`.

use postkiln_address::Address;
use serde::{Deserialize, Serialize};

/// Members a list may have, and recipients a message: `queued` holds a message's recipients in memory, some 200
/// octets for each.
pub const MOST_MEMBERS: usize = 100_000;

/// A mailing list's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The people who get the posts; in a delegated list, those who are subscribed at first.
    pub members: Vec<Address>,
    /// The side that changes the members: the site, or the members themselves.
    pub managed: Members,
    /// The people who may post.
    pub post: Posting,
    /// The people who decide about posts and subscriptions.
    pub moderators: Vec<Address>,
    /// The address that answers for the list and gets its bounces; without one the domain's postmaster.
    pub owner: Option<Address>,
    /// Addresses that may post without being members (ezmlm's `allow`).
    pub allow: Vec<Address>,
    /// Addresses that may not post (ezmlm's `deny`).
    pub deny: Vec<Address>,
    /// The way to become a member by mail.
    pub subscribe: Subscribe,
    /// The way to stop being a member by mail.
    pub unsubscribe: Unsubscribe,
    /// The people who may read the archive.
    pub archive: Readers,
    /// When digests are sent; `None`: never.
    pub digest: Option<Digest>,
    /// A word put before each subject, in brackets.
    pub prefix: Option<String>,
    /// A text put below each post.
    pub trailer: Option<String>,
    /// The address that answers go to.
    pub reply_to: ReplyTo,
    /// The smallest and the largest size of a post, in octets; 0 without a limit.
    pub message_size: (u64, u64),
    /// MIME types of parts that are taken out of posts (ezmlm's `mimeremove`).
    pub mime_remove: Vec<String>,
    /// MIME types for which a post is refused (ezmlm's `mimereject`).
    pub mime_reject: Vec<String>,
    /// Header lines that copies get (ezmlm's `headeradd`).
    pub header_add: Vec<String>,
    /// Names of header fields that copies lose, besides those that always go (ezmlm's `headerremove`).
    pub header_remove: Vec<String>,
    /// Whether members whose mail bounces are warned and removed in the end.
    pub bounce_warnings: bool,
    /// Whether moderators may ask who is subscribed.
    pub members_listed: bool,
    /// Whether moderators may subscribe and unsubscribe others.
    pub remote_administration: bool,
    /// Whether moderators may change the list's texts by mail.
    pub texts_editable: bool,
    /// The list whose posts this one passes on.
    pub sublist_of: Option<Address>,
}

impl Default for List {
    /// A list without members whose other settings are the schema's defaults.
    fn default() -> Self {
        Self {
            members: Vec::new(),
            managed: Members::default(),
            post: Posting::Members,
            moderators: Vec::new(),
            owner: None,
            allow: Vec::new(),
            deny: Vec::new(),
            subscribe: Subscribe::default(),
            unsubscribe: Unsubscribe::default(),
            archive: Readers::default(),
            digest: None,
            prefix: None,
            trailer: None,
            reply_to: ReplyTo::default(),
            message_size: (0, 0),
            mime_remove: Vec::new(),
            mime_reject: Vec::new(),
            header_add: Vec::new(),
            header_remove: Vec::new(),
            bounce_warnings: true,
            members_listed: false,
            remote_administration: false,
            texts_editable: false,
            sublist_of: None,
        }
    }
}

/// The side that changes the members of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Members {
    /// The site does: the file is the truth.
    #[default]
    Declared,
    /// The members do: people subscribe and unsubscribe by mail.
    Delegated,
}

/// The people who may post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Posting {
    /// Everybody may post.
    Anyone,
    /// Only members may post (`u`).
    Members,
    /// Only moderators may post (`mo`).
    Moderators,
    /// Members may post; others' posts go to the moderators (`um`).
    MembersElseModerated,
    /// Moderators may post; everybody else's posts go to them (`m`).
    Moderated,
}

/// The way to become a member by mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscribe {
    /// A request is granted at once (`h`).
    Open,
    /// The person must answer a question.
    #[default]
    Confirm,
    /// The person must answer a question, and a moderator must agree (`s`).
    Moderated,
    /// Requests are refused (`P`).
    Closed,
}

/// The way to stop being a member by mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unsubscribe {
    /// A request is granted at once (`j`).
    Open,
    /// The person must answer a question.
    #[default]
    Confirm,
}

/// The people who may read the archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readers {
    /// Nobody may: posts are not kept (`A`).
    #[default]
    Nobody,
    /// Only moderators may (`ab`).
    Moderators,
    /// Only members may (`ag`).
    Members,
    /// Everybody may (`a`).
    Anyone,
}

/// Limits after which a digest is sent, as soon as one of them is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// Messages since the last one.
    pub messages: u32,
    /// Octets since the last one.
    pub size: u64,
    /// Seconds since the last one.
    pub period: u64,
}

impl Default for Digest {
    /// The defaults of ezmlm: 30 messages, 64 KiB, 48 hours.
    fn default() -> Self {
        Self { messages: 30, size: 64 << 10, period: 48 * 3600 }
    }
}

/// The address that answers to a post go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyTo {
    /// Answers go to the post's author.
    #[default]
    Sender,
    /// Answers go to the list.
    List,
}

impl List {
    /// Whether a post is let through at once; `among` tells whether its author is one of the given people. False for a
    /// post that needs a moderator's consent.
    #[must_use]
    pub fn lets_post(&self, among: impl Fn(&[Address]) -> bool) -> bool {
        let is_let_in = match self.post {
            Posting::Anyone => true,
            Posting::Members | Posting::MembersElseModerated => among(&self.members) || among(&self.moderators),
            Posting::Moderators | Posting::Moderated => among(&self.moderators),
        };
        (is_let_in || among(&self.allow)) && !among(&self.deny)
    }

    /// Whether an address is one of those beside the list's own at which ezmlm obeys commands: `announce-subscribe`,
    /// `announce-sc.1234.…`, `announce-owner`. `local` and `list` must be in lower case.
    #[must_use]
    pub fn is_command(list: &str, local: &str) -> bool {
        let Some(action) = local.strip_prefix(list).and_then(|rest| rest.strip_prefix('-')) else { return false };
        let word =
            action.find(|c: char| !c.is_ascii_alphanumeric()).map_or(action, |end| action.get(..end).unwrap_or(""));
        COMMANDS.binary_search(&word).is_ok()
    }
}

/// The words after the list's name, sorted: ezmlm-idx's actions, and the addresses of its own machinery.
const COMMANDS: &[&str] = &[
    "accept",
    "allow",
    "confirm",
    "deny",
    "dig",
    "digest",
    "discard",
    "ed",
    "edit",
    "faq",
    "get",
    "getm",
    "getn",
    "getr",
    "getv",
    "getx",
    "help",
    "index",
    "info",
    "list",
    "listn",
    "log",
    "owner",
    "query",
    "rc",
    "reject",
    "request",
    "return",
    "sc",
    "subscribe",
    "tc",
    "thread",
    "uc",
    "unsubscribe",
    "vc",
    "wc",
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;

    fn check(list: &str, local: &str, expected: bool) {
        assert_eq!(List::is_command(list, local), expected, "{list} {local}");
    }

    #[test]
    fn who_is_let_in() {
        let check = |post, people: &str, expected: bool| {
            let list = |people: &str| vec![people.parse::<Address>().unwrap()];
            let whole = List {
                post,
                members: list("member@example.org"),
                moderators: list("moderator@example.org"),
                allow: list("allowed@example.org"),
                deny: list("denied@example.org"),
                ..List::default()
            };
            let is_let_in = whole.lets_post(|among| among.iter().any(|one| one.local().as_str() == people));
            assert_eq!(is_let_in, expected, "{post:?} {people}");
        };
        check(Posting::Anyone, "stranger", true);
        check(Posting::Anyone, "denied", false);
        check(Posting::Members, "member", true);
        check(Posting::Members, "moderator", true);
        check(Posting::Members, "stranger", false);
        check(Posting::Moderators, "member", false);
        check(Posting::Moderators, "allowed", true);
        check(Posting::Moderated, "member", false);
        check(Posting::MembersElseModerated, "member", true);
        check(Posting::MembersElseModerated, "stranger", false);
    }

    #[test]
    fn commands_are_told_from_names() {
        assert!(COMMANDS.is_sorted());
        check("announce", "announce-subscribe", true);
        check("announce", "announce-subscribe-ada=example.org", true);
        check("announce", "announce-sc.1700000000.abcdefghijklmnopabcd-ada=example.org", true);
        check("announce", "announce-get.1_3", true);
        check("announce", "announce-owner", true);
        check("announce", "announce", false);
        check("announce", "announce-north", false);
        check("announce", "announcements-subscribe", false);
        check("announce", "subscribe", false);
    }
}
