//! The memory of the node in MiB: what each service may need in the busiest hour, and the limit of its row. One source
//! for the table (`services.rs`) and for the proof that the machine holds all of it (`prove/machine.rs`).

use std::collections::BTreeMap;

use postkiln_bundle::Role;
use postkiln_control::{Concurrencyincoming, Concurrencylocal, Concurrencyremote, ControlFile};

use crate::model::Antivirus;

/// The work of the busiest hour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    clients: u64,
    local: u64,
    remote: u64,
    signatures: u64,
    scans: u64,
}

impl Load {
    /// The load that the site's limits allow.
    pub(crate) fn of(control: &BTreeMap<String, String>, antivirus: &Antivirus) -> Self {
        let Concurrencyincoming(incoming) = value(control);
        let Concurrencylocal(local) = value(control);
        let Concurrencyremote(remote) = value(control);
        let kib = |count: u32, each: u64| (u64::from(count) * each).div_ceil(1024);
        Self {
            clients: kib(incoming, CLIENT_KIB),
            local: kib(local, DELIVERY_KIB),
            remote: kib(remote, DELIVERY_KIB),
            signatures: if antivirus.clamav { SIGNATURES * if antivirus.reload_beside { 2 } else { 1 } } else { 0 },
            scans: if antivirus.clamav { u64::from(antivirus.threads) * SCAN } else { 0 },
        }
    }

    /// The memory of the whole machine, with the name of each part.
    pub(crate) fn parts(self) -> Vec<(&'static str, u64)> {
        let mut parts = vec![
            ("the system", SYSTEM),
            ("our services at rest", SERVICES),
            ("clients sending mail", self.clients),
            ("deliveries", self.local + self.remote),
        ];
        if self.signatures > 0 {
            parts.push(("ClamAV's signatures", self.signatures));
            parts.push(("messages being scanned", self.scans + FRESHCLAM));
        }
        parts
    }

    /// The limit of a service: the surplus, and its share of the busiest hour in whole [`STEP`]s.
    pub(crate) fn limit(self, role: Role) -> u32 {
        let share = match role {
            Role::Smtpd => self.clients,
            Role::Local => self.local,
            Role::Remote => self.remote,
            Role::Clamd => self.signatures + self.scans,
            Role::Freshclam => FRESHCLAM,
            Role::Imapd | Role::Pop3d => READING,
            _ => 0,
        };
        u32::try_from(share / STEP * STEP + SURPLUS).unwrap_or(u32::MAX)
    }
}

fn value<C: ControlFile + Default>(control: &BTreeMap<String, String>) -> C {
    control.get(C::NAME).and_then(|text| C::parse(text.as_bytes()).ok()).unwrap_or_default()
}

/// The most memory that a service may have beyond its share. The machine should hold that of one service: whoever needs
/// more and more is ended before it takes the others' memory.
pub(crate) const SURPLUS: u64 = 256;
/// Messages on their way to clients, each whole in memory, almost three times its size: fifteen clients that fetch
/// one of 20 MiB at once and are slow to read take more than 768 MiB together, and end all sessions. The proof does
/// not count this.
const READING: u64 = 512;
/// A share counts in steps of this size, so that a few more connections are no other limit, hence no restart.
const STEP: u64 = 128;

// Measured or estimated as the manual says: schemas/manual/smtp.md.
/// The kernel, page tables, and the root file system's pages.
const SYSTEM: u64 = 160;
/// Our roles: 12 measured, 48 allowed by the project's budget.
const SERVICES: u64 = 48;
/// The daemon clamd with the signatures of ClamAV's own sources.
const SIGNATURES: u64 = 1300;
/// The unpacked content of one scanned message.
const SCAN: u64 = 32;
/// The updater freshclam while it takes new signatures.
const FRESHCLAM: u64 = 40;
/// KiB of one client's connection.
const CLIENT_KIB: u64 = 192;
/// KiB of one delivery.
const DELIVERY_KIB: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_leaves_room_beyond_the_share_and_never_more_than_the_proof_counts() {
        let load = |clients, signatures| Load { clients, signatures, scans: 64, ..Load::default() };
        let check = |load: Load, role, share: u64, expected: u32| {
            let limit = load.limit(role);
            assert_eq!(limit, expected, "{role}");
            assert!((STEP..=SURPLUS).contains(&(u64::from(limit) - share)), "{role}");
        };
        check(load(94, 0), Role::Smtpd, 94, 256);
        check(load(94, 0), Role::Keyd, 0, 256);
        check(load(94, 0), Role::Imapd, READING, 768);
        check(load(1875, 0), Role::Smtpd, 1875, 2048);
        check(load(94, 2600), Role::Clamd, 2664, 2816);
        check(load(94, 2600), Role::Freshclam, FRESHCLAM, 256);
    }
}
