//! From a site to its bundle in memory: the one place where the commands check, lower and render.

use std::path::Path;
use std::thread;

use postkiln_blueprint::{Blueprint, SourceMap};
use postkiln_bundle::Bundle;
use postkiln_findings::{Diagnostic, is_wrong};
use postkiln_render::Sources;
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
    let (compiled, found) = compile(site, postkiln_render::render)?;
    findings::show(site, &found);
    findings::judge(&found, deny)?;
    compiled.map(|(_, bundle)| bundle).ok_or(Failure::Findings)
}

/// A site and what it means.
pub(crate) struct Compiled {
    /// What was written.
    pub(crate) site: Site,
    /// What the machine needs.
    pub(crate) blueprint: Blueprint,
    /// Where in the site its things stand.
    pub(crate) map: SourceMap,
}

/// What is made of a blueprint: [`postkiln_render::render`], or only the [`postkiln_render::manifest`].
type Make<T> = fn(&Blueprint, &Sources, &SourceMap) -> T;

/// What came of a site when nothing is an error, and all findings that are not silenced, in source order.
type Found<T> = (Option<T>, Vec<Diagnostic>);

/// Everything that can be said about a site, in source order, and what it makes when nothing is an error.
///
/// # Errors
/// When there is no such site.
pub(crate) fn compile<T: Send>(site: &Path, make: Make<T>) -> Result<Found<(Compiled, T)>, Failure> {
    exists(site)?;
    let (Checked { lowered, found }, made) = lowered_beside(site, postkiln_site::read(site), |site, blueprint| {
        let map = SourceMap::new(site, blueprint);
        let made = make(blueprint, &site.sources, &map);
        (map, made)
    });
    let compiled = lowered.zip(made);
    Ok((compiled.map(|((site, blueprint), (map, made))| (Compiled { site, blueprint, map }, made)), found))
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
    lowered_beside(path, read, |_, _| ()).0
}

/// [`lowered`], and what is made of the model meanwhile: for a large site the proofs take a good part of a second.
fn lowered_beside<T: Send>(
    path: &Path,
    read: Read,
    make: impl FnOnce(&Site, &Blueprint) -> T + Send,
) -> (Checked, Option<T>) {
    let (site, mut found) = match read {
        Ok(read) => read,
        Err(found) => return (Checked { lowered: None, found: findings::silenced(path, None, found) }, None),
    };
    let unproved = postkiln_blueprint::decide(&site);
    let (proofs, made) = thread::scope(|scope| {
        let made = scope.spawn(|| (!unproved.is_wrong()).then(|| make(&site, &unproved.blueprint)));
        (unproved.prove(&site), made.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let blueprint = match unproved.finish(proofs) {
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
    (Checked { lowered: blueprint.map(|blueprint| (site, blueprint)), found }, made)
}
