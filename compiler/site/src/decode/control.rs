//! `control`: qmail control files by name, checked by `schemas/control`.

use std::collections::BTreeMap;

use crate::answer::Value;
use crate::decode::walker::{At, Walker};
use crate::{ControlValue, Placed, codes};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<BTreeMap<String, Placed<ControlValue>>> {
    let mut files = BTreeMap::new();
    let mut complete = true;
    for named in walker.entries(at, "control files by name")? {
        match value(walker, &named.value) {
            Some(value) => {
                files.insert(named.name.to_owned(), Placed { value, place: named.value.place });
            }
            None => complete = false,
        }
    }
    complete.then_some(files)
}

fn value(walker: &Walker<'_>, at: &At<'_>) -> Option<ControlValue> {
    match &at.node.value {
        Value::Integer(number) => {
            let found = u64::try_from(*number).ok();
            if found.is_none() {
                walker.report(codes::VALUE, format!("{number} is not a whole number from 0"), &at.place, None);
            }
            found.map(ControlValue::Integer)
        }
        Value::Fraction(number) => {
            walker.report(codes::VALUE, format!("{number} is not a whole number"), &at.place, None);
            None
        }
        Value::Text(_) => walker.line(at, "a control file's line").map(|line| ControlValue::Line(line.value)),
        Value::List(_) => {
            let items = walker.list(at, "lines")?;
            let lines: Vec<_> = items.iter().map(|item| walker.line(item, "a control file's line")).collect();
            let lines: Option<Vec<_>> = lines.into_iter().collect();
            Some(ControlValue::Lines(lines?.into_iter().map(|line| line.value).collect()))
        }
        _ => {
            walker.mistyped(at, "a number, a line, or a list of lines", None);
            None
        }
    }
}
