//! What a site says of mailing lists and automatic replies.

use postkiln_address::Address;
pub use postkiln_control::list::Posting;
use postkiln_control::list::{Digest, Members, Readers, ReplyTo, Subscribe, Unsubscribe};

use super::{Placed, Target};

/// A mailing list.
#[derive(Clone, Debug)]
pub struct List {
    /// Who gets the posts.
    pub members: Vec<Placed<Target>>,
    /// Whose the members are.
    pub managed: Placed<Members>,
    /// Who may post.
    pub post: Placed<Posting>,
    /// Who decides about posts and subscriptions.
    pub moderators: Vec<Placed<Target>>,
    /// Who answers for the list.
    pub owner: Option<Placed<Target>>,
    /// May post without being members.
    pub allow: Vec<Placed<Target>>,
    /// May not post.
    pub deny: Vec<Placed<Target>>,
    /// How one becomes a member.
    pub subscribe: Placed<Subscribe>,
    /// How one stops being a member.
    pub unsubscribe: Placed<Unsubscribe>,
    /// Who may read what was posted.
    pub archive: Placed<Readers>,
    /// When digests are sent.
    pub digest: Option<Placed<Digest>>,
    /// Put before each subject, as `[announce]`.
    pub prefix: Option<Placed<String>>,
    /// Put below each text.
    pub trailer: Option<Placed<String>>,
    /// Where answers go.
    pub reply_to: Placed<ReplyTo>,
    /// Octets of a post, from and to; 0 without a limit.
    pub message_size: Option<Placed<(u64, u64)>>,
    /// MIME types of parts that are taken out.
    pub mime_remove: Vec<Placed<String>>,
    /// MIME types for which a post is refused.
    pub mime_reject: Vec<Placed<String>>,
    /// Header lines that copies get.
    pub header_add: Vec<Placed<String>>,
    /// Names of header fields that copies lose.
    pub header_remove: Vec<Placed<String>>,
    /// Whether members whose mail bounces are warned.
    pub bounce_warnings: Placed<bool>,
    /// Whether moderators may ask who is a member.
    pub members_listed: Placed<bool>,
    /// Whether moderators may subscribe others.
    pub remote_administration: Placed<bool>,
    /// Whether moderators may change texts.
    pub texts_editable: Placed<bool>,
    /// The list whose posts this one passes on.
    pub sublist_of: Option<Placed<Address>>,
}

/// An automatic reply.
#[derive(Clone, Debug)]
pub struct Autoresponder {
    /// Subject of the reply.
    pub subject: Placed<String>,
    /// Its text.
    pub text: Placed<String>,
    /// Seconds in which one sender gets at most `replies`.
    pub once_per: Placed<u64>,
    /// Replies to one sender within that time, at least 1.
    pub replies: Placed<u64>,
    /// From whom the reply is; `None`: the address that was written to.
    pub from: Option<Placed<Target>>,
}
