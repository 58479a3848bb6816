//! One thing that differs between two states, with its fields that differ.

use postkiln_blueprint::impact::{Field, Holds};
use postkiln_blueprint::{Kind, ObjectId};
use postkiln_findings::Place;
use serde_json::Value;

use crate::Places;

/// The kinds of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The thing is only in the old state.
    Remove,
    /// The thing is in both states, with other fields or under another name.
    Change,
    /// The thing is only in the new state.
    Add,
}

impl Action {
    /// The word for the action in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

/// A thing that differs, with the fields that do.
#[derive(Clone, Debug)]
pub struct Change {
    /// The thing's name; that of the new state, if the thing is there.
    pub id: ObjectId,
    /// The kind of difference.
    pub action: Action,
    /// The name in the old state, when the site's `moved` says that it is the same thing.
    pub from: Option<ObjectId>,
    /// Fields that differ; when the whole thing comes or goes, all fields that hold something.
    pub attributes: Vec<Attribute>,
    /// The place where the new value is written; for removals, where the old one was. `None` when nobody wrote it
    /// because it follows from other things.
    pub place: Option<Place>,
}

/// A field that differs.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Names of fields from the thing inward: `forward`, `to`.
    pub path: Vec<String>,
    /// The old value; `None`: there was none.
    pub before: Option<Value>,
    /// The new value; `None`: there is none.
    pub after: Option<Value>,
    /// The field's row in the table of impacts.
    pub field: Field,
    /// The place where the new value is written.
    pub place: Option<Place>,
}

impl Attribute {
    /// Whether the values must not be shown. Then they hold only the kind of each value.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.field.holds == Holds::Sensitive
    }

    /// The path as text: `forward.to`.
    #[must_use]
    pub fn dotted(&self) -> String {
        self.path.join(".")
    }
}

impl Change {
    /// Whether the change follows from other changes: nobody wrote it.
    #[must_use]
    pub const fn follows(&self) -> bool {
        self.place.is_none() && matches!(self.id.kind(), Kind::Control | Kind::Listener | Kind::Service)
    }

    /// Looks up the places of the change and of its attributes.
    pub(crate) fn locate(&mut self, base: &dyn Places, new: &dyn Places) {
        let places = if self.action == Action::Remove { base } else { new };
        self.place = places.place(&self.id, &[]);
        for attribute in &mut self.attributes {
            let path: Vec<&str> = attribute.path.iter().map(String::as_str).collect();
            attribute.place = places.place(&self.id, &path).or_else(|| self.place.clone());
        }
        // A thing of several parts has the place of its changed part.
        if self.place.is_none() {
            self.place = self.attributes.iter().find_map(|attribute| attribute.place.clone());
        }
    }
}

/// The leaves of a field that differ. A sensitive field's values are reduced to their kind here and go no further.
pub(crate) fn attributes(field: &Field, before: Value, after: Value) -> Vec<Attribute> {
    let mut found = Vec::new();
    if before == after {
        return found;
    }
    let path = vec![field.name.to_owned()];
    if field.holds == Holds::Sensitive {
        let (before, after) = (kind_of(before), kind_of(after));
        found.push(Attribute { path, before, after, field: *field, place: None });
    } else {
        leaves(field, path, before, after, &mut found);
    }
    found
}

fn leaves(field: &Field, path: Vec<String>, before: Value, after: Value, found: &mut Vec<Attribute>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(mut before), Value::Object(after)) => {
            let gone: Vec<String> = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
            for (name, value) in after {
                let earlier = before.remove(&name).unwrap_or_default();
                leaves(field, [&path[..], &[name]].concat(), earlier, value, found);
            }
            for name in gone {
                let earlier = before.remove(&name).unwrap_or_default();
                leaves(field, [&path[..], &[name]].concat(), earlier, Value::Null, found);
            }
        }
        (before, after) => {
            found.push(Attribute { path, before: present(before), after: present(after), field: *field, place: None });
        }
    }
}

fn present(value: Value) -> Option<Value> {
    if value.is_null() { None } else { Some(value) }
}

/// The name of an enum's variant: `hash` for `{"hash": {…}}`, `none` for `"none"`.
fn kind_of(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(fields) => Some(fields.keys().next().map_or(Value::Null, |name| Value::from(name.as_str()))),
        Value::String(variant) => Some(Value::String(variant)),
        _ => Some(Value::from("set")),
    }
}
