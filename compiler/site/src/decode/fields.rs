//! The fields of one record while it is decoded.

use crate::Place;
use crate::codes;
use crate::decode::walker::{At, Named, Walker};

/// A record's fields by name.
pub(super) struct Fields<'a> {
    walker: &'a Walker<'a>,
    place: Place,
    what: &'static str,
    named: Vec<Named<'a>>,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(walker: &'a Walker<'a>, place: Place, what: &'static str, named: Vec<Named<'a>>) -> Self {
        Self { walker, place, what, named }
    }

    /// A field that may be absent.
    pub(super) fn get(&self, name: &str) -> Option<At<'a>> {
        self.named.iter().find(|field| field.name == name).map(|field| field.value.clone())
    }

    /// A field that a person must write; its absence is recorded.
    pub(super) fn required(&self, name: &str) -> Option<At<'a>> {
        let found = self.get(name);
        if found.is_none() {
            let hint = format!("{} needs the field `{name}`", self.what);
            self.walker.report(codes::MISSING, format!("the field `{name}` is missing"), &self.place, Some(&hint));
        }
        found
    }

    /// A field for which the schema has a default: absent only when the contracts were left out, and then there are
    /// findings anyway and no site comes of it.
    pub(super) fn defaulted(&self, name: &str) -> Option<At<'a>> {
        if self.walker.unchecked { self.get(name) } else { self.required(name) }
    }

    /// The names of the fields that a person wrote, with their places.
    pub(super) fn written(&self) -> impl Iterator<Item = &Named<'a>> {
        self.named.iter().filter(|field| field.value.is_written)
    }
}

/// Decodes an optional field: `Some(None)` when it is absent, `None` when it is wrong.
pub(super) fn optional<'a, T>(field: Option<At<'a>>, decode: impl FnOnce(&At<'a>) -> Option<T>) -> Option<Option<T>> {
    field.map_or(Some(None), |at| decode(&at).map(Some))
}
