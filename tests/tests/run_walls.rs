//! The walls around each role, from the inside: a role that somebody has taken over opens what its line of the service table
//! gives it, and nothing else. A new role is tried as soon as it stands in the table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postkiln_bundle::{Bundle, Manifest, Program, Service};
use postkiln_tests::taken::{Outcome, Taken};
use postkiln_tests::{Running, Site, eventually};
use rustix::fs::OFlags;

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

/// Everything that there is to open: the files of the bundle, every part, every directory of the table, the data directory
/// itself, and what else a machine has.
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
