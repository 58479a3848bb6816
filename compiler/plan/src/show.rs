//! A plan as output: text, Markdown, JSON, and the manual's page of impacts. The same plan gives the same octets.

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

/// Choices about the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Whether the output goes to a terminal with colours.
    pub colour: bool,
    /// Whether long sets and long texts are shown in full.
    pub full: bool,
}
