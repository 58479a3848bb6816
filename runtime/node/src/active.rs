//! `bundles/active`: which bundle a data directory runs. Knows nothing about what is in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use postkiln_sys::sync;

/// Makes `bundles/active` point at the bundle of this identity, durably, in one step.
///
/// # Errors
/// When a step fails; the old link is then still there.
pub(crate) fn activate(data: &Path, bundle: &Path) -> std::io::Result<()> {
    let bundles = data.join("bundles");
    // Relative where it can be, so that the data directory may move.
    let target = bundle.strip_prefix(fs::canonicalize(&bundles)?).unwrap_or(bundle);
    let link = bundles.join("active");
    if fs::read_link(&link).is_ok_and(|present| present == target) {
        return Ok(());
    }
    let beside = bundles.join("active.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(target, &beside)?;
    fs::rename(&beside, &link)?;
    sync::directory(&bundles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_moves_in_one_step_and_stays_when_nothing_changed() {
        let folder = tempfile::tempdir().unwrap();
        let data = fs::canonicalize(folder.path()).unwrap();
        for name in ["bundles/one", "bundles/two"] {
            fs::create_dir_all(data.join(name)).unwrap();
        }
        let active = || fs::read_link(data.join("bundles/active")).unwrap();
        activate(&data, &data.join("bundles/one")).unwrap();
        assert_eq!(active(), Path::new("one"));
        // A crash before the rename leaves this behind.
        symlink("nowhere", data.join("bundles/active.new")).unwrap();
        activate(&data, &data.join("bundles/two")).unwrap();
        activate(&data, &data.join("bundles/two")).unwrap();
        assert_eq!(active(), Path::new("two"));
    }
}
