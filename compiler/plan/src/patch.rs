//! The actions of a plan: a JSON Patch (RFC 6902) over `blueprint.json`, with the operations `add`, `remove` and
//! `move`. `apply` sends it, and the tests apply it. Confidential values are not in it, since a blueprint's JSON form
//! has none.

use postkiln_blueprint::Blueprint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One operation. Paths are JSON Pointers (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub enum Operation {
    /// Sets a member, whether there was one or not.
    Add {
        /// The member's path.
        path: String,
        /// The new value.
        value: Value,
    },
    /// Removes a member.
    Remove {
        /// The member's path.
        path: String,
    },
    /// Gives a member another name.
    Move {
        /// The old path.
        from: String,
        /// The new path.
        path: String,
    },
}

/// The blueprint that results from the operations.
///
/// # Errors
/// When an operation does not fit the blueprint, because it was made for another one.
pub fn apply(base: &Blueprint, operations: &[Operation]) -> Result<Blueprint, PatchError> {
    let mut model = serde_json::to_value(base).map_err(PatchError::Model)?;
    for operation in operations {
        perform(&mut model, operation)?;
    }
    serde_json::from_value(model).map_err(PatchError::Model)
}

/// The reason why operations do not fit a blueprint.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum PatchError {
    #[error("there is no {0} in the base")]
    Absent(String),
    #[error("the operations do not make a blueprint")]
    Model(#[source] serde_json::Error),
}

fn perform(model: &mut Value, operation: &Operation) -> Result<(), PatchError> {
    match operation {
        Operation::Add { path, value } => {
            let (object, name) = parent(model, path)?;
            object.insert(name, value.clone());
        }
        Operation::Remove { path } => drop(taken(model, path)?),
        Operation::Move { from, path } => {
            let value = taken(model, from)?;
            let (object, name) = parent(model, path)?;
            object.insert(name, value);
        }
    }
    Ok(())
}

fn taken(model: &mut Value, path: &str) -> Result<Value, PatchError> {
    let (object, name) = parent(model, path)?;
    object.shift_remove(&name).ok_or_else(|| PatchError::Absent(path.to_owned()))
}

/// The object that holds the last name of a path, and that name.
fn parent<'a>(model: &'a mut Value, path: &str) -> Result<(&'a mut Map<String, Value>, String), PatchError> {
    let absent = || PatchError::Absent(path.to_owned());
    let (above, name) = path.rsplit_once('/').ok_or_else(absent)?;
    let object = model.pointer_mut(above).and_then(Value::as_object_mut).ok_or_else(absent)?;
    Ok((object, name.replace("~1", "/").replace("~0", "~")))
}

/// A name as a step of a JSON Pointer (RFC 6901 §3).
pub(crate) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_change_members_or_say_that_there_are_none() {
        let check = |operation: Value, expected: Option<Value>| {
            let mut model = json!({"a": {"b/c": 1}});
            let operation: Operation = serde_json::from_value(operation).unwrap();
            let done = perform(&mut model, &operation).is_ok();
            assert_eq!(done.then_some(model), expected, "{operation:?}");
        };
        check(json!({"op": "add", "path": "/a/d", "value": 2}), Some(json!({"a": {"b/c": 1, "d": 2}})));
        check(json!({"op": "add", "path": format!("/a/{}", step("b/c")), "value": 2}), Some(json!({"a": {"b/c": 2}})));
        check(json!({"op": "remove", "path": "/a/b~1c"}), Some(json!({"a": {}})));
        check(json!({"op": "move", "from": "/a/b~1c", "path": "/d"}), Some(json!({"a": {}, "d": 1})));
        check(json!({"op": "remove", "path": "/a/x"}), None);
        check(json!({"op": "add", "path": "/x/y", "value": 2}), None);
    }
}
