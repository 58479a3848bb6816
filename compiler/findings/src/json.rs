//! A finding as JSON: the stable form that programs read.

use serde_json::{Value, json};

use crate::{Diagnostic, Place, Severity};

/// One finding as an object: `code`, `severity`, `message`, and where known `file`, `line`, `column`, `end_line`,
/// `end_column`, `hint`, `related`. File names are relative to the site's folder; columns count characters from 1.
#[must_use]
pub fn finding_json(finding: &Diagnostic) -> Value {
    let severity = match finding.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut object = json!({ "code": finding.code.name(), "severity": severity, "message": finding.message });
    if let Some(place) = &finding.place {
        add_place(&mut object, place);
    }
    if let Some(hint) = &finding.hint {
        object["hint"] = json!(hint);
    }
    if !finding.related.is_empty() {
        let related = finding.related.iter().map(|(place, message)| {
            let mut object = json!({ "message": message });
            add_place(&mut object, place);
            object
        });
        object["related"] = related.collect();
    }
    object
}

fn add_place(object: &mut Value, place: &Place) {
    object["file"] = json!(*place.file);
    object["line"] = json!(place.line);
    object["column"] = json!(place.column);
    object["end_line"] = json!(place.end_line);
    object["end_column"] = json!(place.end_column);
}
