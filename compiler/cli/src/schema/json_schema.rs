//! The language as JSON Schema (draft 2020-12), for data files in JSON and for programs. A tag becomes a string, a tag
//! with a value an object of one field.

use postkiln_site::{Field, Outline, Presence, Shape};
use serde_json::{Map, Value, json};

/// The whole document; `$defs` has every contract by its name.
pub(super) fn document(outline: &Outline) -> Value {
    let definitions: Map<String, Value> = outline
        .iter()
        .map(|(name, definition)| (name.clone(), described(schema(&definition.shape), &definition.doc)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Postkiln site",
        "$ref": "#/$defs/Site",
        "$defs": definitions,
    })
}

fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Anything => json!({}),
        Shape::List(inner) => json!({ "type": "array", "items": schema(inner) }),
        Shape::Map(inner) => json!({ "type": "object", "additionalProperties": schema(inner) }),
        Shape::Record(fields) => record(fields),
        Shape::Choice(tags) => choice(tags),
        Shape::Either(any) => json!({ "anyOf": any.iter().map(schema).collect::<Vec<_>>() }),
        Shape::Named(name) => json!({ "$ref": format!("#/$defs/{name}") }),
    }
}

fn record(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.clone(), property(field))).collect();
    let needed = fields.iter().filter(|field| field.presence == Presence::Required);
    let required: Vec<&str> = needed.map(|field| field.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(field: &Field) -> Value {
    let mut property = described(schema(&field.shape), &field.doc);
    if let (Presence::Default(written), Some(object)) = (&field.presence, property.as_object_mut()) {
        // Numbers, strings, booleans and empty lists are the same in JSON; a tag is its name.
        let value = serde_json::from_str(written).ok().or_else(|| written.strip_prefix('\'').map(|tag| json!(tag)));
        if let Some(value) = value {
            object.insert("default".to_owned(), value);
        }
    }
    property
}

fn choice(tags: &[(String, Option<Shape>)]) -> Value {
    let plain: Vec<&str> = tags.iter().filter(|(_, inner)| inner.is_none()).map(|(tag, _)| tag.as_str()).collect();
    let mut forms = Vec::new();
    if !plain.is_empty() {
        forms.push(json!({ "enum": plain }));
    }
    for (tag, inner) in tags {
        if let Some(inner) = inner {
            let properties: Map<String, Value> = [(tag.clone(), schema(inner))].into_iter().collect();
            forms.push(json!({
                "type": "object", "properties": properties, "required": [tag], "additionalProperties": false,
            }));
        }
    }
    if forms.len() == 1 { forms.swap_remove(0) } else { json!({ "anyOf": forms }) }
}

fn described(mut schema: Value, doc: &str) -> Value {
    if let Some(object) = schema.as_object_mut().filter(|_| !doc.is_empty()) {
        object.insert("description".to_owned(), json!(doc));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shape: &Shape, expected: &Value) {
        assert_eq!(&schema(shape), expected);
    }

    #[test]
    fn shapes_become_schemas() {
        check(&Shape::List(Box::new(Shape::Text)), &json!({ "type": "array", "items": { "type": "string" } }));
        check(&Shape::Choice(vec![("a".into(), None), ("b".into(), None)]), &json!({ "enum": ["a", "b"] }));
        let deliver = json!({
            "type": "object", "properties": { "to": { "type": "string" } }, "required": ["to"],
            "additionalProperties": false,
        });
        let tags = vec![("no".into(), None), ("to".into(), Some(Shape::Text))];
        check(&Shape::Choice(tags), &json!({ "anyOf": [{ "enum": ["no"] }, deliver] }));
    }

    #[test]
    fn a_default_is_told_when_json_can() {
        let field = |written: &str| Field {
            name: "x".into(),
            doc: String::new(),
            shape: Shape::Anything,
            presence: Presence::Default(written.into()),
        };
        assert_eq!(property(&field("'reject")), json!({ "default": "reject" }));
        assert_eq!(property(&field("\"1 day\"")), json!({ "default": "1 day" }));
        assert_eq!(property(&field("{ a = 1 }")), json!({}));
    }
}
