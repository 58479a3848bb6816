//! `silence`: codes of warnings that are hidden in the whole site.

use postkiln_findings::{Code, silenceable};

use crate::Placed;
use crate::decode::walker::{At, Walker};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Vec<Placed<Code>>> {
    let items = walker.list(at, "codes of warnings")?;
    let found: Vec<_> = items
        .iter()
        .map(|item| {
            let name = walker.text(item, "the code of a warning")?;
            match silenceable(name, &item.place) {
                Ok(code) => Some(item.placed(code)),
                Err(finding) => {
                    walker.report(finding.code, finding.message, &item.place, finding.hint.as_deref());
                    None
                }
            }
        })
        .collect();
    found.into_iter().collect()
}
