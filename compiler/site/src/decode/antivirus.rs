//! `antivirus`: engine, decisions, own signatures.

use crate::decode::walker::{At, Walker};
use crate::{Antivirus, Engine, OnFailure, OnInfected, Placed, Reload, Signature, codes};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Antivirus> {
    let fields = walker.fields(at, "antivirus", FIELDS)?;
    let engine = fields
        .defaulted("engine")
        .and_then(|at| walker.tag(&at, &[("clamav", Engine::Clamav), ("none", Engine::None)]));
    let on_infected = fields.defaulted("on_infected").and_then(|at| walker.tag(&at, &[("reject", OnInfected::Reject)]));
    let on_failure = fields.defaulted("on_failure").and_then(|at| walker.tag(&at, &[("defer", OnFailure::Defer)]));
    let threads = fields.defaulted("threads").and_then(|at| walker.number(&at, 1, 64));
    let reload = fields
        .defaulted("reload")
        .and_then(|at| walker.tag(&at, &[("in_place", Reload::InPlace), ("beside", Reload::Beside)]));
    // The bounds are those of freshclam.
    let checks = fields.defaulted("checks_per_day").and_then(|at| walker.number(&at, 1, 50));
    let mirror = fields.defaulted("mirror").and_then(|at| walker.domain(&at));
    let signatures = fields.optional("signatures", |at| {
        let items = walker.list(at, "names of signature files")?;
        let found: Vec<_> = items.iter().map(|item| signature(walker, item)).collect();
        found.into_iter().collect::<Option<Vec<_>>>()
    });
    let signatures = signatures?.unwrap_or_default();
    let mut complete = true;
    for (index, one) in signatures.iter().enumerate() {
        if signatures.iter().take(index).any(|other| other.value.name == one.value.name) {
            let message = format!("two signature files are called {:?}", one.value.name);
            walker.report(codes::TWICE, message, &one.place, Some("the scanner has one folder for all"));
            complete = false;
        }
    }
    complete.then_some(())?;
    Some(Antivirus {
        engine: engine?,
        on_infected: on_infected?,
        on_failure: on_failure?,
        signatures,
        threads: threads?,
        reload: reload?,
        checks_per_day: checks?,
        mirror: mirror?,
    })
}

const FIELDS: &[&str] =
    &["engine", "on_infected", "on_failure", "signatures", "threads", "reload", "checks_per_day", "mirror"];

/// Reads a signature file beside the site.
fn signature(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Signature>> {
    let path = walker.line(at, "the name of a signature file")?.value;
    let name = path.rsplit('/').next().unwrap_or_default();
    let known = name.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && ENDINGS.contains(&ending));
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if !known || !plain {
        let hint = format!("ClamAV reads files ending in .{}", ENDINGS.join(", ."));
        walker.report(codes::VALUE, format!("{path:?} is not the name of a signature file"), &at.place, Some(&hint));
        return None;
    }
    match walker.content(&path) {
        Ok(bytes) => Some(at.placed(Signature { name: name.to_owned(), bytes })),
        Err(error) => {
            let hint = error.hint("put the file beside site.ncl");
            walker.report(codes::UNREADABLE, format!("{path:?} {error}"), &at.place, Some(hint));
            None
        }
    }
}

/// Formats of signatures that are plain text.
const ENDINGS: [&str; 9] = ["ndb", "hdb", "hsb", "ldb", "mdb", "msb", "fp", "sfp", "ign2"];
