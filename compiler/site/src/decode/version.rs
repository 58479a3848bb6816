//! `version`: which version of the language a site is written in. The version is judged before anything else, because a
//! site of another version has fields that this one does not know.

use crate::answer::Value;
use crate::codes;
use crate::decode::walker::{At, Walker};

/// The version of the language that this compiler reads, and the schema's in a bundle's manifest.
pub const VERSION: u32 = 1;

/// Whether the site has our version. A site of another version gets one finding, and nothing else need be decoded.
pub(super) fn is_ours(walker: &Walker<'_>, site: &At<'_>) -> bool {
    let Value::Record(entries) = &site.node.value else { return true };
    let Some(entry) = entries.iter().find(|entry| entry.name == "version") else { return true };
    let at = walker.entry(site, entry);
    let (message, hint) = match entry.node.value {
        Value::Integer(version) if version == i128::from(VERSION) => return true,
        Value::Integer(version) if version > i128::from(VERSION) => (
            format!(
                "the site is written in version {version} of the language, and this postkiln knows version {VERSION}"
            ),
            "take a newer postkiln".to_owned(),
        ),
        Value::Integer(version) if version >= 1 => (
            format!(
                "the site is written in version {version} of the language, and this postkiln reads version {VERSION}"
            ),
            "`postkiln fmt --migrate` rewrites it, comments and all".to_owned(),
        ),
        _ => ("there is no such version of the language".to_owned(), format!("write `version = {VERSION}`")),
    };
    walker.report(codes::OTHER_VERSION, message, &at.place, Some(&hint));
    false
}
