//! Keys that sign: their records can be read (RFC 6376 §3.6.1), and they are strong enough (RFC 8301 §3.2).

use postkiln_address::Domain;
use postkiln_findings::codes;
use postkiln_site::{DkimAlgorithm, Strength, strength};

use super::tags;
use crate::findings::Findings;
use crate::zones::Draft;

pub(super) fn check(zone: &Domain, draft: &Draft<'_>, findings: &mut Findings) {
    let keys = draft.entries.iter().filter(|entry| entry.record.kind == "TXT" && is_key(&entry.record.name));
    for entry in keys {
        let name = &entry.record.name;
        if entry.is_own && draft.at(name, "TXT").count() > 1 {
            let message = format!("{name} in {zone} has more than one TXT record, and a selector has one key");
            findings.add(codes::RECORD, entry.place, message).hint("give each key a selector of its own");
        }
        // Keys of the lock are judged together with the lock.
        if !entry.is_own {
            continue;
        }
        let message = |problem: &str| format!("the DKIM record of {name} in {zone} {problem}");
        let found = key(&entry.record.value).and_then(|key| {
            let Some((algorithm, public)) = key else { return Ok(Strength::Full) };
            strength(algorithm, &public).map_err(|problem| (format!("has a key that nobody takes: {problem}"), NEW_KEY))
        });
        match found {
            Ok(Strength::Full) => {}
            Ok(Strength::Weak(bits)) => {
                let message = message(&format!("has an RSA key of {bits} bits"));
                findings.add(codes::DKIM_SHORT, entry.place, message).hint(NEW_KEY);
            }
            Err((problem, hint)) => {
                findings.add(codes::DKIM, entry.place, message(&problem)).hint(hint);
            }
        }
    }
}

/// Whether a name is that of a key: `postkiln._domainkey`, also for a name below the zone.
fn is_key(name: &str) -> bool {
    name.split_once("._domainkey").is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with('.'))
}

const NEW_KEY: &str = "publish a key of 2048 bits or an Ed25519 key; `dkim = {}` on the domain makes one";

/// The type and the public half of a key; `None` for a key that was revoked (an empty `p=`).
fn key(text: &str) -> Result<Option<(DkimAlgorithm, String)>, (String, &'static str)> {
    let tags = tags(text);
    let tag = |wanted: &str| tags.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
    if let Some(at) = tags.iter().position(|(name, _)| name == "v")
        && (at != 0 || tag("v") != Some("DKIM1"))
    {
        return Err(("does not begin with \"v=DKIM1\"".to_owned(), "begin with it, or leave the version out"));
    }
    let algorithm = match tag("k").unwrap_or("rsa") {
        "rsa" => DkimAlgorithm::Rsa,
        "ed25519" => DkimAlgorithm::Ed25519,
        other => return Err((format!("has a key of the type {other:?}"), "\"rsa\" or \"ed25519\"")),
    };
    let Some(public) = tag("p") else {
        return Err(("has no key".to_owned(), "the public half stands after \"p=\""));
    };
    let public: String = public.split_ascii_whitespace().collect();
    Ok((!public.is_empty()).then_some((algorithm, public)))
}
