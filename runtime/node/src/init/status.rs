//! `run/status.json`: what the node looks like now, for `controld` and whoever looks. Its form is that of `schemas/operation`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use postkiln_log::Event;
use postkiln_operation::paths;
use postkiln_operation::status::Status;

/// Replaces the file in one step. Not made durable: the next start writes its own.
pub(crate) fn write(status: &Status, data: &Path) {
    let mut text = serde_json::to_vec_pretty(status).unwrap_or_default();
    text.push(b'\n');
    if let Err(error) = postkiln_sys::sync::replace_volatile(&data.join(paths::STATUS), &text, 0o644) {
        postkiln_log::warn(Event::StatusNotWritten, &[("problem", &error)]);
    }
}

/// Unix seconds now.
pub(crate) fn now() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(passed.as_secs()).unwrap_or(i64::MAX)
}
