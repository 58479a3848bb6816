//! Types of the sections `lists` and `autoresponders`.

use postkiln_address::Address;
pub use postkiln_control::list::Posting;
use postkiln_control::list::{Digest, Members, Readers, ReplyTo, Subscribe, Unsubscribe};

use super::{Placed, Target};

/// A mailing list with ezmlm's settings.
#[derive(Clone, Debug)]
pub struct List {
    /// The people who get the posts.
    pub members: Vec<Placed<Target>>,
    /// The side that changes the members: the site, or the members themselves.
    pub managed: Placed<Members>,
    /// The people who may post.
    pub post: Placed<Posting>,
    /// The people who decide about posts and subscriptions.
    pub moderators: Vec<Placed<Target>>,
    /// The address that answers for the list and gets its bounces.
    pub owner: Option<Placed<Target>>,
    /// Addresses that may post without being members.
    pub allow: Vec<Placed<Target>>,
    /// Addresses that may not post.
    pub deny: Vec<Placed<Target>>,
    /// How one becomes a member.
    pub subscribe: Placed<Subscribe>,
    /// How one stops being a member.
    pub unsubscribe: Placed<Unsubscribe>,
    /// The people who may read the archive of posts.
    pub archive: Placed<Readers>,
    /// When digests are sent.
    pub digest: Option<Placed<Digest>>,
    /// A word put before each subject, as `[announce]`.
    pub prefix: Option<Placed<String>>,
    /// A text put below each post.
    pub trailer: Option<Placed<String>>,
    /// The address that answers go to.
    pub reply_to: Placed<ReplyTo>,
    /// The smallest and the largest size of a post, in octets; 0 without a limit.
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

/// An automatic reply to mail for one address.
#[derive(Clone, Debug)]
pub struct Autoresponder {
    /// The subject of the reply.
    pub subject: Placed<String>,
    /// The text of the reply.
    pub text: Placed<String>,
    /// Seconds in which one sender gets at most `replies`.
    pub once_per: Placed<u64>,
    /// Replies to one sender within that time, at least 1.
    pub replies: Placed<u64>,
    /// The sender of the reply; `None`: the address that was written to.
    pub from: Option<Placed<Target>>,
}
