//! The role `local`: not written yet; its owner replaces this file.

use postkiln_sys::Inherited;

/// Says that there is nothing here yet.
pub(crate) fn run(_inherited: Inherited) -> Result<(), String> {
    Err("this role is not written yet".to_owned())
}
