//! The walls around each role, from the inside: a role that somebody has taken over opens what its line of the service
//! table gives it, and nothing else. A new role is tried as soon as it stands in the table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postkiln_bundle::{Bundle, Calls, Manifest, Program, Service};
use postkiln_tests::clients::Login;
use postkiln_tests::taken::{Outcome, Taken};
use postkiln_tests::{Running, Site, eventually};
use rustix::fs::OFlags;
use rustix::process::{Pid, Resource, Rlimit};

#[test]
fn a_role_opens_what_is_its_own_and_nothing_else() {
    let node = Running::start(Site::small_office().without_antivirus().path());
    let manifest = manifest(&node);
    let places = places(&node, &manifest);
    for service in roles(&manifest) {
        let mut taken = Taken::over(process(&node, service));
        let mut opened = 0;
        for place in &places {
            let outcome = taken.open(place, flags(OFlags::RDONLY));
            if is_own(&node, service, place) {
                assert!(matches!(outcome, Outcome::Gave(_)), "{} opens {}: {outcome:?}", service.role, place.display());
                opened += 1;
            } else {
                assert!(outcome.is_refused(), "{} opens {}: {outcome:?}", service.role, place.display());
            }
        }
        // Its part at least.
        assert!(opened > 0, "{} opens nothing", service.role);
    }
    // Nobody was hurt.
    assert!(node.log().lines().all(|line| !line.contains("event=service-ended")), "{}", node.log());
}

#[test]
fn a_role_that_makes_a_call_of_another_class_is_ended_and_started_again() {
    let site = Site::small_office().without_antivirus();
    for attempt in attempts() {
        // A node for each, since whoever ends again soon is started again later and later.
        let node = Running::start(site.path()).that_is_attacked();
        let manifest = manifest(&node);
        let forbidden = roles(&manifest).filter(|service| attempt.is_forbidden(service));
        let ended = forbidden.map(|service| {
            let process = process(&node, service);
            assert_eq!(attempt.make(process), Outcome::Killed(libc::SIGSYS), "{}: {}", service.role, attempt.name);
            (service.role.name(), process)
        });
        for (role, before) in ended.collect::<Vec<_>>() {
            node.await_log(&["level=error", "event=forbidden-call", &format!("service={role}")], RESTART);
            eventually(&format!("another {role} runs after {}", attempt.name), RESTART, || {
                node.service(role).filter(|now| now.pid != before)
            });
        }
    }
}

#[test]
fn a_door_that_was_shut_down_is_made_anew_for_both_sides() {
    let site = Site::small_office().without_antivirus();
    let node = Running::start(site.path());
    let (smtpd, queued) = (node.service("smtpd").unwrap().pid, node.service("queued").unwrap().pid);
    let mut taken = Taken::over(smtpd);
    // The copies that init keeps are shut down with it: a new process alone would get the same one.
    let outcome = taken.call(libc::SYS_shutdown, &[door(smtpd, "door.queued"), libc::SHUT_RDWR.unsigned_abs().into()]);
    assert_eq!(outcome, Outcome::Gave(0));
    drop(taken);
    node.await_log(&["event=door-spoiled"], RESTART);
    for (role, before) in [("smtpd", smtpd), ("queued", queued)] {
        eventually(&format!("another {role} runs"), RESTART, || node.service(role).filter(|now| now.pid != before));
    }
    let login = Login { user: "ada@example.org", password: "postkiln" };
    let _ = node.accept(site.path(), login).success();
}

