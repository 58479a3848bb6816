//! [`Check`]: the shape of all checks, and of what they remember: check, key, first seen, last seen, count, expiry. So
//! a check brings no table, and the one table is swept without knowing any check.

use std::fmt;
use std::io;
use std::net::IpAddr;

use postkiln_address::{Address, ReversePath};
use postkiln_control::ReadError;
use postkiln_mail::Status;

use crate::KNOWN;

/// One recipient of a message that a stranger wants to hand over.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The client's IP address.
    pub client: IpAddr,
    /// The reverse path of the message.
    pub sender: &'a ReversePath,
    /// The recipient: one of ours, and it takes mail.
    pub recipient: &'a Address,
}

/// The memory of one key of one check. Times are Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When the key was first seen.
    pub first: u64,
    /// When the key was last seen.
    pub last: u64,
    /// A number that the check counts.
    pub count: u64,
    /// When this is forgotten.
    pub expires: u64,
}

/// A check's opinion of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Pass,
    /// The recipient is refused with this status, class 4 for now and class 5 for good, and these words.
    Refuse(Status, String),
}

/// A verdict, and what is to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The opinion of this check.
    pub verdict: Verdict,
    /// Records by key, to be kept in the place of those there are.
    pub remember: Vec<(String, Record)>,
}

/// A check that needs memory.
pub trait Check: fmt::Debug {
    /// The name under which the check's records are kept.
    fn name(&self) -> &'static str;

    /// The keys whose records the check wants to see.
    fn keys(&self, attempt: &Attempt<'_>) -> Vec<String>;

    /// Judges an attempt at `now`, in Unix seconds; `known` has the record of each key, in the order of
    /// [`Check::keys`], where there is one that has not expired.
    fn judge(&self, attempt: &Attempt<'_>, known: &[Option<Record>], now: u64) -> Judgement;
}

/// The checks that a site has, in their order. The first that refuses is the last that is asked.
#[derive(Debug, Default)]
pub struct Checks(Vec<Box<dyn Check>>);

impl Checks {
    /// Reads the control files through a look-up from name to content.
    ///
    /// # Errors
    /// When the look-up fails, or a file is malformed.
    pub fn read(mut get: impl FnMut(&str) -> io::Result<Option<Vec<u8>>>) -> Result<Self, ReadError> {
        let made = KNOWN.iter().filter_map(|make| make(&mut get).transpose());
        made.collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is nothing to check.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The checks in their order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Check> {
        self.0.iter().map(|check| &**check)
    }
}
