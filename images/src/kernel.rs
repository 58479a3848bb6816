//! The kernel package: the kernel itself, and the modules chosen from it with a table that replaces depmod's files.
//! The table's form is described where it is read, in `runtime/sys/src/modules.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use object::read::elf::ElfFile64;
use object::read::{Object, ObjectSection};
use serde::Deserialize;

use crate::ImageError;
use crate::tree::{Node, Tree};

/// The table's name beside the modules.
const TABLE: &str = "modules.table";

/// Kernel options and modules: `kernel.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    pub(crate) command_line: String,
    /// Modules that may be needed to reach the root.
    pub(crate) initrd: Vec<String>,
    /// Modules that are needed afterwards.
    pub(crate) root: Vec<String>,
}

impl Choice {
    pub(crate) const TEXT: &'static str = include_str!("../kernel.json");

    pub(crate) fn builtin() -> Result<Self, ImageError> {
        serde_json::from_str(Self::TEXT).map_err(|error| ImageError::Builtin(error.to_string()))
    }
}

/// An unpacked kernel package.
pub(crate) struct Kernel<'t> {
    tree: &'t Tree,
    /// Path of each module by its name, dashes as underscores, which are the same to the kernel.
    paths: BTreeMap<String, &'t str>,
    built_in: BTreeSet<String>,
}

impl<'t> Kernel<'t> {
    pub(crate) fn of(tree: &'t Tree) -> Self {
        let modules = || tree.below("usr/lib/modules/").map(|(path, _)| path);
        let paths = modules().filter(|path| path.contains(".ko")).map(|path| (name_of(path), path)).collect();
        let list = modules().find(|path| path.ends_with("/modules.builtin"));
        let list = list.and_then(|path| tree.read(path)).map(String::from_utf8_lossy).unwrap_or_default();
        Self { tree, paths, built_in: list.lines().map(name_of).collect() }
    }

    pub(crate) fn image(&self) -> Result<&'t [u8], ImageError> {
        let found = self.tree.below("boot/").find(|(path, _)| path.starts_with("boot/vmlinuz-"));
        match found {
            Some((_, Node::File { bytes, .. })) => Ok(bytes),
            _ => Err(ImageError::Module("boot/vmlinuz-*".to_owned())),
        }
    }

    /// Puts modules, those they depend on, and the table into a folder of `to`.
    pub(crate) fn install(&self, names: &[String], folder: &str, to: &mut Tree) -> Result<(), ImageError> {
        let mut table = BTreeSet::new();
        let mut done = BTreeSet::new();
        let mut waiting: Vec<String> = names.iter().map(|name| plain(name)).collect();
        while let Some(name) = waiting.pop() {
            if self.built_in.contains(&name) || !done.insert(name.clone()) {
                continue;
            }
            let path = self.paths.get(&name).ok_or_else(|| ImageError::Module(name.clone()))?;
            let module = self.unpacked(path)?;
            let about = modinfo(&module);
            let values = |key: &'static str| about.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str());
            // Soft dependencies "pre: a b post: c": crc32c for squashfs and the like; only those that exist here.
            let soft = values("softdep").flat_map(str::split_whitespace).filter(|word| !word.ends_with(':'));
            let soft = soft.map(plain).filter(|name| self.paths.contains_key(name));
            let hard = values("depends").flat_map(|list| list.split(',')).filter(|name| !name.is_empty()).map(plain);
            let needs: BTreeSet<String> = hard.chain(soft).filter(|name| !self.built_in.contains(name)).collect();
            let needs: Vec<String> = needs.into_iter().collect();
            table.insert(format!("module {name} {name}.ko {}", needs.join(" ")).trim_end().to_owned());
            table.extend(
                values("alias").filter(|alias| !alias.contains(' ')).map(|alias| format!("alias {alias} {name}")),
            );
            to.file(&format!("{folder}/{name}.ko"), module);
            waiting.extend(needs);
        }
        let lines: Vec<String> = table.into_iter().collect();
        to.file(&format!("{folder}/{TABLE}"), lines.join("\n") + "\n");
        Ok(())
    }

    /// The decompressed module: unpacked here rather than at each start. The signature stands behind the ELF file and
    /// survives.
    fn unpacked(&self, path: &str) -> Result<Vec<u8>, ImageError> {
        let packed = self.tree.read(path).ok_or_else(|| ImageError::Module(path.to_owned()))?;
        if !path.ends_with(".xz") {
            return Ok(packed.to_vec());
        }
        let mut bytes = Vec::new();
        let read = liblzma::read::XzDecoder::new(packed).read_to_end(&mut bytes);
        read.map_err(|error| ImageError::Package { name: path.to_owned(), reason: error.to_string() })?;
        Ok(bytes)
    }
}

fn plain(name: &str) -> String {
    name.replace('-', "_")
}

fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or_default();
    plain(file.split(".ko").next().unwrap_or_default())
}

/// The `key=value` strings of a module's section `.modinfo`.
fn modinfo(module: &[u8]) -> Vec<(String, String)> {
    let Ok(file) = ElfFile64::<object::Endianness>::parse(module) else { return Vec::new() };
    let data = file.section_by_name(".modinfo").and_then(|section| section.data().ok()).unwrap_or_default();
    data.split(|octet| *octet == 0)
        .filter_map(|text| std::str::from_utf8(text).ok()?.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_names_come_from_paths_with_either_dash() {
        let check = |path: &str, name: &str| assert_eq!(name_of(path), name);
        check("usr/lib/modules/6/kernel/drivers/char/hw_random/virtio-rng.ko.xz", "virtio_rng");
        check("kernel/fs/ext4/ext4.ko", "ext4");
    }

    #[test]
    fn an_unknown_module_is_named_and_a_built_in_one_is_none() {
        let mut tree = Tree::default();
        tree.file("usr/lib/modules/6/modules.builtin", b"kernel/drivers/nvme/host/nvme.ko\n".to_vec());
        let kernel = Kernel::of(&tree);
        let mut to = Tree::default();
        kernel.install(&["nvme".to_owned()], "modules", &mut to).unwrap();
        assert_eq!(to.read("modules/modules.table"), Some(&b"\n"[..]));
        let error = kernel.install(&["virtio-blq".to_owned()], "modules", &mut to).unwrap_err();
        assert!(error.to_string().contains("virtio_blq"), "{error}");
    }
}
