//! The base that a plan compares with: a kept bundle, or a site that is compiled now.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use postkiln_blueprint::{Blueprint, ObjectId, SourceMap};
use postkiln_bundle::{Bundle, Manifest, unpack};
use postkiln_findings::Place;
use postkiln_plan::{Places, Side};

use super::{Written, revision, side};
use crate::bundle::{self, Compiled};
use crate::findings;
use crate::outcome::Failure;

/// The base of a plan.
pub(super) enum Base {
    /// A bundle that somebody kept.
    Kept {
        /// The blueprint as read back from the bundle.
        blueprint: Box<Blueprint>,
        /// The table of contents of the bundle.
        manifest: Manifest,
        /// The places of its things.
        places: Mapped,
        /// The name for people.
        label: String,
    },
    /// A site compiled now.
    Made {
        /// The site and its blueprint.
        compiled: Box<Compiled>,
        /// The table of contents of its bundle.
        manifest: Manifest,
        /// The name for people.
        label: String,
    },
}

/// The places of a bundle, read only when a removed thing's place is asked for.
pub(super) struct Mapped {
    file: Vec<u8>,
    map: OnceCell<SourceMap>,
}

impl Places for Mapped {
    fn place(&self, id: &ObjectId, _: &[&str]) -> Option<Place> {
        // In an older compiler's bundle only the positions are missing.
        self.map.get_or_init(|| serde_json::from_slice(&self.file).unwrap_or_default()).place(id)
    }
}

impl Places for Base {
    fn place(&self, id: &ObjectId, path: &[&str]) -> Option<Place> {
        match self {
            Self::Kept { places, .. } => places.place(id, path),
            Self::Made { compiled, .. } => Written { site: &compiled.site, map: &compiled.map }.place(id, path),
        }
    }
}

impl Base {
    /// This base as one side of a plan.
    pub(super) fn side(&self) -> Side<'_> {
        match self {
            Self::Kept { blueprint, manifest, label, .. } => {
                Side { blueprint, manifest, places: self, label: label.clone() }
            }
            Self::Made { compiled, manifest, label } => side(compiled, manifest, self, label.clone()),
        }
    }

    /// The blueprint of the base.
    pub(super) fn blueprint(&self) -> &Blueprint {
        match self {
            Self::Kept { blueprint, .. } => blueprint,
            Self::Made { compiled, .. } => &compiled.blueprint,
        }
    }
}

/// Finds the base of this name: a path that exists, else a revision of the repository in which the site lies.
///
/// # Errors
/// When there is none, or it cannot be read or compiled.
pub(super) fn find(name: &str, site: &Path) -> Result<Base, Failure> {
    let path = Path::new(name);
    if path.join(Manifest::NAME).is_file() {
        let (manifest, files) = Bundle::read_files(path, &NEEDED).map_err(|error| unreadable(name, error))?;
        return kept(manifest, files, name);
    }
    if path.is_file() && path.extension().is_none_or(|ending| ending != "ncl") {
        let file = File::open(path).map_err(|error| unreadable(name, error))?;
        let bundle = unpack(std::io::BufReader::new(file)).map_err(|error| unreadable(name, error))?;
        let file = |path: &str| Some((path.to_owned(), bundle.file(path)?.to_vec()));
        let files = NEEDED.into_iter().filter_map(file).collect();
        return kept(bundle.manifest().clone(), files, name);
    }
    if path.is_file() || path.join("site.ncl").is_file() {
        return made(path, name, format!("site {name}, bundle"));
    }
    if path.is_dir() {
        return Err(Failure::unavailable(format!("{name} is neither a bundle nor a site's folder")));
    }
    let checkout = revision::check_out(site, name)?;
    made(&checkout.site, name, format!("revision {name} ({}), compiled now, bundle", checkout.commit))
}

fn kept(manifest: Manifest, mut files: BTreeMap<String, Vec<u8>>, name: &str) -> Result<Base, Failure> {
    let model = files.remove(MODEL).unwrap_or_default();
    let blueprint = Blueprint::read(&model).map_err(|error| {
        let what = format!(
            "cannot use {name} as a base: plan against the site's revision, or with the postkiln of the bundle"
        );
        Failure::environment(what, error)
    })?;
    let places = Mapped { file: files.remove(SourceMap::PATH).unwrap_or_default(), map: OnceCell::new() };
    Ok(Base::Kept { blueprint: Box::new(blueprint), manifest, places, label: "bundle".to_owned() })
}

fn made(site: &Path, name: &str, label: String) -> Result<Base, Failure> {
    let (compiled, found) = bundle::compile(site, postkiln_render::manifest)?;
    let (compiled, manifest) = compiled.ok_or_else(|| {
        findings::show(site, &found);
        Failure::unavailable(format!("the base, {name}, does not compile ({})", findings::count(&found)))
    })?;
    Ok(Base::Made { compiled: Box::new(compiled), manifest, label })
}

fn unreadable(name: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::environment(format!("cannot use {name} as a base"), source)
}

const MODEL: &str = "blueprint.json";
/// The files of a bundle that a plan needs.
const NEEDED: [&str; 2] = [MODEL, SourceMap::PATH];
