//! From the text a person wrote to a [`Site`]: evaluation in a sandbox, decoding with places, all mistakes together.
//! Knows nothing about defaults that depend on one another, nor about what is rendered. Start at [`read()`].

mod answer;
mod beneath;
mod child;
mod confidential;
mod confine;
mod decode;
mod diagnostic;
mod evaluate;
mod finding_json;
mod layout;
mod lines;
mod model;
mod nesting;
mod read;
mod schema;
mod suggest;

pub use child::{CHILD_COMMAND, evaluate_child};
pub use diagnostic::{Diagnostic, Place, Severity};
pub use finding_json::finding_json;
pub use layout::Layout;
pub use model::*;
pub use read::{read, read_unconfined};
