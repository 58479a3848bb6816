//! How the values of secrets reach a node. A bundle names secrets and has no value; whoever may open `secrets.age`
//! hands the values to `keyd` as a [`Delivery`], by whatever way leads there: a descriptor in `postkiln run`. What each
//! may be used for is a part of the delivery, so that `keyd` gives none of them out for anything else.
//!
//! Knows neither files beside a site nor files on a node. Start at [`Delivery`].

mod delivery;
mod hidden;
mod passwords;

pub use delivery::{Delivered, Delivery, DeliveryError, DkimKey, Purpose, Value};
pub use hidden::Hidden;
pub use passwords::{PasswordSecret, PasswordSecrets};
