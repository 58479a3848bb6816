//! `retention`: how long removed mailboxes, Trash, Junk and logs are kept, and how many bundles.

use crate::answer::Value;
use crate::decode::quantity;
use crate::decode::walker::{At, Walker};
use crate::{Placed, Retention};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Retention> {
    let fields = walker.fields(at, "retention", &["removed_mailboxes", "trash", "junk", "logs", "bundles"])?;
    let kept = |name| fields.defaulted(name).and_then(|at| time(walker, &at));
    let (removed, trash, junk, logs) = (kept("removed_mailboxes"), kept("trash"), kept("junk"), kept("logs"));
    // At least one bundle is kept, so that the node can go back.
    let bundles = fields.defaulted("bundles").and_then(|at| walker.number(&at, 1, 100));
    Some(Retention { removed_mailboxes: removed?, trash: trash?, junk: junk?, logs: logs?, bundles: bundles? })
}

fn time(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Option<u64>>> {
    match &at.node.value {
        Value::Tag(..) => walker.tag(at, &[("forever", ())]).map(|_| at.placed(None)),
        _ => quantity::seconds(walker, at).map(|time| at.placed(Some(time.value))),
    }
}
