//! Moving the lock to the archive's newest packages, and asking whether the archive still has the locked ones.

use std::collections::BTreeMap;

use crate::ImageError;
use crate::archive::Mirror;
use crate::lock::{Lock, Pin, Wanted};
use crate::release::{Index, Listed};

impl Lock {
    /// The newest version of every wanted package, from release files whose signatures were checked.
    ///
    /// # Errors
    /// When the archive cannot be reached or trusted, or lacks a package.
    pub fn newest(mirror: &Mirror) -> Result<Self, ImageError> {
        let wanted = Wanted::builtin()?;
        let indexes = fetch(mirror, &wanted)?;
        let mut sets = BTreeMap::new();
        let mut packages: BTreeMap<String, Pin> = BTreeMap::new();
        for (set, names) in &wanted.sets {
            let mut real = Vec::new();
            for name in names {
                let listed = newest(&indexes, name)?;
                let listed = match wanted.follow.get(name) {
                    Some(prefix) => newest(&indexes, &followed(listed, prefix)?)?,
                    None => listed,
                };
                real.push(listed.pin.name.clone());
                packages.insert(listed.pin.name.clone(), listed.pin.clone());
            }
            real.sort();
            sets.insert(set.clone(), real);
        }
        let releases = indexes.into_iter().map(|index| index.release).collect();
        Ok(Self { releases, sets, packages: packages.into_values().collect() })
    }

    /// The pins that have left the archive.
    ///
    /// # Errors
    /// When the archive cannot be reached or trusted.
    pub fn left(&self, mirror: &Mirror) -> Result<Vec<Pin>, ImageError> {
        let indexes = fetch(mirror, &Wanted::builtin()?)?;
        let there = |pin: &&Pin| !indexes.iter().any(|index| index.has(pin));
        Ok(self.packages.iter().filter(there).cloned().collect())
    }
}

fn fetch(mirror: &Mirror, wanted: &Wanted) -> Result<Vec<Index>, ImageError> {
    wanted.archives.iter().map(|archive| Index::fetch(mirror, archive)).collect()
}

fn newest<'i>(indexes: &'i [Index], name: &str) -> Result<&'i Listed, ImageError> {
    let found = indexes.iter().filter_map(|index| index.newest(name));
    found.max_by(|one, other| crate::version::compare(&one.pin.version, &other.pin.version)).ok_or_else(|| {
        let suites = indexes.iter().map(|index| index.release.suite.as_str()).collect::<Vec<_>>().join(", ");
        ImageError::NoPackage { name: name.to_owned(), suites }
    })
}

/// The real package behind one that only depends on it, as `linux-image-cloud-amd64` does.
fn followed(listed: &Listed, prefix: &str) -> Result<String, ImageError> {
    let names = listed.depends.split([',', '|']).filter_map(|clause| clause.split_whitespace().next());
    names.into_iter().find(|name| name.starts_with(prefix)).map(str::to_owned).ok_or_else(|| ImageError::Package {
        name: listed.pin.name.clone(),
        reason: format!("it depends on no package {prefix}*"),
    })
}
