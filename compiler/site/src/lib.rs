//! From the text a person wrote to a [`Site`]: evaluation in a sandbox, decoding with places, all mistakes together.
//! Knows nothing about defaults that depend on one another, nor about what is rendered. Start at [`read`].

mod diagnostic;
mod model;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use model::*;
