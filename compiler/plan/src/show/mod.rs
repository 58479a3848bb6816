//! A plan on paper: text, Markdown, JSON, and the manual's page of impacts. The same plan gives the same octets.

mod impact_page;
mod json;
mod markdown;
mod rows;
mod text;
mod value;

pub use impact_page::impact_page;
pub use json::json;
pub use markdown::markdown;
pub use text::text;
pub(crate) use value::{counted, some};

/// How a plan is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// For a terminal that has colours.
    pub colour: bool,
    /// Long sets and long texts in full.
    pub full: bool,
}
