//! GRUB for both firmwares, from the pinned packages: their `grub-mkimage` puts the modules we name into one file.
//! It runs from a folder of its own, with its own loader and libraries: the host needs no GRUB, and its libraries
//! do not matter.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::ImageError;
use crate::digest::Parts;
use crate::libraries::{self, LIBRARIES, LOADER};
use crate::tree::{Node, Tree};

const MODULES: &str =
    "part_gpt fat normal loadenv linux configfile serial terminal test echo sleep reboot search search_label true";
const SECTOR: usize = 512;

/// The boot loaders of a disk, for both firmwares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loader {
    /// The loader for UEFI: `EFI/BOOT/BOOTX64.EFI`.
    pub(crate) efi: Vec<u8>,
    /// Boot code of the first sector, as BIOS runs it.
    pub(crate) boot: Vec<u8>,
    /// The core image that the boot code loads from the BIOS boot partition.
    pub(crate) core: Vec<u8>,
}

impl Loader {
    /// Makes both loaders; runs `grub-mkimage` twice.
    pub(crate) fn make(packages: &Tree) -> Result<Self, ImageError> {
        let wrong = ImageError::make("the GRUB images");
        let scratch = Scratch::new().map_err(|error| wrong(error.to_string()))?;
        let mut tools = Tree::default();
        libraries::take(packages, &["usr/bin/grub-mkimage".to_owned()], &mut tools)?;
        for folder in ["usr/lib/grub/i386-pc/", "usr/lib/grub/x86_64-efi/"] {
            packages.below(folder).for_each(|(path, node)| tools.put(path, node.clone()));
        }
        write_tree(&tools, &scratch.0)?;
        let boot = packages.read("usr/lib/grub/i386-pc/boot.img").unwrap_or_default().to_vec();
        // An image without a device in its prefix takes the partition it was loaded from: the ESP. BIOS loads from
        // another partition, so there the prefix names the ESP's number on the same disk.
        let efi = mkimage(&scratch.0, "x86_64-efi", "/postkiln", MODULES)?;
        let core = mkimage(&scratch.0, "i386-pc", "(,gpt2)/postkiln", &format!("biosdisk {MODULES}"))?;
        if boot.len() != SECTOR || core.len() < 2 * SECTOR {
            return Err(wrong("boot.img or core.img has an odd size".to_owned()));
        }
        Ok(Self { efi, boot, core })
    }

    /// The loaders as one file for the store: three lengths and three contents.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let parts = [&self.efi, &self.boot, &self.core];
        let mut packed = Vec::new();
        parts.iter().for_each(|part| packed.extend_from_slice(&(part.len() as u64).to_le_bytes()));
        parts.iter().for_each(|part| packed.extend_from_slice(part));
        packed
    }

    pub(crate) fn unpack(packed: &[u8]) -> Option<Self> {
        let length = |at: usize| -> Option<usize> {
            let bytes = packed.get(at * 8..at * 8 + 8)?;
            usize::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok()
        };
        let rest = packed.get(24..)?;
        let (efi, rest) = rest.split_at_checked(length(0)?)?;
        let (boot, rest) = rest.split_at_checked(length(1)?)?;
        let (core, _) = rest.split_at_checked(length(2)?)?;
        Some(Self { efi: efi.to_vec(), boot: boot.to_vec(), core: core.to_vec() })
    }

    /// Boot code and core image for a core image that begins at a sector: what grub-bios-setup would embed
    /// (GRUB's `include/grub/i386/pc/boot.h` and `kernel.h` name the offsets).
    pub(crate) fn placed(&self, sector: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut boot, mut core) = (self.boot.clone(), self.core.clone());
        boot.get_mut(0x5c..0x64)?.copy_from_slice(&sector.to_le_bytes());
        // The jump that makes floppies work is overwritten, since disks do not want it.
        boot.get_mut(0x66..0x68)?.copy_from_slice(&[0x90, 0x90]);
        core.resize(core.len().next_multiple_of(SECTOR), 0);
        let rest = u16::try_from(core.len() / SECTOR - 1).ok()?;
        core.get_mut(0x1f4..0x1fc)?.copy_from_slice(&(sector + 1).to_le_bytes());
        core.get_mut(0x1fc..0x1fe)?.copy_from_slice(&rest.to_le_bytes());
        core.get_mut(0x1fe..0x200)?.copy_from_slice(&0x0820_u16.to_le_bytes());
        Some((boot, core))
    }

    /// Adds the inputs of a loader besides the packages.
    pub(crate) fn recipe(parts: Parts) -> Parts {
        parts.with("recipe", include_bytes!("grub.rs"))
    }
}

fn mkimage(root: &Path, platform: &str, prefix: &str, modules: &str) -> Result<Vec<u8>, ImageError> {
    let wrong = ImageError::make("the GRUB images");
    let output = root.join(format!("{platform}.img"));
    let run = Command::new(root.join(LOADER))
        .arg("--library-path")
        .arg(root.join(LIBRARIES))
        .arg(root.join("usr/bin/grub-mkimage"))
        .arg("--directory")
        .arg(root.join("usr/lib/grub").join(platform))
        .args(["--format", platform, "--prefix", prefix, "--compression", "auto", "--output"])
        .arg(&output)
        .args(modules.split(' '))
        .env_clear()
        .env("LC_ALL", "C")
        .output()
        .map_err(|error| wrong(format!("grub-mkimage of the pinned package does not start: {error}")))?;
    if !run.status.success() {
        return Err(wrong(format!("grub-mkimage: {}", String::from_utf8_lossy(&run.stderr).trim())));
    }
    fs::read(&output).map_err(ImageError::io(output))
}

/// Writes the tree to a folder. Links become the files they name: the folder is not at `/`, where absolute links would
/// lead.
fn write_tree(tree: &Tree, to: &Path) -> Result<(), ImageError> {
    for (path, node) in tree.iter() {
        let place = to.join(path);
        match node {
            Node::Directory => fs::create_dir_all(&place).map_err(ImageError::io(&place))?,
            Node::File { .. } | Node::Link(_) => {
                fs::write(&place, tree.read(path).unwrap_or_default()).map_err(ImageError::io(&place))?;
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(&place, mode).map_err(ImageError::io(&place))?;
            }
        }
    }
    Ok(())
}

/// A temporary folder that is removed when it is dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let base = std::env::temp_dir();
        for number in 0..1000 {
            let path = base.join(format!("postkiln-{}-{number}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(path)),
            }
        }
        Err(std::io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_survives_the_store_and_is_placed_where_it_is_told() {
        let loader = Loader { efi: vec![1; 7], boot: vec![0; 512], core: vec![3; 1300] };
        assert_eq!(Loader::unpack(&loader.pack()), Some(loader.clone()));
        let (boot, core) = loader.placed(2048).unwrap();
        assert_eq!(boot[0x5c..0x5e], 2048_u16.to_le_bytes());
        assert_eq!(core.len(), 1536);
        assert_eq!(core[0x1fc..0x1fe], 2_u16.to_le_bytes());
        assert_eq!(Loader::unpack(b"short"), None);
    }
}
