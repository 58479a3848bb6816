//! What the walk asks.

use std::future::Future;

use postkiln_address::Address;
use postkiln_control::users_assign::Assigned;

/// Answers what exists. An error means that it cannot be said now.
pub trait LookUp: Send {
    /// Why something cannot be said.
    type Error: Send;

    /// What `virtualdomains` puts before the address's local part; `None` when the address is not ours.
    fn virtual_domain(&mut self, address: &Address)
    -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;

    /// Who delivers for a local part with its prepend (`example.org-ada`), by `users/cdb`.
    fn assign(&mut self, local: &str) -> impl Future<Output = Result<Option<Assigned>, Self::Error>> + Send;

    /// A file of a domain directory: `example.org`, `.qmail-ada`. The name holds no slash.
    fn dot_qmail(
        &mut self,
        domain: &str,
        file: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, Self::Error>> + Send;

    /// What the domain knows of a user of this name (lower case).
    fn user(&mut self, domain: &str, local: &str) -> impl Future<Output = Result<UserState, Self::Error>> + Send;

    /// What parts an address of the domain directory from a detail; `None`: nothing does.
    fn separator(&mut self, domain: &str) -> impl Future<Output = Result<Option<char>, Self::Error>> + Send;
}

/// Whether a user may get mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// There is no such user.
    Absent,
    /// There is one.
    Open,
    /// There is one whose mail is refused.
    Closed,
}
