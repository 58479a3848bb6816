//! `autoresponders` of a domain: subject, text, and how often one sender is answered.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};

use crate::answer::Value;
use crate::decode::declared::by_local_part;
use crate::decode::defaults::entry;
use crate::decode::quantity;
use crate::decode::walker::{At, Walker};
use crate::{Autoresponder, Gap, Placed, codes};

pub(super) fn decode_all(
    walker: &Walker<'_>,
    at: &At<'_>,
    home: &Domain,
) -> Option<BTreeMap<LocalPart, Placed<Autoresponder>>> {
    by_local_part(walker, at, "the autoresponders", home, |at, local| {
        autoresponder(walker, at, home).or_else(|| {
            walker.gap(Gap::Settings(home.clone(), local.clone()));
            let text = |name| entry(name, Value::Text(String::new()));
            let node = walker.defaults().filled(vec![text("subject"), text("text")], "Autoresponder");
            walker.stand_in(&node, &at.place, |walker, at| autoresponder(walker, at, home))
        })
    })
}

fn autoresponder(walker: &Walker<'_>, at: &At<'_>, home: &Domain) -> Option<Autoresponder> {
    let fields = walker.fields(at, "an autoresponder", &["subject", "text", "once_per", "replies", "from"])?;
    let subject = fields.required("subject").and_then(|at| walker.line(&at, "a subject"));
    let text = fields.required("text").and_then(|at| {
        let text = walker.text(&at, "the text of the reply")?;
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            walker.report(codes::VALUE, "the text of the reply has control characters", &at.place, None);
            return None;
        }
        Some(at.placed(text.to_owned()))
    });
    let once_per = fields.defaulted("once_per").and_then(|at| quantity::seconds(walker, &at));
    let replies = fields.defaulted("replies").and_then(|at| quantity::count(walker, &at, "replies", 1));
    let from = fields.optional("from", |at| walker.target(at, home));
    Some(Autoresponder { subject: subject?, text: text?, once_per: once_per?, replies: replies?, from: from? })
}
