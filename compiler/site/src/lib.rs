//! From the text a person wrote to a [`Site`]: evaluation in a sandbox, decoding with places, all mistakes together.
//! Knows nothing about defaults that depend on one another, nor about what is rendered. Start at [`read()`].

mod diagnostic;
mod finding_json;
mod layout;
mod model;
mod read;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use finding_json::finding_json;
pub use layout::Layout;
pub use model::*;
pub use read::{CHILD_COMMAND, evaluate_child, read};
