//! A tree of files in memory: those of Debian packages, and ours. Owners are always root and times always zero, so a
//! node holds only type, mode and content.

use std::collections::BTreeMap;
use std::io::Read;

use crate::ImageError;

/// A file, a directory or a symbolic link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Directory,
    File { bytes: Vec<u8>, executable: bool },
    Link(String),
}

/// Nodes by their paths without a leading slash, sorted; a parent stands before its children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// Adds a node, and the directories above it.
    pub(crate) fn put(&mut self, path: &str, node: Node) {
        let parents = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        for parent in parents {
            self.0.entry(parent.to_owned()).or_insert(Node::Directory);
        }
        self.0.insert(path.to_owned(), node);
    }

    pub(crate) fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.put(path, Node::File { bytes: bytes.into(), executable: false });
    }

    pub(crate) fn program(&mut self, path: &str, bytes: Vec<u8>) {
        self.put(path, Node::File { bytes, executable: true });
    }

    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.put(path, Node::Link(target.to_owned()));
    }

    pub(crate) fn directory(&mut self, path: &str) {
        self.put(path, Node::Directory);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// All nodes below a folder, whose path must end with a slash.
    pub(crate) fn below<'t>(&'t self, folder: &'t str) -> impl Iterator<Item = (&'t str, &'t Node)> {
        self.iter().skip_while(move |(path, _)| *path < folder).take_while(move |(path, _)| path.starts_with(folder))
    }

    /// The content of a file; symbolic links are followed within the tree.
    pub(crate) fn read(&self, path: &str) -> Option<&[u8]> {
        match self.0.get(&self.resolve(path)?) {
            Some(Node::File { bytes, .. }) => Some(bytes),
            _ => None,
        }
    }

    /// The path that remains when all symbolic links are followed.
    pub(crate) fn resolve(&self, path: &str) -> Option<String> {
        let mut path = path.to_owned();
        for _ in 0..8 {
            match self.0.get(&path)? {
                Node::Link(target) => path = join(&path, target),
                _ => return Some(path),
            }
        }
        None
    }

    /// Adds the files of a Debian package: deb(5) is an ar archive whose member `data.tar.*` holds them.
    pub(crate) fn add_package(&mut self, name: &str, deb: &[u8]) -> Result<(), ImageError> {
        let wrong = |reason: String| ImageError::Package { name: name.to_owned(), reason };
        let data = data_member(deb).map_err(&wrong)?;
        self.add_tar(&data).map_err(|error| wrong(error.to_string()))
    }

    fn add_tar(&mut self, data: &[u8]) -> std::io::Result<()> {
        for entry in tar::Archive::new(data).entries()? {
            let mut entry = entry?;
            let raw = entry.path()?.to_string_lossy().into_owned();
            let path = merged(raw.trim_start_matches("./").trim_end_matches('/'));
            if path.is_empty() || path.split('/').any(|part| part == "..") {
                continue;
            }
            let target = entry.link_name()?.map(|target| target.to_string_lossy().into_owned());
            match (entry.header().entry_type(), target) {
                (tar::EntryType::Directory, _) => {
                    self.0.entry(path).or_insert(Node::Directory);
                }
                (tar::EntryType::Symlink, Some(target)) => self.link(&path, &target),
                (tar::EntryType::Link, Some(target)) => {
                    if let Some(node) = self.0.get(&merged(target.trim_start_matches("./"))).cloned() {
                        self.put(&path, node);
                    }
                }
                (tar::EntryType::Regular, _) => {
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes)?;
                    let executable = entry.header().mode()? & 0o100 != 0;
                    self.put(&path, Node::File { bytes, executable });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn data_member(deb: &[u8]) -> Result<Vec<u8>, String> {
    let mut archive = ar::Archive::new(deb);
    while let Some(member) = archive.next_entry() {
        let mut member = member.map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(member.header().identifier()).into_owned();
        let mut data = Vec::new();
        let read = match name.as_str() {
            "data.tar.xz" => liblzma::read::XzDecoder::new(member).read_to_end(&mut data),
            "data.tar.zst" => zstd::stream::copy_decode(member, &mut data).map(|()| 0),
            "data.tar" => member.read_to_end(&mut data),
            _ => continue,
        };
        return read.map(|_| data).map_err(|error| format!("{name}: {error}"));
    }
    Err("it has no member data.tar.xz or data.tar.zst".to_owned())
}

/// The path in a merged /usr: packages still name some files below `/lib64` or `/sbin`.
fn merged(path: &str) -> String {
    let first = path.split('/').next().unwrap_or_default();
    if matches!(first, "bin" | "sbin" | "lib" | "lib64") { format!("usr/{path}") } else { path.to_owned() }
}

fn join(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        from.rsplit_once('/').map_or(Vec::new(), |(d, _)| d.split('/').collect())
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    merged(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_within_the_tree() {
        let mut tree = Tree::default();
        tree.file("usr/lib/x/libz.so.1.3", b"z".to_vec());
        tree.link("usr/lib/x/libz.so.1", "libz.so.1.3");
        tree.link("usr/lib64/ld.so", "../lib/x/libz.so.1");
        tree.link("usr/abs", "/lib/x/libz.so.1");
        tree.link("usr/loop", "loop");
        let check = |path: &str, expected: Option<&[u8]>| assert_eq!(tree.read(path), expected, "{path}");
        check("usr/lib/x/libz.so.1", Some(b"z"));
        check("usr/lib64/ld.so", Some(b"z"));
        check("usr/abs", Some(b"z"));
        check("usr/loop", None);
        check("usr/absent", None);
    }

    #[test]
    fn a_package_without_data_is_named() {
        let error = Tree::default().add_package("example", b"!<arch>\n").unwrap_err().to_string();
        assert!(error.contains("example"), "{error}");
    }
}
