//! Kernel modules: finding those that the hardware asks for, and loading them in order. Knows nothing about what
//! modules do.
//! Start at [`Table`].
//!
//! The image builder writes `modules.table` beside the modules, because no depmod runs:
//!
//! ```text
//! module virtio_net virtio_net.ko net_failover failover
//! alias virtio:d00000001v* virtio_net
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The modules of one directory, what they need and which hardware they are for.
#[derive(Debug, Default)]
pub struct Table {
    directory: PathBuf,
    modules: BTreeMap<String, Module>,
    aliases: Vec<(String, String)>,
    loaded: BTreeSet<String>,
}

#[derive(Debug)]
struct Module {
    file: String,
    needs: Vec<String>,
}

impl Table {
    /// The table's name within the directory of the modules.
    pub const NAME: &'static str = "modules.table";

    /// Reads the table of a directory.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(directory.join(Self::NAME))?;
        Ok(Self { directory: directory.to_owned(), ..Self::parse(&text) })
    }

    fn parse(text: &str) -> Self {
        let mut table = Self::default();
        for line in text.lines() {
            let mut words = line.split(' ').map(str::to_owned);
            match (words.next().as_deref(), words.next(), words.next()) {
                (Some("module"), Some(name), Some(file)) => {
                    table.modules.insert(name, Module { file, needs: words.collect() });
                }
                (Some("alias"), Some(pattern), Some(name)) => table.aliases.push((pattern, name)),
                _ => {}
            }
        }
        table
    }

    /// Loads a module after those it needs. A module that is loaded already, or built in and therefore not listed, is
    /// no error.
    ///
    /// # Errors
    /// When the kernel refuses a module.
    pub fn load(&mut self, name: &str) -> io::Result<()> {
        if !self.loaded.insert(name.to_owned()) {
            return Ok(());
        }
        let Some(module) = self.modules.get(name) else { return Ok(()) };
        let path = self.directory.join(&module.file);
        for needed in module.needs.clone() {
            self.load(&needed)?;
        }
        match rustix::system::finit_module(File::open(path)?, c"", 0) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Loads the modules that the devices known to the kernel ask for. Returns how many were new: loading a bus driver
    /// makes devices appear, so the caller repeats until this is 0. Failures of single modules go to `complain`.
    pub fn coldplug(&mut self, devices: &Path, complain: &mut dyn FnMut(&str, &io::Error)) -> usize {
        let before = self.loaded.len();
        let mut wanted = BTreeSet::new();
        collect_modaliases(devices, 0, &mut wanted);
        let names: BTreeSet<String> = self
            .aliases
            .iter()
            .filter(|(pattern, _)| wanted.iter().any(|alias| matches(pattern.as_bytes(), alias.as_bytes())))
            .map(|(_, name)| name.clone())
            .collect();
        for name in names {
            if let Err(error) = self.load(&name) {
                complain(&name, &error);
            }
        }
        self.loaded.len() - before
    }
}

/// The deepest folder that is searched: deeper than any device tree, as a guard against a loop.
const DEPTH_LIMIT: usize = 24;

fn collect_modaliases(directory: &Path, depth: usize, into: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth < DEPTH_LIMIT {
            collect_modaliases(&entry.path(), depth + 1, into);
        } else if kind.is_file()
            && entry.file_name() == "modalias"
            && let Ok(text) = fs::read_to_string(entry.path())
            && !text.trim_end().is_empty()
        {
            into.insert(text.trim_end().to_owned());
        }
    }
}

/// Whether a shell pattern of `*`, `?` and `[…]` matches the whole text. Goes back only to the last star: linear in
/// practice, and never deeper than one loop.
#[must_use]
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut here) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while here < text.len() {
        if pattern.get(at) == Some(&b'*') {
            retry = Some((at + 1, here));
            at += 1;
        } else if let Some(width) = text.get(here).and_then(|octet| one(pattern.get(at..).unwrap_or_default(), *octet))
        {
            at += width;
            here += 1;
        } else if let Some((star, from)) = retry {
            at = star;
            here = from + 1;
            retry = Some((star, from + 1));
        } else {
            return false;
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|octet| *octet == b'*')
}

/// How many octets of the pattern match one octet of text, if they do.
fn one(pattern: &[u8], octet: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', set @ ..] => {
            let end = set.iter().position(|c| *c == b']')?;
            let set = set.get(..end)?;
            let hit =
                set.contains(&octet) || set.windows(3).any(|w| matches!(w, [a, b'-', b] if (*a..=*b).contains(&octet)));
            hit.then_some(end + 2)
        }
        [first, ..] if *first == octet => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_aliases_match_as_a_shell_would() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} against {text}");
        };
        check("virtio:d00000001v*", "virtio:d00000001v00001AF4", true);
        check("virtio:d00000001v*", "virtio:d00000002v00001AF4", false);
        check("acpi*:PNP0C0C:*", "acpi:PNP0C0C:", true);
        check("pci:v*d*sv*sd*bc01sc06i01*", "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01", true);
        check("dmi*:svn*:pn[A-C]*:", "dmi:bvnX:svnQ:pnBoard:", true);
        check("dmi*:pn[A-C]*:", "dmi:pnDesk:", false);
        check("a?c", "abc", true);
        check("a*", "", false);
        check("**", "", true);
    }

    #[test]
    fn a_module_comes_with_what_it_needs() {
        let table =
            Table::parse("module virtio_net virtio_net.ko net_failover failover\nalias virtio:d1v* virtio_net\n");
        assert_eq!(table.modules["virtio_net"].needs, ["net_failover", "failover"]);
        assert_eq!(table.aliases, [("virtio:d1v*".to_owned(), "virtio_net".to_owned())]);
    }
}
