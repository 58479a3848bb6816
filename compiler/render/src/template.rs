//! Filling in a template of `templates/`. Start at [`text`] and [`xml`].

use serde::Serialize;
use tera::{Context, Tera};

/// Fills in a template of plain text; values go in as they are.
pub(crate) fn text(template: &str, values: &impl Serialize) -> String {
    fill(template, values, false)
}

/// Fills in a template of XML; values go in with `& < > " '` as references.
pub(crate) fn xml(template: &str, values: &impl Serialize) -> String {
    fill(template, values, true)
}

#[allow(clippy::expect_used, reason = "the templates are part of this program, and its tests fill them")]
fn fill(template: &str, values: &impl Serialize, is_xml: bool) -> String {
    let values = serde_json::to_value(values).unwrap_or_default();
    let context = if values.is_object() { Context::from_serialize(&values) } else { Ok(Context::new()) };
    let context = context.expect("the values are an object");
    // A name that the values do not define is an error.
    Tera::one_off(template, &context, is_xml).expect("the template fits its values")
}
