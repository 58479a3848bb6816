//! The thing of a site that a generated line was made for. Causes are recorded where lines are made
//! (`compiler/render`); [`crate::origin`] knows where things were written.

use std::fmt::Display;

use crate::{Kind, ObjectId};

/// A thing, and the part of it, that a line was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The id of the thing.
    pub id: ObjectId,
    /// The field within it, as [`crate::origin::place`] takes it; empty for the thing as a whole.
    pub path: Vec<String>,
}

impl Cause {
    /// The thing of this name as a whole.
    #[must_use]
    pub fn of(kind: Kind, name: impl Display) -> Self {
        ObjectId::new(kind, name).into()
    }

    /// The thing in a domain as a whole.
    #[must_use]
    pub fn within(kind: Kind, local: impl Display, domain: impl Display) -> Self {
        ObjectId::within(kind, local, domain).into()
    }

    /// The only thing of its kind as a whole.
    #[must_use]
    pub fn single(kind: Kind) -> Self {
        ObjectId::single(kind).into()
    }

    /// A field of the same thing; in a zone, the name and the type of a record.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Self {
        Self { id: self.id.clone(), path: path.iter().map(|name| (*name).to_owned()).collect() }
    }
}

impl From<ObjectId> for Cause {
    fn from(id: ObjectId) -> Self {
        Self { id, path: Vec::new() }
    }
}
