//! Placeholder of a crate that is being begun.
