//! The shared libraries that programs need, and choosing from a tree exactly what a list of programs needs to run.

use std::collections::BTreeSet;

use object::read::Object;
use object::read::elf::ElfFile64;

use crate::ImageError;
use crate::tree::{Node, Tree};

/// The folder in which Debian's amd64 packages keep libraries.
pub(crate) const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
/// The program interpreter named in every executable.
pub(crate) const LOADER: &str = "usr/lib64/ld-linux-x86-64.so.2";

/// Copies programs and the libraries they need, links included, from `from` to `to`.
pub(crate) fn take(from: &Tree, paths: &[String], to: &mut Tree) -> Result<(), ImageError> {
    let mut done = BTreeSet::new();
    let mut waiting: Vec<String> = paths.to_vec();
    if !paths.is_empty() {
        waiting.push(LOADER.to_owned());
    }
    while let Some(path) = waiting.pop() {
        if !done.insert(path.clone()) {
            continue;
        }
        let real = from.resolve(&path);
        let Some((real, bytes)) = real.and_then(|real| Some((real.clone(), from.read(&real)?))) else {
            return Err(ImageError::Builtin(format!("no package of the set brings {path}")));
        };
        to.put(&real, Node::File { bytes: bytes.to_vec(), executable: true });
        if real != path {
            // One link replaces the chain of links that led to the library.
            to.link(&path, &format!("/{real}"));
        }
        for library in needed(bytes) {
            let place = format!("{LIBRARIES}/{library}");
            if from.resolve(&place).is_none() {
                return Err(ImageError::Library { file: path, library });
            }
            waiting.push(place);
        }
    }
    Ok(())
}

fn needed(bytes: &[u8]) -> Vec<String> {
    let Ok(file) = ElfFile64::<object::Endianness>::parse(bytes) else { return Vec::new() };
    let Ok(libraries) = file.import_libraries() else { return Vec::new() };
    libraries.flatten().map(|library| String::from_utf8_lossy(library.name()).into_owned()).collect()
}
