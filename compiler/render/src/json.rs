//! JSON for people to read, each part of which knows what it was made for.

use postkiln_blueprint::Cause;
use serde::Serialize;
use serde_json::Value;

use crate::text::Text;

/// An object, each field with the field of `thing` as its cause.
pub(crate) fn object(value: &impl Serialize, thing: &Cause) -> Text {
    let fields = match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let mut text = Text::of("{\n", Some(thing.clone()));
    let last = fields.len().saturating_sub(1);
    for (at, (name, value)) in fields.iter().enumerate() {
        let end = if at == last { "" } else { "," };
        let line = format!("  {}: {}{end}\n", pretty(name, 2), pretty(value, 2));
        text.add(&line, Some(thing.at(&[name])));
    }
    text.add("}\n", Some(thing.clone()));
    text
}

/// A field of an object that holds a list, each element with its own cause. `end` stands after it: a comma, or nothing.
pub(crate) fn list<T: Serialize>(text: &mut Text, name: &str, items: &[(T, Cause)], end: &str) {
    let Some((last, first)) = items.split_last() else {
        return text.add(&format!("  {}: []{end}\n", pretty(&name, 2)), None);
    };
    text.add(&format!("  {}: [\n", pretty(&name, 2)), None);
    for (item, cause) in first {
        text.add(&format!("    {},\n", pretty(item, 4)), Some(cause.clone()));
    }
    text.add(&format!("    {}\n", pretty(&last.0, 4)), Some(last.1.clone()));
    text.add(&format!("  ]{end}\n"), None);
}

/// A value as `serde_json` lays it out, with all lines but the first moved to the right.
#[allow(clippy::expect_used, reason = "the models have string keys only; every test of this crate passes here")]
fn pretty(value: &impl Serialize, indent: usize) -> String {
    let text = serde_json::to_string_pretty(value).expect("a model is always JSON");
    // A line break within a string is written as an escape.
    text.replace('\n', &format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use postkiln_blueprint::Kind;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_layout_is_that_of_serde_json() {
        let value = json!({ "a": 1, "b": ["x\ny", { "c": {} }], "d": [] });
        let thing = Cause::of(Kind::Domain, "example.org");
        let text = object(&value, &thing);
        assert_eq!(text.as_str(), format!("{}\n", serde_json::to_string_pretty(&value).unwrap()));
        let fields: Vec<_> = (0..9).map(|index| text.cause(index).unwrap().path.join(" ")).collect();
        assert_eq!(fields, ["", "a", "b", "b", "b", "b", "b", "b", "d"]);
        let whole = json!({ "one": [1, { "a": 2 }], "two": [] });
        let mut text = Text::of("{\n", None);
        list(&mut text, "one", &[(json!(1), thing.clone()), (json!({ "a": 2 }), thing.at(&["x"]))], ",");
        list::<Value>(&mut text, "two", &[], "");
        text.add("}\n", None);
        assert_eq!(text.as_str(), format!("{}\n", serde_json::to_string_pretty(&whole).unwrap()));
        assert_eq!((text.cause(2), text.cause(4)), (Some(&thing), Some(&thing.at(&["x"]))));
        assert_eq!((text.cause(1), text.cause(6), text.cause(7)), (None, None, None));
    }
}
