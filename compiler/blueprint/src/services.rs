//! The service table: who runs as whom, listens where, opens which door, touches which directory, and what else `init`
//! has to know. The table "Who opens which door" of ARCHITECTURE.md, as data. A new role is a line of [`line`].

use postkiln_bundle::paths::{self as files, CLAMD, FRESHCLAM};
use postkiln_bundle::{
    Calls, Capability, Directory, Listener, LocalSocket, Pauses, Prerequisite, Program, Provision, Readiness, Role,
    Service, Tls,
};
use postkiln_operation::paths;

use crate::memory::Load;

/// The parts of a site that decide who needs whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    /// Mail is scanned by clamd.
    pub(crate) clamav: bool,
    /// The smarthost asks for a login.
    pub(crate) login: bool,
    /// The work of the busiest hour.
    pub(crate) load: Load,
}

/// The services that `init` starts, in order.
pub(crate) fn services(needs: Needs) -> Vec<Service> {
    Role::ALL.into_iter().filter_map(|role| line(role, needs)).map(|service| whole(service, needs)).collect()
}

/// The fields of a role's row that differ from the defaults.
fn line(role: Role, Needs { clamav, login, .. }: Needs) -> Option<Service> {
    use Role::{
        Clamd, Controld, Directoryd, Freshclam, Imapd, Init, Keyd, Local, Netd, Policyd, Pop3d, Queued, Remote, Smtpd,
    };
    let plain = Service::new(role);
    let service = match role {
        // `init` starts the others and has no row.
        Init => return None,
        Netd => Service {
            directories: vec![write(paths::NETWORK)],
            capabilities: vec![Capability::NetAdmin, Capability::NetRaw, Capability::NetBindService],
            machine_only: true,
            ..plain
        },
        Keyd => Service { directories: vec![write("keys")], takes_secrets: true, ..plain },
        Directoryd => Service { doors: vec![Keyd], directories: vec![write("db")], ..plain },
        Queued => Service { doors: vec![Local, Remote], directories: vec![write("queue")], ..plain },
        Policyd => Service { directories: vec![write("policy")], ..plain },
        Local => Service {
            doors: vec![Directoryd, Queued],
            directories: vec![write("mail"), write("lists"), write("robots")],
            ..plain
        },
        Remote => Service {
            doors: if login { vec![Keyd] } else { Vec::new() },
            // netd's lease names the DNS servers.
            directories: vec![read(paths::NETWORK)],
            ..plain
        },
        Smtpd => Service {
            listeners: vec![starttls("smtp", 25), starttls("submission", 587), implicit("submissions", 465)],
            doors: vec![Directoryd, Queued, Policyd, Keyd],
            // clamd's socket lies there, beside nothing else.
            directories: if clamav { vec![read(paths::CLAMD)] } else { Vec::new() },
            ..plain
        },
        Imapd => Service {
            listeners: vec![starttls("imap", 143), implicit("imaps", 993)],
            doors: vec![Directoryd, Keyd],
            directories: vec![write("mail")],
            ..plain
        },
        Pop3d => Service {
            listeners: vec![starttls("pop3", 110), implicit("pop3s", 995)],
            doors: vec![Directoryd, Keyd],
            directories: vec![write("mail")],
            ..plain
        },
        Controld => Service {
            sockets: vec![LocalSocket {
                name: "control".to_owned(),
                path: format!("{}/{}", paths::RUN, paths::CONTROL_SOCKET),
            }],
            doors: vec![Queued],
            directories: vec![read(paths::RUN)],
            ..plain
        },
        Clamd if clamav => clamd(plain),
        Freshclam if clamav => freshclam(plain),
        Clamd | Freshclam => return None,
    };
    Some(service)
}

/// The row with the fields that follow from the others and from the site.
fn whole(service: Service, Needs { clamav, load, .. }: Needs) -> Service {
    Service {
        reads: reads(&service, clamav),
        calls: calls(&service, clamav),
        memory: Some(load.limit(service.role)),
        ..service
    }
}

/// The classes of system calls of a role. Most follow from what its row gives it; whoever opens sockets of its
/// own is named.
fn calls(service: &Service, clamav: bool) -> Vec<Calls> {
    if service.program != Program::Node {
        return Vec::new();
    }
    let accepts = !service.listeners.is_empty() || !service.sockets.is_empty();
    let writes = service.directories.iter().any(|directory| directory.writable);
    let opens = match service.role {
        Role::Netd => Some(Calls::Interfaces),
        Role::Remote => Some(Calls::Internet),
        Role::Smtpd if clamav => Some(Calls::LocalSockets),
        _ => None,
    };
    [accepts.then_some(Calls::Accept), writes.then_some(Calls::Files), opens].into_iter().flatten().collect()
}

