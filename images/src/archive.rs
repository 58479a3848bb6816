//! The sources of Debian's packages, which are the host's own apt sources or `--mirror`, and fetching from them. No
//! address of any archive stands in this code.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::ImageError;

/// The addresses of the archives, without a final slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    main: String,
    security: String,
}

/// The largest file that is fetched: no file of an archive that we ask for is larger.
const LIMIT: u64 = 1 << 30;

impl Mirror {
    /// The archive that a person named, or the host's.
    ///
    /// # Errors
    /// When the person named none and the host has none.
    pub fn find(named: Option<&str>) -> Result<Self, ImageError> {
        if let Some(named) = named {
            let main = named.trim_end_matches('/').to_owned();
            return Ok(Self { security: format!("{main}-security"), main });
        }
        let places = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];
        let addresses: Vec<String> = files(&places).iter().flat_map(|(path, text)| addresses(path, text)).collect();
        let is_security = |address: &&String| address.trim_end_matches('/').ends_with("-security");
        let main = addresses.iter().find(|address| address.trim_end_matches('/').ends_with("/debian"));
        let Some(main) = main else { return Err(ImageError::NoMirror { searched: places.join(" and ") }) };
        let main = main.trim_end_matches('/').to_owned();
        let security = addresses
            .iter()
            .find(is_security)
            .map_or_else(|| format!("{main}-security"), |found| found.trim_end_matches('/').to_owned());
        Ok(Self { main, security })
    }

    /// The address of a path in one of the archives of `packages.json`.
    #[must_use]
    pub fn address(&self, archive: &str, path: &str) -> String {
        let base = if archive.ends_with("-security") { &self.security } else { &self.main };
        format!("{base}/{path}")
    }
}

fn files(places: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for place in places {
        let path = Path::new(place);
        if let Ok(text) = fs::read_to_string(path) {
            found.push(((*place).to_owned(), text));
        }
        let mut names: Vec<_> = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        names.sort();
        for path in names {
            if let Ok(text) = fs::read_to_string(&path) {
                found.push((path.to_string_lossy().into_owned(), text));
            }
        }
    }
    found
}

/// The addresses of a sources file: `.list` (sources.list(5), one-line style) or `.sources` (deb822 style).
fn addresses(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.trim_start().starts_with('#'));
    let words: Vec<&str> = if path.ends_with(".sources") {
        let mut in_uris = false;
        let mut words = Vec::new();
        for line in lines {
            let key = line.split_once(':').filter(|_| !line.starts_with([' ', '\t']));
            match key {
                Some((key, value)) => {
                    in_uris = key.eq_ignore_ascii_case("URIs");
                    if in_uris {
                        words.extend(value.split_whitespace());
                    }
                }
                None if in_uris => words.extend(line.split_whitespace()),
                None => {}
            }
        }
        words
    } else if path.ends_with(".list") {
        lines.filter(|line| line.starts_with("deb ")).flat_map(str::split_whitespace).collect()
    } else {
        Vec::new()
    };
    words
        .into_iter()
        .filter(|word| word.starts_with("http://") || word.starts_with("https://"))
        .map(str::to_owned)
        .collect()
}

/// The reason why a file could not be fetched.
#[derive(Debug)]
pub(crate) enum Miss {
    /// The archive answered that it has no such file.
    Absent(String),
    /// The archive could not be asked.
    Failed(String),
}

impl Miss {
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Absent(reason) | Self::Failed(reason) => reason,
        }
    }
}

/// Fetches a URL of the kind `http://`, `https://` or `file://`.
pub(crate) fn fetch(url: &str) -> Result<Vec<u8>, Miss> {
    if let Some(path) = url.strip_prefix("file://") {
        return fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Miss::Absent(error.to_string()),
            _ => Miss::Failed(error.to_string()),
        });
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .build()
        .into();
    let mut response = agent.get(url).call().map_err(|error| match error {
        ureq::Error::StatusCode(code @ (404 | 410)) => Miss::Absent(format!("HTTP status {code}")),
        other => Miss::Failed(other.to_string()),
    })?;
    let mut bytes = Vec::new();
    let mut body = response.body_mut().with_config().limit(LIMIT).reader();
    body.read_to_end(&mut bytes).map_err(|error| Miss::Failed(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_both_forms_of_apt_sources() {
        let check = |path: &str, text: &str, expected: &[&str]| assert_eq!(addresses(path, text), expected);
        let list = "# deb http://old.example/debian x main\ndeb [signed-by=/k] http://a.example/debian trixie main\n";
        check("sources.list", list, &["http://a.example/debian"]);
        let sources = "Types: deb\nURIs: https://a.example/debian\n https://b.example/debian/\nSuites: trixie\n";
        check("x.sources", sources, &["https://a.example/debian", "https://b.example/debian/"]);
        check("x.list.disabled", list, &[]);
    }

    #[test]
    fn the_security_archive_stands_beside_a_named_mirror() {
        let mirror = Mirror::find(Some("file:///m/debian/")).unwrap();
        assert_eq!(mirror.address("debian", "pool/x"), "file:///m/debian/pool/x");
        assert_eq!(mirror.address("debian-security", "pool/x"), "file:///m/debian-security/pool/x");
    }
}
