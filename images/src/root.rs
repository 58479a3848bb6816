//! The read-only root of a slot: the node binary, users, Debian's programs with exactly the libraries they need,
//! modules. It holds no configuration; that is the bundle, so a change of configuration never repacks it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Cursor;

use backhand::compression::{CompressionOptions, Compressor, Zstd};
use backhand::{FilesystemCompressor, FilesystemWriter, NodeHeader};
use postkiln_bundle::User;
use serde::Deserialize;

use crate::kernel::{Choice, Kernel};
use crate::tree::{Node, Tree};
use crate::{ImageError, libraries};

/// The folder of certificates in ca-certificates. Programs read the one file made of them.
const CERTIFICATES: &str = "usr/share/ca-certificates/mozilla/";
/// The level of compression; 15 takes twice as long for 8 % less.
const SQUASHFS_LEVEL: u32 = 9;
/// A loop or partition device ends at a multiple of its sector; squashfs must not end behind it.
const PADDING_KIB: u32 = 4;

/// The parts of the packages that are taken: `root.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    programs: Vec<String>,
    files: Vec<String>,
}

/// Makes the root file system of these sets. `identity` names all its inputs.
pub(crate) fn make(
    packages: &Tree,
    kernel: &Kernel<'_>,
    sets: &[&str],
    node: &[u8],
    identity: &str,
) -> Result<Vec<u8>, ImageError> {
    let parts: BTreeMap<String, Part> =
        serde_json::from_str(include_str!("../root.json")).map_err(|error| ImageError::Builtin(error.to_string()))?;
    let mut root = Tree::default();
    skeleton(&mut root);
    // By this file the node knows whether it has seen the image before.
    root.file("etc/postkiln-image", format!("{identity}\n"));
    root.program("usr/sbin/postkiln-node", node.to_vec());
    kernel.install(&Choice::builtin()?.root, "usr/lib/modules", &mut root)?;
    root.file("etc/ssl/certs/ca-certificates.crt", certificates(packages));
    for part in sets.iter().filter_map(|set| parts.get(*set)) {
        libraries::take(packages, &part.programs, &mut root)?;
        for path in &part.files {
            let missing = || ImageError::Builtin(format!("no package of the set brings {path}"));
            root.file(path, packages.read(path).ok_or_else(missing)?);
        }
    }
    squashfs(&root).map_err(ImageError::make("the root file system"))
}

/// Places to mount on, the links of a merged /usr, and the few files of /etc that C libraries look for.
fn skeleton(root: &mut Tree) {
    for place in ["dev", "proc", "sys", "run", "tmp", "data", "esp", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"] {
        root.directory(place);
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        root.link(name, &format!("usr/{name}"));
    }
    let (mut passwd, mut group) = (String::new(), String::new());
    for user in User::ALL {
        let (name, id) = (user.name(), user.id());
        let _ = writeln!(passwd, "{name}:x:{id}:{id}::/:/usr/sbin/nologin");
        let _ = writeln!(group, "{name}:x:{id}:");
    }
    root.file("etc/passwd", passwd);
    root.file("etc/group", group);
    root.file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
    root.file("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
    root.link("etc/resolv.conf", &format!("/data/{}", postkiln_operation::paths::RESOLV_CONF));
    root.link("etc/mtab", "/proc/self/mounts");
}

/// The file that update-ca-certificates makes when the package is installed.
fn certificates(packages: &Tree) -> Vec<u8> {
    let mut all = Vec::new();
    for (path, node) in packages.below(CERTIFICATES) {
        if let Node::File { bytes, .. } = node
            && path.ends_with(".crt")
        {
            all.extend_from_slice(bytes);
            if !bytes.ends_with(b"\n") {
                all.push(b'\n');
            }
        }
    }
    all
}

fn squashfs(tree: &Tree) -> Result<Vec<u8>, String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    let mut writer = FilesystemWriter::default();
    let options = CompressionOptions::Zstd(Zstd { compression_level: SQUASHFS_LEVEL });
    writer.set_compressor(FilesystemCompressor::new(Compressor::Zstd, Some(options)).map_err(text)?);
    writer.set_kib_padding(PADDING_KIB);
    writer.set_time(0);
    writer.set_root_mode(0o755);
    for (path, node) in tree.iter() {
        let header = |mode| NodeHeader::new(mode, 0, 0, 0);
        match node {
            Node::Directory => writer.push_dir(path, header(0o755)),
            Node::File { bytes, executable } => {
                writer.push_file(Cursor::new(bytes), path, header(if *executable { 0o755 } else { 0o644 }))
            }
            Node::Link(target) => writer.push_symlink(target.as_str(), path, header(0o777)),
        }
        .map_err(|error| format!("{path}: {error}"))?;
    }
    let mut image = Cursor::new(Vec::new());
    writer.write(&mut image).map_err(text)?;
    Ok(image.into_inner())
}
