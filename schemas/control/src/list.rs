//! `lists/<domain>/<list>/list.json`: a mailing list's settings, as ezmlm keeps them in the option files of a list's
//! directory. The letters are those of `ezmlm-make`.

use postkiln_address::Address;
use serde::{Deserialize, Serialize};

/// A mailing list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Who gets the posts; of a delegated list, who is subscribed at first.
    pub members: Vec<Address>,
    /// Whose the members are.
    pub managed: Members,
    /// Who may post.
    pub post: Posting,
    /// Who decides about posts and subscriptions.
    pub moderators: Vec<Address>,
    /// Who answers for the list and gets its bounces; without one the domain's postmaster.
    pub owner: Option<Address>,
    /// May post without being members (ezmlm's `allow`).
    pub allow: Vec<Address>,
    /// May not post (ezmlm's `deny`).
    pub deny: Vec<Address>,
    /// How one becomes a member by mail.
    pub subscribe: Subscribe,
    /// How one stops being a member by mail.
    pub unsubscribe: Unsubscribe,
    /// Who may read what was posted.
    pub archive: Readers,
    /// Digests; `None`: there are none.
    pub digest: Option<Digest>,
    /// Put before each subject in brackets.
    pub prefix: Option<String>,
    /// Put below each text.
    pub trailer: Option<String>,
    /// Where answers go.
    pub reply_to: ReplyTo,
    /// Octets of a post, from and to; 0 without a limit.
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
    /// A list without members, as a site that says nothing else has it.
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

/// Whose the members are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Members {
    /// The site's: the file is the truth.
    #[default]
    Declared,
    /// Their own: people subscribe and unsubscribe by mail.
    Delegated,
}

/// Who may post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Posting {
    /// Everybody.
    Anyone,
    /// Members (`u`).
    Members,
    /// Moderators (`mo`).
    Moderators,
    /// Members; others' posts go to the moderators (`um`).
    MembersElseModerated,
    /// Moderators; everybody else's posts go to them (`m`).
    Moderated,
}

/// How one becomes a member by mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscribe {
    /// At once (`h`).
    Open,
    /// By answering a question.
    #[default]
    Confirm,
    /// By answering a question, and when a moderator agrees (`s`).
    Moderated,
    /// Not at all (`P`).
    Closed,
}

/// How one stops being a member by mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unsubscribe {
    /// At once (`j`).
    Open,
    /// By answering a question.
    #[default]
    Confirm,
}

/// Who may read what was posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readers {
    /// Nobody: posts are not kept (`A`).
    #[default]
    Nobody,
    /// Moderators (`ab`).
    Moderators,
    /// Members (`ag`).
    Members,
    /// Everybody (`a`).
    Anyone,
}

/// When a digest is sent: whichever is reached first.
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
    /// ezmlm's: 30 messages, 64 KiB, 48 hours.
    fn default() -> Self {
        Self { messages: 30, size: 64 << 10, period: 48 * 3600 }
    }
}

/// Where answers go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyTo {
    /// To whoever wrote.
    #[default]
    Sender,
    /// To the list.
    List,
}

impl List {
    /// Whether a post is let through at once; `among` says whether its writer is one of some people. What moderators have to
    /// agree to is not.
    #[must_use]
    pub fn lets_post(&self, among: impl Fn(&[Address]) -> bool) -> bool {
        let is_let_in = match self.post {
            Posting::Anyone => true,
            Posting::Members | Posting::MembersElseModerated => among(&self.members) || among(&self.moderators),
            Posting::Moderators | Posting::Moderated => among(&self.moderators),
        };
        (is_let_in || among(&self.allow)) && !among(&self.deny)
    }

    /// Whether an address is a local part of the list's own besides its name, at which ezmlm obeys commands: `announce-subscribe`,
    /// `announce-sc.1234.…`, `announce-owner`. `local` and `list` in lower case.
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
