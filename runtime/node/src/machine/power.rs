//! The power button: an input device that says `KEY_POWER` (linux/input-event-codes.h).

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;

/// `struct input_event` on 64-bit machines: two words of time, type, code, value.
const EVENT: usize = 24;
const EV_KEY: u16 = 1;
const KEY_POWER: u16 = 116;

/// Opens every input device: on the machines we run on, nearly all are buttons and keyboards.
pub(super) fn buttons() -> Vec<File> {
    let flags = OFlags::NONBLOCK.union(OFlags::CLOEXEC).bits().cast_signed();
    let entries = fs::read_dir("/dev/input").into_iter().flatten().flatten();
    let events = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("event"));
    events.filter_map(|entry| fs::OpenOptions::new().read(true).custom_flags(flags).open(entry.path()).ok()).collect()
}

/// Whether what is to be read from a button says that it was pressed.
pub(crate) fn is_pressed(button: &mut File) -> bool {
    let mut events = [0; EVENT * 64];
    let mut pressed = false;
    while let Ok(read) = button.read(&mut events) {
        pressed |= events.get(..read).unwrap_or_default().chunks_exact(EVENT).any(is_power);
        if read < events.len() {
            break;
        }
    }
    pressed
}

/// Waits until a power button is pressed; for ever on a machine that has none.
pub(super) fn wait(buttons: &mut [File]) {
    loop {
        let mut watched: Vec<PollFd<'_>> = buttons.iter().map(|button| PollFd::new(button, PollFlags::IN)).collect();
        let _ = poll(&mut watched, None);
        drop(watched);
        if buttons.iter_mut().any(is_pressed) {
            return;
        }
    }
}

fn is_power(event: &[u8]) -> bool {
    let half = |at: usize| event.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_ne_bytes);
    // A value of 1 is a press, 0 a release.
    half(16) == Some(EV_KEY) && half(18) == Some(KEY_POWER) && half(20) == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_press_of_the_power_key_counts() {
        let check = |kind: u16, code: u16, value: u32, expected: bool| {
            let mut event = vec![0; 16];
            event.extend(kind.to_ne_bytes());
            event.extend(code.to_ne_bytes());
            event.extend(value.to_ne_bytes());
            assert_eq!(is_power(&event), expected, "{kind} {code} {value}");
        };
        check(1, 116, 1, true);
        check(1, 116, 0, false);
        check(1, 30, 1, false);
        check(0, 116, 1, false);
        assert!(!is_power(b"short"));
    }
}
