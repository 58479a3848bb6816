//! A node that lies: a copy of `postkiln-node` in which one wait for the disk is taken out, as if a programmer had forgotten
//! it. With it the power-cut test must fail; that proves the test sees what it says it sees. Knows machine code of x86-64 as
//! far as a call goes; the product has no switch for this.
//!
//! Every durable write of the node goes through `runtime/sys/src/sync.rs`. A call of one of its functions is five bytes;
//! `mov eax, 0` is five bytes too, and a zero is `Ok(())`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{binary, finish};

/// A call of a function of `runtime/sys/src/sync.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function that calls, with its path.
    pub caller: String,
    /// The function that is called.
    pub callee: String,
    /// Where in the file.
    offset: u64,
}

/// Every such call of the node whose caller's path holds `within`.
///
/// # Panics
/// When the program cannot be taken apart.
#[must_use]
pub fn calls(within: &str) -> Vec<Call> {
    let node = binary("postkiln-node");
    let mut objdump = Command::new("objdump");
    objdump.args(["--disassemble", "--demangle", "--wide", "--file-offsets"]).arg(&node);
    let listing = finish(&mut objdump, Duration::from_secs(300)).success().output;
    let (mut caller, mut delta, mut found) = (String::new(), 0_i128, Vec::new());
    for line in listing.lines() {
        // 00000000001a2b30 <postkiln_queue::incoming::commit::h0123> (File Offset: 0x1a2b30):
        if let Some((address, name, offset)) = heading(line) {
            (caller, delta) = (name, offset - address);
        } else if caller.contains(within)
            && let Some((address, callee)) = call(line)
            && callee.contains("postkiln_sys::sync::")
        {
            let offset = u64::try_from(address + delta).expect("within the file");
            found.push(Call { caller: caller.clone(), callee, offset });
        }
    }
    found
}

fn heading(line: &str) -> Option<(i128, String, i128)> {
    let (address, rest) = line.split_once(" <")?;
    let (name, rest) = rest.rsplit_once("> (File Offset: 0x")?;
    let hex = |text: &str| i128::from_str_radix(text, 16).ok();
    Some((hex(address)?, name.to_owned(), hex(rest.trim_end_matches("):"))?))
}

fn call(line: &str) -> Option<(i128, String)> {
    //   1a2b54:	e8 17 33 00 00       	call   1a5e70 <postkiln_sys::sync::file::h4567> (File Offset: 0x1a5e70)
    let (address, rest) = line.trim_start().split_once(':')?;
    if !rest.trim_start().starts_with("e8 ") {
        return None;
    }
    let callee = rest.split_once('<')?.1.rsplit_once('>')?.0;
    Some((i128::from_str_radix(address, 16).ok()?, callee.to_owned()))
}

/// Writes the node without these calls.
///
/// # Panics
/// When the file cannot be written, or does not hold what it should.
pub fn write_without(calls: &[Call], path: &Path) {
    let mut bytes = fs::read(binary("postkiln-node")).expect("the node");
    for call in calls {
        let at = usize::try_from(call.offset).expect("within the file");
        assert_eq!(bytes.get(at), Some(&0xe8), "{call:?} is no call");
        bytes[at..at + 5].copy_from_slice(&[0xb8, 0, 0, 0, 0]);
    }
    fs::write(path, bytes).expect("a new file");
    let mode = fs::metadata(binary("postkiln-node")).expect("the node").permissions();
    fs::set_permissions(path, mode).expect("our own file");
}