#[test]
fn a_service_gets_memory_up_to_its_limit() {
    let node = Running::start(Site::small_office().without_antivirus().path());
    let manifest = manifest(&node);
    for service in roles(&manifest) {
        let limit = u64::from(service.memory.unwrap()) << 20;
        let mut taken = Taken::over(process(&node, service));
        let mut map = |octets: u64| {
            let (kind, access) = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, libc::PROT_READ | libc::PROT_WRITE);
            let number = |value: i32| u64::from(value.cast_unsigned());
            taken.call(libc::SYS_mmap, &[0, octets, number(access), number(kind), u64::MAX, 0])
        };
        // Stacks of threads count as well, and have 80 MiB beside the limit.
        assert_eq!(map(limit + (80 << 20)), Outcome::Failed(libc::ENOMEM), "{}", service.role);
        let outcome = map(limit - (64 << 20));
        let Outcome::Gave(address) = outcome else { panic!("{}: {outcome:?}", service.role) };
        let unmapped = taken.call(libc::SYS_munmap, &[address.cast_unsigned(), limit - (64 << 20)]);
        assert_eq!(unmapped, Outcome::Gave(0));
    }
}

#[test]
fn a_service_that_wants_more_memory_than_it_may_have_is_started_again_alone() {
    let site = Site::small_office().without_antivirus();
    let node = Running::start(site.path());
    let before = node.services();
    let directoryd = node.service("directoryd").unwrap().pid;
    // Room for a thread, and none for the 19 MiB of a password check.
    let data = fs::read_to_string(format!("/proc/{directoryd}/status")).unwrap();
    let kib = data.lines().find_map(|line| line.strip_prefix("VmData:")?.strip_suffix("kB")).unwrap();
    let octets = (kib.trim().parse::<u64>().unwrap() + 6 * 1024) << 10;
    let limit = Rlimit { current: Some(octets), maximum: Some(octets) };
    rustix::process::prlimit(Pid::from_raw(directoryd), Resource::Data, limit).unwrap();
    let login = Login { user: "ada@example.org", password: "postkiln" };
    let said =
        postkiln_tests::clients::submit(&node, "submissions", login, &["ada@example.org"], "Subject: over\n\n.\n");
    // The client waits for the second that a restart takes, as smtpd does at the door.
    assert_eq!(said.code, 250, "{}", said.text);
    node.await_log(&["level=error", "event=over-memory", "service=directoryd", "limit="], RESTART);
    eventually("another directoryd runs", RESTART, || node.service("directoryd").filter(|now| now.pid != directoryd));
    let others = |services: Vec<postkiln_tests::Service>| {
        services.into_iter().filter(|service| service.role != "directoryd").collect::<Vec<_>>()
    };
    assert_eq!(others(node.services()), others(before), "{}", node.log());
    let _ = node.accept(site.path(), login).success();
}

/// The number of a descriptor that a role was handed.
fn door(process: i32, name: &str) -> u64 {
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let named = environment.split('\0').find_map(|one| one.strip_prefix("POSTKILN_DESCRIPTORS=")).unwrap();
    let number = named.split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap();
    number.parse().unwrap()
}

/// A system call that somebody who has taken over a role would like to make.
struct Attempt {
    name: &'static str,
    number: libc::c_long,
    arguments: Vec<u64>,
    /// The class that has the call; nothing when nobody makes it.
    class: Option<Calls>,
}

impl Attempt {
    /// Has a process make the call.
    fn make(&self, process: i32) -> Outcome {
        let mut taken = Taken::over(process);
        let text = taken.text(Path::new("/bin/sh"));
        let arguments: Vec<u64> = self.arguments.iter().map(|one| if *one == TEXT { text } else { *one }).collect();
        taken.call(self.number, &arguments)
    }

    fn is_forbidden(&self, service: &Service) -> bool {
        self.class.is_none_or(|class| !service.calls.contains(&class))
    }
}

