//! The fields of one record while it is decoded.

use crate::decode::walker::{At, Named, Walker};
use crate::{Place, codes, suggest};

/// A record's fields by name.
pub(super) struct Fields<'a> {
    walker: &'a Walker<'a>,
    place: Place,
    what: &'static str,
    named: Vec<Named<'a>>,
    /// Known fields that unknown ones were probably meant to be.
    misspelt: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(
        walker: &'a Walker<'a>,
        place: Place,
        what: &'static str,
        named: Vec<Named<'a>>,
        misspelt: Vec<&'static str>,
    ) -> Self {
        Self { walker, place, what, named, misspelt }
    }

    /// A field that may be absent.
    pub(super) fn get(&self, name: &str) -> Option<At<'a>> {
        self.named.iter().find(|field| field.name == name).map(|field| field.value.clone())
    }

    /// A field that a person must write; its absence is recorded, unless a misspelt one was recorded that was meant
    /// to be it.
    pub(super) fn required(&self, name: &str) -> Option<At<'a>> {
        let found = self.get(name);
        if found.is_none() && !self.is_misspelt(name) {
            let hint = format!("{} needs the field `{name}`", self.what);
            self.walker.report(codes::MISSING, format!("the field `{name}` is missing"), &self.place, Some(&hint));
        }
        found
    }

    /// A field for which the schema has a default: absent only where no contract of the schema was applied. `None` too
    /// when it is misspelt, since the default is not what was meant.
    pub(super) fn defaulted(&self, name: &str) -> Option<At<'a>> {
        self.required(name).filter(|at| at.is_written || !self.is_misspelt(name))
    }

    /// Decodes an optional field: `Some(None)` when it is absent, `None` when it is wrong or its name misspelt.
    pub(super) fn optional<T>(&self, name: &str, decode: impl FnOnce(&At<'a>) -> Option<T>) -> Option<Option<T>> {
        self.optional_at(name, self.get(name), decode)
    }

    /// The same for a field whose default is not decoded.
    pub(super) fn optional_written<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&At<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.optional_at(name, self.get(name).filter(|at| at.is_written), decode)
    }

    fn optional_at<T>(
        &self,
        name: &str,
        at: Option<At<'a>>,
        decode: impl FnOnce(&At<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        match at {
            Some(at) if at.is_written || !self.is_misspelt(name) => decode(&at).map(Some),
            None if !self.is_misspelt(name) => Some(None),
            _ => None,
        }
    }

    /// Whether a field that nobody knows was probably meant to be this one.
    pub(super) fn is_misspelt(&self, name: &str) -> bool {
        self.misspelt.contains(&name)
    }

    /// The names of the fields that a person wrote, with their places.
    pub(super) fn written(&self) -> impl Iterator<Item = &Named<'a>> {
        self.named.iter().filter(|field| field.value.is_written)
    }
}

impl<'a> Walker<'a> {
    /// A record with known fields; unknown ones are recorded.
    pub(super) fn fields<'n>(
        &'n self,
        at: &At<'n>,
        what: &'static str,
        known: &'static [&'static str],
    ) -> Option<Fields<'n>> {
        let named = self.entries(at, what)?;
        let mut misspelt = Vec::new();
        for field in named.iter().filter(|field| !known.contains(&field.name)) {
            let near = suggest::nearest(field.name, known.iter().copied());
            let hint = near.map_or_else(
                || format!("{what} has the fields {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("unknown field `{}` in {what}", field.name);
            self.report(codes::UNKNOWN_FIELD, message, &field.place, Some(&hint));
            misspelt.extend(near);
        }
        Some(Fields::new(self, at.place.clone(), what, named, misspelt))
    }
}
