//! From a site to its bundle in memory: the one place where the commands check, lower and render.

use std::path::Path;

use postkiln_bundle::Bundle;
use postkiln_findings::{Diagnostic, in_order};

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
    let (bundle, found) = compile(site)?;
    findings::show(site, &found);
    findings::judge(&found, deny)?;
    bundle.ok_or(Failure::Findings)
}

/// Everything that can be said about a site, in source order, and its bundle when nothing is an error.
///
/// # Errors
/// When there is no such site.
pub(crate) fn compile(site: &Path) -> Result<(Option<Bundle>, Vec<Diagnostic>), Failure> {
    site.metadata().map_err(|source| Failure::environment(format!("cannot read {}", site.display()), source))?;
    Ok(findings_and_bundle(site))
}

fn findings_and_bundle(site: &Path) -> (Option<Bundle>, Vec<Diagnostic>) {
    let (read, mut found) = match postkiln_site::read(site) {
        Ok(read) => read,
        Err(found) => return (None, found),
    };
    let lowered = match postkiln_blueprint::lower(&read) {
        Ok((blueprint, warnings)) => {
            found.extend(warnings);
            Some(blueprint)
        }
        Err(errors) => {
            found.extend(errors);
            None
        }
    };
    (lowered.map(|blueprint| postkiln_render::render(&blueprint, &read.sources)), in_order(found))
}
