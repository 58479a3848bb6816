//! A node that lies: a copy of `postkiln-node` in which one function that waits for the disk returns at once, as if a
//! programmer had forgotten it. With this node the power-cut test must fail, which proves that the test can see a
//! missing fsync. The product has no switch for this. Knows machine code of x86-64 as far as "return zero", which is
//! `Ok(())`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{binary, finish};

/// The wait for a message's content, before its 250: fdatasync(2) of the file in the queue.
pub const CONTENT: &str = "<std::fs::File as postkiln_queue::storage::Stored>::sync";

/// Writes a node to `path` in which this function does nothing and says that all is well.
///
/// # Panics
/// When the node has no function of this name: it was renamed, and the name here must follow.
pub fn write_without(function: &str, path: &Path) {
    let node = binary("postkiln-node");
    let at = usize::try_from(offset(&node, function)).expect("within the file");
    let mut bytes = fs::read(&node).expect("the node");
    // The instructions `xor eax, eax; ret`.
    bytes[at..at + 3].copy_from_slice(&[0x31, 0xc0, 0xc3]);
    fs::write(path, bytes).expect("a new file");
    fs::set_permissions(path, fs::metadata(&node).expect("the node").permissions()).expect("our own file");
}

/// The offset in the file at which the function's code begins.
fn offset(node: &Path, function: &str) -> u64 {
    let mut objdump = Command::new("objdump");
    objdump.args(["--disassemble", "--demangle", "--wide", "--file-offsets", "--no-show-raw-insn"]).arg(node);
    let listing = finish(&mut objdump, Duration::from_secs(300)).success().output;
    let found: Vec<u64> = listing.lines().filter_map(|line| heading(line, function)).collect();
    assert_eq!(found.len(), 1, "functions called {function} in the node: {found:?}");
    found[0]
}

/// Parses a heading: `00000000001a2b30 <NAME> (File Offset: 0x1a2b30):`
fn heading(line: &str, function: &str) -> Option<u64> {
    let (name, offset) = line.split_once(" <")?.1.rsplit_once("> (File Offset: 0x")?;
    (name == function).then(|| u64::from_str_radix(offset.trim_end_matches("):"), 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_told_from_calls() {
        let line =
            "000000000009de50 <<std::fs::File as postkiln_queue::storage::Stored>::sync> (File Offset: 0x9ce50):";
        assert_eq!(heading(line, CONTENT), Some(0x9ce50));
        assert_eq!(heading(line, "something else"), None);
        let call = "   91a43:	call   90800 <postkiln_queue::model::Model::step> (File Offset: 0x8f800)";
        assert_eq!(heading(call, "postkiln_queue::model::Model::step"), None);
    }
}