/// The files of the bundle that a role reads: the control files that the registry says it reads, the rules about who
/// may talk to it, and what is its own.
fn reads(service: &Service, clamav: bool) -> Vec<String> {
    let role = service.role;
    let controls = postkiln_control::REGISTRY.iter().filter(|entry| entry.readers.contains(&role.name()));
    let controls = controls.map(|entry| files::control(entry.name));
    let rules = service.listeners.iter().map(|listener| files::rules_cdb(&listener.name));
    let own: &[&str] = match role {
        Role::Directoryd => &[files::ASSIGN_CDB, files::PASSWORD_SECRETS, files::DOMAINS, files::SEED],
        Role::Keyd => &[files::TLS],
        Role::Local => &[files::LISTS, files::ROBOTS],
        Role::Smtpd if clamav => &[CLAMD],
        _ => &[],
    };
    controls.chain(rules).chain(own.iter().map(|&path| path.to_owned())).collect()
}

fn clamd(plain: Service) -> Service {
    Service {
        program: external("/usr/sbin/clamd", &["--foreground", &config_file(paths::CLAMD_CONF)]),
        directories: vec![write("clamav"), write(paths::CLAMD), read(paths::RUN)],
        provisions: vec![
            configuration(CLAMD, paths::CLAMD_CONF),
            Provision::Folder { from: files::SIGNATURES.to_owned(), to: "clamav".to_owned() },
        ],
        prerequisite: Some(Prerequisite {
            directory: "clamav".to_owned(),
            endings: SIGNATURES.iter().map(|&ending| ending.to_owned()).collect(),
            what: "virus signatures".to_owned(),
        }),
        readiness: Readiness::Answers {
            socket: paths::CLAMD_SOCKET.to_owned(),
            question: "zPING\0".to_owned(),
            reply: "PONG\0".to_owned(),
        },
        without: "mail is deferred".to_owned(),
        ..plain
    }
}

fn freshclam(plain: Service) -> Service {
    let arguments = ["--daemon", "--foreground", &config_file(paths::FRESHCLAM_CONF)];
    Service {
        program: external("/usr/bin/freshclam", &arguments),
        directories: vec![write("clamav"), read(paths::RUN)],
        provisions: vec![configuration(FRESHCLAM, paths::FRESHCLAM_CONF)],
        readiness: Readiness::Runs,
        essential: false,
        // freshclam talks to other people's servers, so a failure there must not be repeated at once.
        pauses: Pauses { first_seconds: 60, longest_seconds: 3600 },
        ..plain
    }
}

/// An option of both of ClamAV's programs; `init` fills in the data directory.
fn config_file(path: &str) -> String {
    format!("--config-file={{data}}/{path}")
}

fn external(path: &str, arguments: &[&str]) -> Program {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Program::External { path: path.to_owned(), arguments }
}

fn configuration(from: &str, to: &str) -> Provision {
    Provision::Configuration { from: from.to_owned(), to: to.to_owned() }
}

// Ports of RFC 5321, RFC 6409, RFC 8314, RFC 9051, RFC 1939.
fn starttls(name: &str, port: u16) -> Listener {
    Listener { name: name.to_owned(), port, tls: Tls::Starttls }
}

fn implicit(name: &str, port: u16) -> Listener {
    Listener { name: name.to_owned(), port, tls: Tls::Implicit }
}

fn read(path: &str) -> Directory {
    Directory { path: path.to_owned(), writable: false }
}

fn write(path: &str) -> Directory {
    Directory { path: path.to_owned(), writable: true }
}

/// The endings of files that clamd takes for signature databases.
const SIGNATURES: &[&str] = &[
    "cvd", "cld", "cud", "ndb", "ndu", "hdb", "hdu", "hsb", "hsu", "mdb", "mdu", "msb", "msu", "ldb", "ldu", "db",
    "fp", "sfp", "cdb", "cbc", "ftm", "gdb", "pdb", "wdb", "idb", "crb", "imp", "yar", "yara", "zmd", "rmd",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callees_are_started_and_strangers_meet_roles_that_write_nothing() {
        for clamav in [false, true] {
            let services = services(Needs { clamav, login: true, load: Load::default() });
            assert_eq!(services.len(), if clamav { 13 } else { 11 });
            for service in &services {
                assert!(service.doors.iter().all(|door| services.iter().any(|other| other.role == *door)));
            }
            let smtpd = services.iter().find(|service| service.role == Role::Smtpd).unwrap();
            assert!(smtpd.directories.iter().all(|directory| !directory.writable));
        }
    }
}
