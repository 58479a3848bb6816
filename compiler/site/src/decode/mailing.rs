//! `lists` and `autoresponders` of a domain.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};

use crate::decode::domain::by_local_part;
use crate::decode::fields::optional;
use crate::decode::quantity;
use crate::decode::walker::{At, Walker};
use crate::{Autoresponder, List, Placed, Posting, codes};

pub(super) fn lists(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<BTreeMap<LocalPart, Placed<List>>> {
    by_local_part(walker, at, "the lists", |at| list(walker, at, home))
}

fn list(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<List> {
    let fields = walker.fields(at, "a list", &["members", "post", "moderators", "prefix", "archive"])?;
    let members = fields.required("members").and_then(|at| walker.targets(&at, home));
    let post = optional(fields.get("post"), |at| {
        let known = [("anyone", Posting::Anyone), ("members", Posting::Members), ("moderators", Posting::Moderators)];
        walker.tag(at, &known)
    });
    let moderators = optional(fields.get("moderators"), |at| walker.targets(at, home));
    let prefix = optional(fields.get("prefix"), |at| walker.line(at, "a subject prefix"));
    let archive = optional(fields.get("archive"), |at| {
        walker.tag(at, &[("nobody", ()), ("members", ()), ("anyone", ())])?;
        let hint = "remove the field to silence this; posts are delivered but not kept";
        walker.report(codes::ARCHIVE, "archives of lists are not kept yet", &at.place, Some(hint));
        Some(())
    });
    archive?;
    Some(List {
        members: members?,
        post: post?.unwrap_or_else(|| at.placed(Posting::Members)),
        moderators: moderators?.unwrap_or_default(),
        prefix: prefix?,
    })
}

pub(super) fn autoresponders(walker: &Walker<'_>, at: &At<'_>) -> Option<BTreeMap<LocalPart, Placed<Autoresponder>>> {
    by_local_part(walker, at, "the autoresponders", |at| autoresponder(walker, at))
}

fn autoresponder(walker: &Walker<'_>, at: &At<'_>) -> Option<Autoresponder> {
    let fields = walker.fields(at, "an autoresponder", &["subject", "text", "once_per"])?;
    let subject = fields.required("subject").and_then(|at| walker.line(&at, "a subject"));
    let text = fields.required("text").and_then(|at| {
        let text = walker.text(&at, "the text of the reply")?;
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            walker.report(codes::VALUE, "the text of the reply has control characters", &at.place, None);
            return None;
        }
        Some(at.placed(text.to_owned()))
    });
    let once_per = fields.defaulted("once_per").and_then(|at| {
        walker.parsed(&at, "a time", Some("write a number and a unit: \"1 day\", \"30 minutes\""), quantity::time)
    });
    Some(Autoresponder { subject: subject?, text: text?, once_per: once_per? })
}