fn attempts() -> Vec<Attempt> {
    let attempt = |name, number, arguments: &[i64], class| {
        let arguments = arguments.iter().map(|argument| argument.cast_unsigned()).collect();
        Attempt { name, number, arguments, class }
    };
    let text = TEXT.cast_signed();
    let (anonymous, code) = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, libc::PROT_READ | libc::PROT_EXEC);
    vec![
        attempt("a program", libc::SYS_execve, &[text, 0, 0], None),
        attempt("a process", libc::SYS_clone, &[libc::SIGCHLD.into(), 0, 0, 0, 0], None),
        attempt("another's memory", libc::SYS_ptrace, &[libc::PTRACE_ATTACH.into(), 1, 0, 0], None),
        attempt("code", libc::SYS_mmap, &[0, 4096, code.into(), anonymous.into(), -1, 0], None),
        attempt("a raw socket", libc::SYS_socket, &[libc::AF_INET.into(), libc::SOCK_RAW.into(), 1], None),
        attempt("a packet socket", libc::SYS_socket, &[libc::AF_PACKET.into(), libc::SOCK_RAW.into(), 0], None),
        attempt("a signal", libc::SYS_kill, &[1, 0], None),
        attempt("rings", libc::SYS_io_uring_setup, &[1, text], None),
        attempt(
            "a socket",
            libc::SYS_socket,
            &[libc::AF_INET.into(), libc::SOCK_STREAM.into(), 0],
            Some(Calls::Internet),
        ),
        attempt("a written file", libc::SYS_openat, &[-100, text, libc::O_WRONLY.into(), 0], Some(Calls::Files)),
        attempt("a removed file", libc::SYS_unlinkat, &[-100, text, 0], Some(Calls::Files)),
    ]
}

/// The longest time in which a role is started again.
const RESTART: Duration = Duration::from_secs(30);
/// Stands for the address of a path in the role's memory.
const TEXT: u64 = u64::MAX - 4096;

/// Everything that there is to open: the files of the bundle, every part, every directory of the table, the data
/// directory itself, and what else a machine has.
fn places(node: &Running, manifest: &Manifest) -> BTreeSet<PathBuf> {
    let data = node.data();
    let bundle = data.join("bundles").join(&manifest.identity);
    let mut places: BTreeSet<PathBuf> = manifest.files.iter().map(|file| bundle.join(&file.path)).collect();
    places.extend([Manifest::NAME, "", "control", "seeds"].map(|path| bundle.join(path)));
    for service in roles(manifest) {
        let part = data.join("parts").join(service.role.name()).join(&manifest.identity);
        places.insert(part.join(Manifest::NAME));
        places.extend(manifest.files.iter().map(|file| part.join(&file.path)).filter(|path| path.exists()));
        places.extend(service.directories.iter().map(|directory| data.join(&directory.path)));
    }
    places.extend(
        ["", "bundles", "parts", "lock", "run/status.json", "db/postkiln.sqlite", "keys"].map(|path| data.join(path)),
    );
    places.extend(["/", "/etc/passwd", "/proc/self/mem", "/proc/1/environ", "/proc/self/fd"].map(PathBuf::from));
    places.extend([std::env::current_exe().unwrap(), PathBuf::from("/tmp")]);
    places.retain(|place| place.exists());
    places
}

/// Whether the table gives a place to a role, to read at least.
fn is_own(node: &Running, service: &Service, place: &Path) -> bool {
    let part = node.data().join("parts").join(service.role.name());
    place.starts_with(part)
        || service.directories.iter().any(|directory| place.starts_with(node.data().join(&directory.path)))
}

fn flags(flags: OFlags) -> i32 {
    (flags | OFlags::CLOEXEC | OFlags::NONBLOCK).bits().cast_signed()
}

/// The table of the running node.
fn manifest(node: &Running) -> Manifest {
    let active = fs::canonicalize(node.data().join("bundles/active")).unwrap();
    Bundle::read_files(&active, |_| false).unwrap().0
}

/// The roles of ours that run here.
fn roles(manifest: &Manifest) -> impl Iterator<Item = &Service> {
    manifest.services.iter().filter(|service| service.program == Program::Node && !service.machine_only)
}

fn process(node: &Running, service: &Service) -> i32 {
    let role = service.role.name();
    eventually(&format!("{role} runs"), Duration::from_secs(30), || node.service(role)).pid
}
