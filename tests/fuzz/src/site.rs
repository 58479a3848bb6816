//! Sites: any evaluated value, and any population beside one, is refused with findings that have their
//! place, or compiled.

use std::fs;
use std::path::Path;

use postkiln_blueprint::lower;

use crate::shown;

/// A file `people.csv` of users and aliases, beside a fixed site.
pub fn csv(octets: &[u8]) {
    population("people.csv", octets);
}

/// The same population as JSON lines.
pub fn jsonl(octets: &[u8]) {
    population("people.jsonl", octets);
}

/// The evaluated value of a site, as JSON.
pub fn site(octets: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("site.json"), octets).expect("our own folder");
    judge(folder.path());
}

fn population(name: &str, octets: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join(name), octets).expect("our own folder");
    for field in ["users_from", "aliases_from"] {
        let value = SITE.replace("\"from\": null", &format!("\"{field}\": \"{name}\""));
        fs::write(folder.path().join("site.json"), value).expect("our own folder");
        judge(folder.path());
    }
}

/// Checks that the site is compiled or has an error, and that every finding can be shown, with places that exist.
fn judge(folder: &Path) {
    let source = |file: &str| fs::read(folder.join(file)).expect("a file of the site");
    match postkiln_site::read_json(&folder.join("site.json")) {
        Err(unsound) => {
            shown::check_refusal(&source, &unsound.findings);
            // The parts that could be read are judged too.
            if let Some(site) = unsound.site {
                let more = lower(&site).map_or_else(|errors| errors, |(_, warnings)| warnings);
                more.iter().for_each(|finding| shown::check(&source, finding));
            }
        }
        Ok((site, findings)) => {
            findings.iter().for_each(|finding| shown::check(&source, finding));
            let more = lower(&site).map_or_else(|errors| errors, |(_, warnings)| warnings);
            more.iter().for_each(|finding| shown::check(&source, finding));
        }
    }
}

/// A whole site, as the contracts of the schema would have completed it.
const SITE: &str = include_str!("../site.json");

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that the contracts give every site must be in `site.json` and the corpus; without it the targets would
    /// see nothing that comes after decoding.
    #[test]
    fn the_site_of_the_targets_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.json");
        for (field, name, rows) in [
            ("users_from", "people.csv", "name,quota\ntim,5 GiB\n"),
            ("aliases_from", "people.jsonl", "{\"name\": \"sales\", \"targets\": [\"ada\"]}\n"),
        ] {
            fs::write(folder.path().join(name), rows).unwrap();
            fs::write(&path, SITE.replace("\"from\": null", &format!("\"{field}\": \"{name}\""))).unwrap();
            let (site, _) = postkiln_site::read_json(&path).unwrap_or_else(|findings| panic!("{findings:#?}"));
            lower(&site).unwrap_or_else(|findings| panic!("{findings:#?}"));
        }
    }
}
