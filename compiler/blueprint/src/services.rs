//! The service table: who runs as whom, listens where, opens which door, touches which directory. The table "Who opens
//! which door" of ARCHITECTURE.md, as data.

use postkiln_bundle::{Directory, Listener, Program, Role, Service, Tls, User};

/// What `init` starts, in order.
pub(crate) fn services(clamav: bool) -> Vec<Service> {
    let scanned = |role: &Role| clamav || !matches!(role, Role::Clamd | Role::Freshclam);
    Role::ALL.into_iter().filter(scanned).filter_map(|role| service(role, clamav)).collect()
}

fn service(role: Role, clamav: bool) -> Option<Service> {
    use Role::{Clamd, Controld, Directoryd, Freshclam, Imapd, Init, Keyd, Local, Netd, Pop3d, Queued, Remote, Smtpd};
    let scanner = if clamav { vec![read("run/clamav")] } else { Vec::new() };
    let (user, doors, directories) = match role {
        Init => return None,
        Netd => (User::Net, vec![], vec![write("run/net")]),
        Keyd => (User::Keys, vec![], vec![write("keys")]),
        Directoryd => (User::Directory, vec![], vec![write("db")]),
        Queued => (User::Queue, vec![Local, Remote], vec![write("queue")]),
        Local => (User::Mail, vec![Directoryd, Queued], vec![write("mail"), write("lists"), write("robots")]),
        // netd's lease names the DNS servers.
        Remote => (User::Remote, vec![], vec![read("run/net")]),
        // clamd's socket lies there, beside nothing else.
        Smtpd => (User::Smtp, vec![Directoryd, Queued, Keyd], scanner),
        Imapd | Pop3d => (User::Mail, vec![Directoryd, Keyd], vec![write("mail")]),
        Controld => (User::Control, vec![Queued], vec![read("run")]),
        Clamd => (User::Clamav, vec![], vec![write("clamav"), write("run/clamav"), read("run")]),
        Freshclam => (User::Clamav, vec![], vec![write("clamav"), read("run")]),
    };
    Some(Service { role, user, program: program(role), listeners: listeners(role), doors, directories })
}

fn program(role: Role) -> Program {
    let external = |path: &str, arguments: &[&str]| Program::External {
        path: path.to_owned(),
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
    };
    match role {
        Role::Clamd => external("/usr/sbin/clamd", &["--foreground", "--config-file={data}/run/clamd.conf"]),
        Role::Freshclam => {
            external("/usr/bin/freshclam", &["--daemon", "--foreground", "--config-file={data}/run/freshclam.conf"])
        }
        _ => Program::Node,
    }
}

/// Ports of RFC 5321, RFC 6409, RFC 8314, RFC 9051, RFC 1939.
fn listeners(role: Role) -> Vec<Listener> {
    let table: &[(&str, u16, Tls)] = match role {
        Role::Smtpd => {
            &[("smtp", 25, Tls::Starttls), ("submission", 587, Tls::Starttls), ("submissions", 465, Tls::Implicit)]
        }
        Role::Imapd => &[("imap", 143, Tls::Starttls), ("imaps", 993, Tls::Implicit)],
        Role::Pop3d => &[("pop3", 110, Tls::Starttls), ("pop3s", 995, Tls::Implicit)],
        _ => &[],
    };
    table.iter().map(|(name, port, tls)| Listener { name: (*name).to_owned(), port: *port, tls: *tls }).collect()
}

fn read(path: &str) -> Directory {
    Directory { path: path.to_owned(), writable: false }
}

fn write(path: &str) -> Directory {
    Directory { path: path.to_owned(), writable: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callees_are_started_and_strangers_meet_roles_that_write_nothing() {
        for clamav in [false, true] {
            let services = services(clamav);
            assert_eq!(services.len(), if clamav { 12 } else { 10 });
            for service in &services {
                assert!(service.doors.iter().all(|door| services.iter().any(|other| other.role == *door)));
            }
            let smtpd = services.iter().find(|service| service.role == Role::Smtpd).unwrap();
            assert!(smtpd.directories.iter().all(|directory| !directory.writable));
        }
    }
}
