//! The console: a page on the screen, and on the serial line a line for whatever changed. Knows the state, not how it
//! came about. Start at [`show`].

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Mutex;

use postkiln_bundle::Role;
use postkiln_operation::ready;
use postkiln_operation::status::{Service, State, Status};

const SCREEN: &str = "/dev/tty0";
const SERIAL: &str = "/dev/ttyS0";

/// The state of the console: everything shown so far.
static SHOWN: Mutex<Shown> = Mutex::new(Shown { first_220: None, ready: false, lines: BTreeMap::new() });

struct Shown {
    /// Seconds from the kernel's start until the first 220 could be given.
    first_220: Option<f64>,
    ready: bool,
    lines: BTreeMap<Role, String>,
}

/// Shows the state of the services; gives `true` the first time that all of them are ready.
pub(super) fn show(status: &Status) -> bool {
    let Ok(mut shown) = SHOWN.lock() else { return false };
    let receives = status.listeners.iter().find(|listener| listener.name == "smtp").map(|listener| listener.role);
    let answers = |service: &Service| Some(service.role) == receives && service.state == State::Ready;
    if shown.first_220.is_none() && status.services.iter().any(answers) {
        shown.first_220 = uptime();
    }
    let mut serial = String::new();
    for service in &status.services {
        let line = service_line(service);
        if shown.lines.get(&service.role) != Some(&line) {
            if service.state != State::Starting {
                let _ = writeln!(serial, "Postkiln: {line}");
            }
            shown.lines.insert(service.role, line);
        }
    }
    let first = status.ready && !shown.ready;
    let page = page(status, &addresses(), shown.first_220);
    if first {
        shown.ready = true;
        serial.push_str(&page);
        let _ = writeln!(serial, "{}", ready::CONSOLE);
    }
    put(SERIAL, &serial);
    // The cursor goes home, each line is cleared to its end, then the rest of the screen: clearing it
    // first would flicker.
    put(SCREEN, &format!("\x1b[H{}\x1b[J", page.replace('\n', "\x1b[K\n")));
    first
}

/// Prints one line on the screen and on the serial line.
pub(super) fn line(text: &str) {
    put(SERIAL, &format!("{text}\n"));
    put(SCREEN, &format!("{text}\n"));
}

/// Tells a person why the machine does not start, and what the power button does now.
pub(super) fn stopped(problem: &str) {
    line(&format!(
        "\n*** Postkiln STOPPED ***\n{problem}.\nNo service runs. The power button switches the machine off.\n"
    ));
}

fn page(status: &Status, addresses: &str, first_220: Option<f64>) -> String {
    let mut page = String::new();
    let bundle = status.bundle.get(..12).unwrap_or_default();
    let _ = writeln!(page, "Postkiln  {}  (bundle {bundle})", status.hostname);
    let _ = writeln!(page, "address   {}", if addresses.is_empty() { "none yet" } else { addresses });
    let ports: Vec<String> = status.listeners.iter().map(|l| format!("{} {}", l.name, l.port)).collect();
    let _ = writeln!(page, "offers    {}", ports.join(", "));
    for service in &status.services {
        let _ = writeln!(page, "  {}", service_line(service));
    }
    for trouble in &status.troubles {
        let _ = writeln!(page, "TROUBLE   {trouble}: {}", trouble.defect.advice());
    }
    if let Some(seconds) = first_220 {
        let _ = writeln!(page, "first 220 {seconds:.1} s after the kernel started (before that: the firmware)");
    }
    if let Some(applied) = &status.applied {
        let what = if applied.problem.is_empty() { "applied" } else { applied.problem.as_str() };
        let _ = writeln!(page, "change    {} {what}", applied.bundle.get(..12).unwrap_or_default());
    }
    page
}

fn service_line(service: &Service) -> String {
    let note = if service.note.is_empty() { String::new() } else { format!(": {}", service.note) };
    format!("{:<10} {}{note}", service.role.name(), service.state)
}

fn addresses() -> String {
    postkiln_sys::network::addresses().unwrap_or_default().join(", ")
}

fn uptime() -> Option<f64> {
    std::fs::read_to_string("/proc/uptime").ok()?.split(' ').next()?.parse().ok()
}

/// Writes to a console. One that is missing, or that nobody reads, stops nothing.
fn put(device: &str, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK.union(rustix::fs::OFlags::NOCTTY).bits().cast_signed();
    if let Ok(mut device) = OpenOptions::new().write(true).custom_flags(flags).open(device) {
        let _ = device.write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_why_a_service_does_not_work() {
        let service =
            |role, state, note: &str| Service { role, state, since: 0, pid: None, restarts: 0, note: note.to_owned() };
        let status = Status {
            ready: false,
            hostname: "mail.example.org".to_owned(),
            bundle: "0123456789abcdef".to_owned(),
            services: vec![
                service(Role::Smtpd, State::Ready, ""),
                service(Role::Clamd, State::Waiting, "no virus signatures: mail is deferred"),
            ],
            ..Status::default()
        };
        let page = page(&status, "192.0.2.10/24", Some(5.25));
        for part in [
            "mail.example.org  (bundle 0123456789ab)",
            "address   192.0.2.10/24",
            "  smtpd      ready\n",
            "  clamd      waiting: no virus signatures: mail is deferred\n",
            "first 220 5.2 s",
        ] {
            assert!(page.contains(part), "{part} in\n{page}");
        }
    }
}
