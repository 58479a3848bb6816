//! From a site to its bundle in memory: the one place where the commands check, lower and render.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::thread;

use postkiln_blueprint::{Blueprint, SourceMap};
use postkiln_bundle::{Bundle, Manifest, Part, unpack};
use postkiln_findings::{Diagnostic, in_order, is_wrong};
use postkiln_render::{Serials, Sources};
use postkiln_site::{Read, Site, Unsound};

use crate::findings::{self, Deny};
use crate::outcome::Failure;
use crate::serials::Numbering;

/// Anything that makes a bundle unreadable.
pub(crate) type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// The table of contents of a bundle, a directory or a packed file, and its files that are wanted.
///
/// # Errors
/// When it is no bundle, or does not agree with its manifest.
pub(crate) fn open(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Part, Unreadable> {
    if path.join(Manifest::NAME).is_file() {
        return Ok(Bundle::read_files(path, wanted)?);
    }
    let bundle = unpack(BufReader::new(File::open(path)?))?;
    let files = bundle.files().filter(|(entry, _)| wanted(&entry.path));
    let files = files.map(|(entry, bytes)| (entry.path.clone(), bytes.to_vec())).collect();
    Ok((bundle.manifest().clone(), files))
}

/// The bundle of a site, for commands that go on with it. Findings go to stderr.
///
/// # Errors
/// When the site has errors (they have been shown), or cannot be read.
pub(crate) fn site_bundle(site: &Path, numbering: &Numbering) -> Result<Bundle, Failure> {
    site_bundle_denying(site, numbering, None)
}

/// [`site_bundle`], with warnings counted as errors when they are denied.
pub(crate) fn site_bundle_denying(site: &Path, numbering: &Numbering, deny: Option<Deny>) -> Result<Bundle, Failure> {
    let (compiled, found) = compile(site, numbering, postkiln_render::render)?;
    findings::show(site, &found);
    findings::judge(&found, deny)?;
    compiled.map(|(_, bundle)| bundle).ok_or(Failure::Findings)
}

/// A site with its blueprint.
pub(crate) struct Compiled {
    /// The site as it was written.
    pub(crate) site: Site,
    /// The machine that the site describes.
    pub(crate) blueprint: Blueprint,
    /// The places of the site's things.
    pub(crate) map: SourceMap,
}

/// Makes something of a blueprint: [`postkiln_render::render`], or only the [`postkiln_render::manifest`].
type Make<T> = fn(&Blueprint, &Sources, &SourceMap, &Serials) -> T;

/// The product of a site without errors, and all findings that are not silenced, in source order.
type Found<T> = (Option<T>, Vec<Diagnostic>);

/// Compiles a site: all findings in source order and, when none is an error, the product.
///
/// # Errors
/// When there is no such site.
pub(crate) fn compile<T: Send>(
    site: &Path,
    numbering: &Numbering,
    make: Make<T>,
) -> Result<Found<(Compiled, T)>, Failure> {
    exists(site)?;
    let read = postkiln_site::read(site);
    let (checked, made) = lowered_beside(site, read, |path, site, blueprint| {
        let (serials, finding) = numbering.decide(path, site, blueprint);
        let map = SourceMap::new(site, blueprint);
        let made = make(blueprint, &site.sources, &map, &serials);
        ((map, made), finding)
    });
    let Checked { lowered, found } = checked;
    let compiled = lowered.filter(|_| !is_wrong(&found)).zip(made);
    Ok((compiled.map(|((site, blueprint), (map, made))| (Compiled { site, blueprint, map }, made)), found))
}

/// The result of checking a site.
pub(crate) struct Checked {
    /// The site and its blueprint. With errors, as far as they could be read: for looking at, and for nothing else.
    pub(crate) lowered: Option<(Site, Blueprint)>,
    /// All findings that are not silenced, in source order.
    pub(crate) found: Vec<Diagnostic>,
}

/// Checks a site: all findings in source order, and its blueprint. Nothing is rendered; the serial numbers of zones are
/// looked into where `numbering` is given.
///
/// # Errors
/// When there is no such site.
pub(crate) fn check(site: &Path, numbering: Option<&Numbering>) -> Result<Checked, Failure> {
    exists(site)?;
    Ok(lowered(site, postkiln_site::read(site), numbering))
}

/// Checks that there is a site to read.
///
/// # Errors
/// When there is none.
pub(crate) fn exists(site: &Path) -> Result<(), Failure> {
    let found = site.metadata();
    found.map(drop).map_err(|source| {
        let hint = if source.kind() == std::io::ErrorKind::NotFound { " (`postkiln new` writes a site)" } else { "" };
        Failure::environment(format!("cannot read {}{hint}", site.display()), source)
    })
}

/// Like [`check`], for a site that has been read.
pub(crate) fn lowered(path: &Path, read: Read, numbering: Option<&Numbering>) -> Checked {
    let judge = |path: &Path, site: &Site, blueprint: &Blueprint| {
        ((), numbering.and_then(|numbering| numbering.decide(path, site, blueprint).1))
    };
    lowered_beside(path, read, judge).0
}

/// Like [`lowered`]; meanwhile something is made of the blueprint, since the proofs of a large site take a good part of
/// a second. A finding about it may come with it.
fn lowered_beside<T: Send>(
    path: &Path,
    read: Read,
    make: impl FnOnce(&Path, &Site, &Blueprint) -> (T, Option<Diagnostic>) + Send,
) -> (Checked, Option<T>) {
    let (site, mut found) = match read {
        Ok(read) => read,
        Err(Unsound { findings, site: Some(site) }) => (*site, findings),
        Err(Unsound { findings, site: None }) => {
            return (Checked { lowered: None, found: findings::silenced(path, None, findings) }, None);
        }
    };
    let unproved = postkiln_blueprint::decide(&site);
    let is_wrong = is_wrong(&found) || unproved.is_wrong();
    let (proofs, made) = thread::scope(|scope| {
        let made = scope.spawn(|| (!is_wrong).then(|| make(path, &site, &unproved.blueprint)));
        (unproved.prove(&site), made.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (made, finding) = made.unzip();
    found.extend(finding.flatten());
    let (blueprint, more) = unproved.judged(proofs);
    found.extend(more);
    let found = findings::silenced(path, Some(&site), in_order(found));
    (Checked { lowered: Some((site, blueprint)), found }, made)
}
