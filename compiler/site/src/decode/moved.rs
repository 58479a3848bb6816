//! `moved`: renames of users, aliases, lists, autoresponders and domains.

use crate::decode::walker::{At, Walker};
use crate::{Movable, Move, Placed, codes};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<Move>>> {
    let items = walker.list(at, "renames")?;
    let found: Vec<_> = items.iter().map(|item| one(walker, item)).collect();
    found.into_iter().collect()
}

fn one(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Move>> {
    let fields = walker.fields(at, "a rename", &["from", "to"])?;
    let from = fields.required("from").and_then(|at| name(walker, &at));
    let to = fields.required("to").and_then(|at| name(walker, &at));
    let (from, to) = (from?, to?);
    if from.value.kind() != to.value.kind() {
        let message = format!("a rename makes no {} of a {}", to.value.kind(), from.value.kind());
        let hint = "both names have the same word before the slash";
        walker.report(codes::RENAME, message, &to.place, Some(hint));
        return None;
    }
    Some(at.placed(Move { from, to }))
}

fn name(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Movable>> {
    walker.parsed(
        at,
        "something that can be renamed",
        Some("write `user/ada@example.org` or `domain/example.org`"),
        str::parse,
    )
}
