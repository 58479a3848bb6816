//! The base that a plan compares with: a kept bundle, or a site that is compiled now.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use postkiln_blueprint::{Blueprint, ObjectId, SourceMap, Touched};
use postkiln_bundle::{Manifest, Part};
use postkiln_findings::Place;
use postkiln_plan::{Places, Side};
use postkiln_render::{MODEL, Serials, without_same};

use super::revision::{self, Checkout};
use super::{Written, side};
use crate::bundle::{self, Compiled};
use crate::findings;
use crate::outcome::Failure;
use crate::serials::{Numbering, is_zone};

/// The base of a plan.
pub(super) enum Base {
    /// A bundle that somebody kept.
    Kept {
        /// The blueprint as read back from the bundle.
        blueprint: Box<Blueprint>,
        /// The table of contents of the bundle.
        manifest: Manifest,
        /// The things that it has all of, where others were left out because they are the same on the new side.
        touched: Option<Touched>,
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
    /// The path of the bundle.
    bundle: String,
    map: OnceCell<SourceMap>,
}

impl Places for Mapped {
    fn place(&self, id: &ObjectId, _: &[&str]) -> Option<Place> {
        // In an older compiler's bundle only the positions are missing.
        let read = || {
            let (_, files) = open(&self.bundle, |path| path == SourceMap::PATH).ok()?;
            serde_json::from_slice(files.get(SourceMap::PATH)?).ok()
        };
        self.map.get_or_init(|| read().unwrap_or_default()).place(id)
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
            Self::Kept { blueprint, manifest, touched, label, .. } => {
                Side { blueprint, manifest, places: self, label: label.clone(), touched: touched.as_ref() }
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

/// A base that was found and not read yet.
pub(super) enum Found {
    /// A bundle, a directory or a packed file.
    Bundle {
        /// The name that the caller gave it: its path.
        name: String,
        /// The zones of it.
        zones: BTreeMap<String, Vec<u8>>,
    },
    /// A site beside this one.
    Site {
        /// The site, as the caller named it.
        path: PathBuf,
    },
    /// The site as it was.
    Revision {
        /// The name that the caller gave the revision.
        name: String,
        /// The site in a folder of its own.
        checkout: Checkout,
    },
}

/// A base that was compiled, or a bundle whose model is read beside the new one.
pub(super) enum Read {
    /// A bundle of this name.
    Kept(String),
    /// A site compiled now.
    Made(Box<Base>),
}

/// Finds the base of this name: a path that exists, else a revision of the repository in which the site lies.
///
/// # Errors
/// When there is none, or it cannot be read.
pub(super) fn find(name: &str, site: &Path) -> Result<Found, Failure> {
    let path = Path::new(name);
    let is_packed = path.is_file() && path.extension().is_none_or(|ending| ending != "ncl");
    if is_packed || path.join(Manifest::NAME).is_file() {
        let (_, zones) = open(name, is_zone)?;
        return Ok(Found::Bundle { name: name.to_owned(), zones });
    }
    if path.is_file() || path.join("site.ncl").is_file() {
        return Ok(Found::Site { path: path.to_owned() });
    }
    if path.is_dir() {
        return Err(Failure::unavailable(format!("{name} is neither a bundle nor a site's folder")));
    }
    Ok(Found::Revision { name: name.to_owned(), checkout: revision::check_out(site, name)? })
}

impl Found {
    /// The serial numbers of a state that comes after this one.
    pub(super) fn serials(&self) -> Option<Serials> {
        match self {
            Self::Bundle { zones, .. } => Some(Numbering::after(zones)),
            Self::Site { .. } => None,
            Self::Revision { checkout, .. } => checkout.serial.map(Numbering::after_commit),
        }
    }

    /// Compiles the base, unless it is a bundle.
    ///
    /// # Errors
    /// When it has errors.
    pub(super) fn read(self) -> Result<Read, Failure> {
        let made = match self {
            // Its model would lie in memory while the new one is made.
            Self::Bundle { name, .. } => return Ok(Read::Kept(name)),
            Self::Site { path } => {
                let name = path.display().to_string();
                made(&path, &Numbering::default(), &name, format!("site {name}, bundle"))
            }
            Self::Revision { name, checkout } => {
                let label = format!("revision {name} ({}), compiled now, bundle", checkout.commit);
                made(&checkout.site, &Numbering::given(checkout.serial), &name, label)
            }
        };
        made.map(|base| Read::Made(Box::new(base)))
    }
}

impl Read {
    /// The base. Unless it is to be whole, things that are the same in `new`, the text of the new model, are not
    /// decoded: of 100,000 users that takes a quarter of a second and 80 MB.
    ///
    /// # Errors
    /// When the bundle cannot be read.
    pub(super) fn decoded(self, new: &[u8], whole: bool) -> Result<Base, Failure> {
        let name = match self {
            Self::Made(base) => return Ok(*base),
            Self::Kept(name) => name,
        };
        let (manifest, mut files) = open(&name, |path| path == MODEL)?;
        let model = files.remove(MODEL).unwrap_or_default();
        let smaller = if whole { None } else { without_same(&model, new) };
        let (text, touched) = smaller.map_or((model, None), |smaller| (smaller.text, Some(smaller.touched)));
        let blueprint = Blueprint::read(&text).map_err(|error| {
            let what = format!(
                "cannot use {name} as a base: plan against the site's revision, or with the postkiln of the bundle"
            );
            Failure::environment(what, error)
        })?;
        let places = Mapped { bundle: name, map: OnceCell::new() };
        Ok(Base::Kept { blueprint: Box::new(blueprint), manifest, touched, places, label: "bundle".to_owned() })
    }
}

/// Reads files of a bundle.
fn open(name: &str, wanted: impl Fn(&str) -> bool) -> Result<Part, Failure> {
    bundle::open(Path::new(name), wanted)
        .map_err(|source| Failure::environment(format!("cannot use {name} as a base"), source))
}

fn made(site: &Path, numbering: &Numbering, name: &str, label: String) -> Result<Base, Failure> {
    let (compiled, found) = bundle::compile(site, numbering, postkiln_render::outline)?;
    let (compiled, (manifest, _)) = compiled.ok_or_else(|| {
        findings::show(site, &found);
        Failure::unavailable(format!("the base, {name}, does not compile ({})", findings::count(&found)))
    })?;
    Ok(Base::Made { compiled: Box::new(compiled), manifest, label })
}
