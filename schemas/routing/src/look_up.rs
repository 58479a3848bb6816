//! The questions that the walk asks about the world.

use std::future::Future;

use postkiln_address::Address;
use postkiln_control::users_assign::Assigned;

/// Answers which domains, files and users exist. An error means that there is no answer now.
pub trait LookUp: Send {
    /// The reason why there is no answer.
    type Error: Send;

    /// The text that `virtualdomains` puts before the address's local part; `None` when the address is not ours.
    fn virtual_domain(&mut self, address: &Address)
    -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;

    /// The account for a local part with its prepend (`example.org-ada`), by `users/cdb`.
    fn assign(&mut self, local: &str) -> impl Future<Output = Result<Option<Assigned>, Self::Error>> + Send;

    /// A file of a domain directory: `example.org`, `.qmail-ada`. The name holds no slash.
    fn dot_qmail(
        &mut self,
        domain: &str,
        file: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;

    /// The data of a local part's record (lower case) in a table of the domain directory, in the form of
    /// `postkiln_control::fastforward`; `None` when the table has no record for it. A missing table is an error.
    fn table(
        &mut self,
        domain: &str,
        table: &str,
        local: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;

    /// The state of the user of this name (lower case) in the domain.
    fn user(&mut self, domain: &str, local: &str) -> impl Future<Output = Result<UserState, Self::Error>> + Send;

    /// The separator between address and detail in the domain directory; `None`: there is none.
    fn separator(&mut self, domain: &str) -> impl Future<Output = Result<Option<char>, Self::Error>> + Send;
}

/// Whether a user may get mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// The domain has no such user.
    Absent,
    /// The user gets mail.
    Open,
    /// The user exists, and mail is refused.
    Closed,
}
