//! The image's bundle: read from its partition, installed below `bundles/`, and the choice between it and the one that
//! was applied last. Start at [`choose`].

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use postkiln_bundle::{Bundle, Manifest, Owner, User, unpack};
use postkiln_sys::block::Device;
use postkiln_sys::sync;

use super::disk;
use crate::active;
use crate::error::{During, NodeError};

/// The file with the image's own name, which is independent of its bundle.
const IMAGE: &str = "/etc/postkiln-image";
/// Images seen before, one line each, below `bundles/`.
const SEEN: &str = "images-seen";
/// How many of those lines are worth keeping.
const MEMORY: usize = 32;

/// The directory of the bundle to start with. An image not seen before brings its own; otherwise it is
/// the last applied.
pub(super) fn choose(boot_disk: &Device, slot: &str, data: &Path) -> Result<PathBuf, NodeError> {
    let device = disk::partition(boot_disk, &format!("bundle-{slot}"))?;
    let file = File::open(device.node()).during(|| device.name.clone())?;
    let bundle = unpack(BufReader::with_capacity(1 << 20, file))
        .map_err(|error| NodeError::bundle(format!("the bundle on {}", device.name), &error))?;
    let folder = data.join("bundles");
    make_directory(&folder).during(|| "bundles".to_owned())?;
    let system = fs::read_to_string(IMAGE).during(|| IMAGE.to_owned())?;
    let image = format!("{} {}", system.trim(), bundle.manifest().identity);
    let seen = fs::read_to_string(folder.join(SEEN)).unwrap_or_default();
    let active = folder.join("active");
    if seen.lines().any(|line| line == image)
        && let Ok(path) = fs::canonicalize(&active)
    {
        return Ok(path);
    }
    let path = install(&bundle, &folder).during(|| "installing the bundle".to_owned())?;
    active::activate(data, &path).during(|| "bundles/active".to_owned())?;
    let kept: Vec<&str> = seen.lines().rev().take(MEMORY - 1).collect();
    let lines: Vec<&str> = kept.into_iter().rev().chain([image.as_str()]).collect();
    sync::replace(&folder.join(SEEN), (lines.join("\n") + "\n").as_bytes(), 0o644).during(|| SEEN.to_owned())?;
    Ok(path)
}

/// The host name of a bundle.
pub(super) fn hostname(bundle: &Path) -> Result<String, NodeError> {
    let path = bundle.join(Manifest::NAME);
    let bytes = fs::read(&path).during(|| format!("{}", path.display()))?;
    let manifest: Manifest = serde_json::from_slice(&bytes).during(|| format!("{}", path.display()))?;
    Ok(manifest.hostname)
}

/// Writes a bundle to `bundles/<identity>` so that it is there whole or not at all.
fn install(bundle: &Bundle, folder: &Path) -> io::Result<PathBuf> {
    let target = folder.join(&bundle.manifest().identity);
    if target.is_dir() {
        if Bundle::read(&target).is_ok() {
            return Ok(target);
        }
        fs::remove_dir_all(&target)?;
    }
    let draft = folder.join(format!("{}.new", bundle.manifest().identity));
    if draft.is_dir() {
        fs::remove_dir_all(&draft)?;
    }
    make_directory(&draft)?;
    let mut directories = vec![draft.clone()];
    let manifest = bundle.manifest_bytes();
    let files = bundle.files().map(|(entry, bytes)| (entry.path.as_str(), entry.owner, bytes));
    for (name, owner, bytes) in files.chain([(Manifest::NAME, Owner::Everyone, manifest.as_slice())]) {
        let path = draft.join(name);
        let parents = name.match_indices('/').filter_map(|(at, _)| name.get(..at)).map(|parent| draft.join(parent));
        for parent in parents {
            if !directories.contains(&parent) {
                make_directory(&parent)?;
                directories.push(parent);
            }
        }
        write(&path, owner, bytes)?;
    }
    for directory in directories.iter().rev() {
        sync::directory(directory)?;
    }
    fs::rename(&draft, &target)?;
    sync::directory(folder)?;
    Ok(target)
}

fn write(path: &Path, owner: Owner, bytes: &[u8]) -> io::Result<()> {
    let (mode, user) = match owner {
        Owner::Everyone => (0o644, None),
        Owner::Directory => (0o600, Some(User::Directory.id())),
    };
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    if let Some(id) = user.filter(|_| rustix::process::geteuid().is_root()) {
        chown(path, Some(id), Some(id))?;
    }
    file.write_all(bytes)?;
    sync::content(&file)
}

fn make_directory(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        fs::DirBuilder::new().mode(0o755).create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use postkiln_bundle::File as Entry;

    #[test]
    fn an_installed_bundle_reads_back_and_a_damaged_one_is_replaced() {
        let scratch = std::env::temp_dir().join(format!("postkiln-bundles-{}", std::process::id()));
        let _ = fs::remove_dir_all(&scratch);
        fs::create_dir(&scratch).unwrap();
        let entry = |path: &str, owner| Entry::new(path, path.as_bytes().to_vec(), owner);
        let files = vec![entry("control/me", Owner::Everyone), entry("seeds/sqlite.sql", Owner::Directory)];
        let bundle = Bundle::new(1, "mail.example.org", files, Vec::new());
        let path = install(&bundle, &scratch).unwrap();
        assert_eq!(Bundle::read(&path).unwrap(), bundle);
        let mode = |name: &str| fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("control/me"), mode("seeds/sqlite.sql"), mode("control")), (0o644, 0o600, 0o755));
        fs::write(path.join("control/me"), "damaged").unwrap();
        assert_eq!(install(&bundle, &scratch).unwrap(), path);
        assert_eq!(Bundle::read(&path).unwrap(), bundle);
        assert_eq!(hostname(&path).unwrap(), "mail.example.org");
        fs::remove_dir_all(&scratch).unwrap();
    }
}
