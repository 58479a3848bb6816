//! Where the serial numbers of the zones come from, in this order: the command line, the newest commit that touched the
//! site, an earlier bundle, whose numbers no commit undercuts. What is not said by any of them is a finding where
//! somebody needs it. Start at [`Numbering::decide`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use postkiln_blueprint::{Blueprint, Zone};
use postkiln_bundle::paths;
use postkiln_findings::{Diagnostic, Place, codes};
use postkiln_render::{Serials, following};
use postkiln_site::Site;

use crate::git::{self, NoTime};
use crate::outcome::Failure;
use crate::{bundle, findings};

/// The options of commands that make a bundle.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// The serial number of all zones; it must grow [default: the time of the newest commit that touched the site]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    serial: Option<u32>,
    /// An earlier bundle of the site: where no commit says a larger number, a zone that changes gets the one after
    /// its own there
    #[arg(long, value_name = "BUNDLE")]
    after: Option<PathBuf>,
}

/// Sources of serial numbers beside the site itself.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    /// The number that the command line gives.
    pub(crate) given: Option<u32>,
    /// The numbers that follow an earlier state's.
    pub(crate) earlier: Option<Serials>,
}

impl Options {
    /// Reads the earlier bundle.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn numbering(&self) -> Result<Numbering, Failure> {
        let read = |path: &PathBuf| {
            let failed = |error| Failure::environment(format!("cannot use {} as a bundle", path.display()), error);
            bundle::open(path, is_zone).map(|(_, files)| Numbering::after(&files)).map_err(failed)
        };
        Ok(Numbering { given: self.serial, earlier: self.after.as_ref().map(read).transpose()? })
    }
}

impl Numbering {
    /// Whether nothing is known.
    pub(crate) const fn is_default(&self) -> bool {
        self.given.is_none() && self.earlier.is_none()
    }

    /// The number on the command line, and nothing else beside the site.
    pub(crate) fn given(given: Option<u32>) -> Self {
        Self { given, earlier: None }
    }

    /// Numbers after those of a bundle, of which these are files.
    pub(crate) fn after(files: &BTreeMap<String, Vec<u8>>) -> Serials {
        let text = |(path, bytes): (&String, &Vec<u8>)| (path.clone(), String::from_utf8_lossy(bytes).into_owned());
        Serials::After(files.iter().filter(|(path, _)| is_zone(path)).map(text).collect())
    }

    /// The number after that of an earlier commit.
    pub(crate) fn after_commit(serial: u32) -> Serials {
        Serials::Same(following(serial))
    }

    /// The serial numbers of a site's zones, and what is to be said about them. `path` is the site's.
    pub(crate) fn decide(&self, path: &Path, site: &Site, blueprint: &Blueprint) -> (Serials, Option<Diagnostic>) {
        if let Some(given) = self.given {
            return (Serials::Same(given), None);
        }
        if !blueprint.zones.values().any(|zone| zone.publish) {
            return (Serials::default(), None);
        }
        match (git::committed(&findings::folder(path), site.sources.keys().map(String::as_str)), &self.earlier) {
            (Ok(time), Some(Serials::After(files))) => (Serials::AtLeast(time, files.clone()), None),
            (Ok(time), _) => (Serials::Same(time), None),
            (Err(_), Some(earlier)) => (earlier.clone(), None),
            (Err(why), None) => (Serials::default(), finding(site, blueprint, &why)),
        }
    }
}

/// Zones without secondaries may have any number; but a number that is another one in the whole history is said.
fn finding(site: &Site, blueprint: &Blueprint, why: &NoTime) -> Option<Diagnostic> {
    let secondaries = "the zones have secondaries, and nothing gives them a serial number that grows";
    let (code, message, hint) = match why {
        NoTime::Shallow => (
            codes::SHALLOW,
            "the history ends before the newest commit that touched the site: zones get the serial number 1".to_owned(),
            "fetch the history (`git fetch --unshallow`), or give `--serial N`",
        ),
        _ if !has_secondaries(blueprint) => return None,
        NoTime::NoRepository(said) => (codes::SERIALS, format!("{secondaries} ({said})"), COMMIT),
        NoTime::Uncommitted(file) => {
            (codes::SERIALS, format!("{secondaries} ({file} is not committed as it is)"), COMMIT)
        }
    };
    let mut finding = Diagnostic::new(code, message).at(servers(site));
    finding.hint(hint);
    Some(finding)
}

/// Whether a zone has more servers than the one that loads it.
fn has_secondaries(blueprint: &Blueprint) -> bool {
    let servers = |zone: &Zone| zone.records.iter().filter(|one| one.kind == "NS" && one.name == "@").count();
    blueprint.zones.values().any(|zone| zone.publish && servers(zone) > 1)
}

/// The place where the site names the servers of its zones.
fn servers(site: &Site) -> &Place {
    let named = site.dns.name_servers.last().map(|server| &server.place);
    let mut own = site.dns.records.values().flatten().filter(|one| one.value.kind == "NS" && one.value.name == "@");
    named.or_else(|| own.next().map(|record| &record.place)).unwrap_or(&site.appliance.hostname.place)
}

/// Whether this is the path of a zone file in a bundle.
pub(crate) fn is_zone(path: &str) -> bool {
    paths::is_zone(path)
}

const COMMIT: &str = "commit the site, or give `--serial N` with a number that grows, or `--after BUNDLE`";
