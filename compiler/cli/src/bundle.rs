//! From a site to its bundle in memory: the one place where the commands check, lower and render.

use std::path::Path;

use postkiln_blueprint::{Blueprint, SourceMap};
use postkiln_bundle::{Bundle, Manifest};
use postkiln_findings::{Diagnostic, is_wrong};
use postkiln_site::{Read, Site};

use crate::findings::{self, Deny};
use crate::outcome::Failure;

/// The bundle of a site, for commands that go on with it. Findings go to stderr.
///
/// # Errors
/// When the site has errors (they have been shown), or cannot be read.
pub(crate) fn site_bundle(site: &Path) -> Result<Bundle, Failure> {
    site_bundle_denying(site, None)
}

/// [`site_bundle`], with warnings counted as errors when they are denied.
pub(crate) fn site_bundle_denying(site: &Path, deny: Option<Deny>) -> Result<Bundle, Failure> {
    let (compiled, found) = compile(site)?;
    findings::show(site, &found);
    findings::judge(&found, deny)?;
    compiled.map(|compiled| compiled.bundle()).ok_or(Failure::Findings)
}

/// A site and all that was made of it.
pub(crate) struct Compiled {
    /// What was written.
    pub(crate) site: Site,
    /// What the machine needs.
    pub(crate) blueprint: Blueprint,
    /// Where in the site its things stand.
    pub(crate) map: SourceMap,
}

impl Compiled {
    /// What the node reads.
    pub(crate) fn bundle(&self) -> Bundle {
        postkiln_render::render(&self.blueprint, &self.site.sources, &self.map)
    }

    /// The bundle's table of contents.
    pub(crate) fn manifest(&self) -> Manifest {
        postkiln_render::manifest(&self.blueprint, &self.site.sources, &self.map)
    }
}

/// Everything that can be said about a site, in source order, and what it makes when nothing is an error.
///
/// # Errors
/// When there is no such site.
pub(crate) fn compile(site: &Path) -> Result<(Option<Compiled>, Vec<Diagnostic>), Failure> {
    let Checked { lowered, found } = check(site)?;
    let compiled = lowered.map(|(site, blueprint)| {
        let map = SourceMap::new(&site, &blueprint);
        Compiled { site, blueprint, map }
    });
    Ok((compiled, found))
}

/// What came of looking at a site.
pub(crate) struct Checked {
    /// The site and what it means, when nothing is an error.
    pub(crate) lowered: Option<(Site, Blueprint)>,
    /// All findings that are not silenced, in source order.
    pub(crate) found: Vec<Diagnostic>,
}

/// Everything that can be said about a site, and what it means when nothing is an error; nothing is rendered.
///
/// # Errors
/// When there is no such site.
pub(crate) fn check(site: &Path) -> Result<Checked, Failure> {
    exists(site)?;
    Ok(lowered(site, postkiln_site::read(site)))
}

/// That there is something to read.
///
/// # Errors
/// When there is nothing.
pub(crate) fn exists(site: &Path) -> Result<(), Failure> {
    let found = site.metadata();
    found.map(drop).map_err(|source| Failure::environment(format!("cannot read {}", site.display()), source))
}

/// The same for a site that has been read.
pub(crate) fn lowered(path: &Path, read: Read) -> Checked {
    let (site, mut found) = match read {
        Ok(read) => read,
        Err(found) => return Checked { lowered: None, found: findings::silenced(path, None, found) },
    };
    let blueprint = match postkiln_blueprint::lower(&site) {
        Ok((blueprint, warnings)) => {
            found.extend(warnings);
            Some(blueprint)
        }
        Err(errors) => {
            found.extend(errors);
            None
        }
    };
    let found = findings::silenced(path, Some(&site), found);
    // Silencing may have been found wrong.
    let blueprint = blueprint.filter(|_| !is_wrong(&found));
    Checked { lowered: blueprint.map(|blueprint| (site, blueprint)), found }
}
