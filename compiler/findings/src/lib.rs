//! Findings about a site: the registry of their codes, and the forms in which they are shown. Knows nothing about how a
//! finding comes about. Start at [`Diagnostic`]; every code is an entry of [`codes`].

mod code;
pub mod codes;
mod confidential;
mod diagnostic;
pub mod explanation;
mod json;
mod layout;
pub mod nickel;
mod sarif;
mod silence;
pub mod suggest;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Place, in_order, is_wrong};
pub use json::finding_json;
pub use layout::Layout;
pub use sarif::{Run, sarif};
pub use silence::{Silence, silenceable, silenced};
