//! The initrd: `postkiln-boot` and the modules that lead to the root, as a cpio archive ("newc", the kernel's
//! Documentation/driver-api/early-userspace/buffer-format.rst) in zstd.

use crate::ImageError;
use crate::kernel::{Choice, Kernel};
use crate::tree::{Node, Tree};

/// The compression level, a high one: the initrd is read by slow firmware at each start and made once for each kernel.
const LEVEL: i32 = 19;

/// Makes the initrd, with `boot` as the first program.
pub(crate) fn make(kernel: &Kernel<'_>, boot: &[u8]) -> Result<Vec<u8>, ImageError> {
    let mut tree = Tree::default();
    kernel.install(&Choice::builtin()?.initrd, "modules", &mut tree)?;
    tree.program("init", boot.to_vec());
    for place in ["dev", "proc", "sys", "root"] {
        tree.directory(place);
    }
    let archive = cpio(&tree);
    zstd::bulk::compress(&archive, LEVEL).map_err(|error| ImageError::make("the initrd")(error.to_string()))
}

fn cpio(tree: &Tree) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut inode = 0;
    let mut put = |name: &str, mode: u32, device: (u32, u32), content: &[u8]| {
        inode += 1;
        entry(&mut archive, inode, name, mode, device, content);
    };
    for (path, node) in tree.iter() {
        match node {
            Node::Directory => put(path, 0o040_755, (0, 0), &[]),
            Node::File { bytes, executable } => {
                put(path, if *executable { 0o100_755 } else { 0o100_644 }, (0, 0), bytes)
            }
            Node::Link(target) => put(path, 0o120_777, (0, 0), target.as_bytes()),
        }
    }
    // The kernel opens /dev/console for the first program before anybody could mount /dev.
    put("dev/console", 0o020_600, (5, 1), &[]);
    put("TRAILER!!!", 0, (0, 0), &[]);
    archive
}

fn entry(archive: &mut Vec<u8>, inode: usize, name: &str, mode: u32, device: (u32, u32), content: &[u8]) {
    // The fields: magic, ino, mode, uid, gid, nlink, mtime, size, dev, rdev, name size with its zero, check.
    let header = format!(
        "070701{inode:08X}{mode:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{name}\0",
        0,
        0,
        1,
        0,
        content.len(),
        0,
        0,
        device.0,
        device.1,
        name.len() + 1,
        0
    );
    archive.extend_from_slice(header.as_bytes());
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpio_reader_that_is_not_ours_lists_the_archive() {
        let mut tree = Tree::default();
        tree.program("init", b"#!".to_vec());
        tree.file("modules/a.ko", b"module".to_vec());
        let archive = cpio(&tree);
        assert_eq!(archive.len() % 4, 0);
        let Ok(mut cpio) = std::process::Command::new("cpio")
            .arg("-t")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
        else {
            return;
        };
        std::io::Write::write_all(&mut cpio.stdin.take().unwrap(), &archive).unwrap();
        let output = cpio.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "init\nmodules\nmodules/a.ko\ndev/console\n");
    }
}
