//! The door of every role that has one, in the hands of a neighbour that was broken into: any packets, any descriptors,
//! any frames. Each costs its own conversation; the role lives, says nothing wrong, and answers the next honest call.
//! The roles are started here as `init` starts them, one by one, with no other role behind them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs::{self, File};
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use postkiln_bundle::{Bundle, Manifest, Role, Service};
use postkiln_ipc::control::{Order, Report};
use postkiln_ipc::{BlockingChannel, Door, delivery, directory, keys, policy, queue};
use postkiln_mail::QueueId;
use postkiln_sys::{BundleDirectory, Process, Signal, Spawn};
use postkiln_tests::{Site, binary, finish};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The changes by chance that the fuzz targets are made of.
#[path = "../fuzz/src/mutation.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets' crate offers it to others")]
mod mutation;

use mutation::Mutation;

#[test]
fn nothing_said_through_a_door_stops_the_role_behind_it() {
    let rounds: usize = std::env::var("FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    let mut compile = Command::new(binary("postkiln"));
    let site = Site::small_office().without_antivirus();
    let _ = finish(compile.arg("compile").arg(site.path()).arg("-o").arg(&bundle), Duration::from_secs(120)).success();
    let (manifest, _) = Bundle::read_files(&bundle, |_| false).unwrap();
    let called: Vec<&Service> =
        manifest.services.iter().filter(|service| !callers(&manifest, service).is_empty()).collect();
    assert!(called.len() >= 5, "only {} roles can be called", called.len());
    for service in called {
        let data = folder.path().join(service.role.name());
        let mut played = Played::start(&manifest, service, &bundle, &data);
        played.attack(rounds);
        played.stop();
    }
}

fn callers(manifest: &Manifest, service: &Service) -> Vec<Role> {
    let calls = |caller: &&Service| caller.doors.contains(&service.role);
    manifest.services.iter().filter(calls).map(|caller| caller.role).collect()
}

/// A role whose every neighbour is this test.
struct Played {
    role: Role,
    process: Process,
    control: BlockingChannel<Order, Report>,
    /// To the role, by caller.
    doors: Vec<(Role, OwnedFd)>,
    /// The role's own ends of them, as `init` keeps them.
    _hatches: Vec<OwnedFd>,
}

impl Played {
    fn start(manifest: &Manifest, service: &Service, bundle: &Path, data: &Path) -> Self {
        for directory in &service.directories {
            fs::create_dir_all(data.join(&directory.path)).unwrap();
        }
        fs::create_dir_all(data.join("bundles")).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        let directory = BundleDirectory::open(bundle).unwrap();
        let mut spawn = Spawn::new(&binary("postkiln-node")).argument(service.role.name()).data(data);
        spawn = spawn.hand("bundle", directory.as_fd()).unwrap().hand("control", theirs.as_fd()).unwrap();
        let (mut doors, mut hatches) = (Vec::new(), Vec::new());
        for caller in callers(manifest, service) {
            let (door, hatch) = postkiln_ipc::pair().unwrap();
            spawn = spawn.hand(&format!("hatch.{caller}"), hatch.as_fd()).unwrap();
            doors.push((caller, door));
            hatches.push(hatch);
        }
        for callee in &service.doors {
            let (door, hatch) = postkiln_ipc::pair().unwrap();
            // Nobody is there: the role hears so at once.
            spawn = spawn.hand(&format!("door.{callee}"), door.as_fd()).unwrap();
            drop(hatch);
        }
        let process = spawn.start().unwrap();
        let mut played =
            Self { role: service.role, process, control: BlockingChannel::new(ours), doors, _hatches: hatches };
        played.await_report(|report| matches!(report, Report::Ready(_)));
        played
    }

    fn await_report(&mut self, wanted: impl Fn(&Report) -> bool) {
        loop {
            let said = self.control.receive().unwrap().unwrap_or_else(|| panic!("{} has ended", self.role));
            if wanted(&said.0) {
                return;
            }
        }
    }

    fn attack(&mut self, rounds: usize) {
        let corpus = frames(self.role);
        let mut mutation = Mutation::new(7);
        for round in 0..rounds {
            let (_, door) = &self.doors[round % self.doors.len()];
            stray(door, round);
            let input = mutation.input(&corpus);
            // With the true length in front, so that the content is looked at; or as it comes.
            let frame = match round % 3 {
                0 => input,
                1 => framed(&input),
                _ => [framed(&corpus[0]), framed(&input), framed(&mutation.input(&corpus))].concat(),
            };
            converse(door, &frame, round);
            if round.is_multiple_of(100) {
                self.check();
            }
        }
        self.check();
        let mut watched = [PollFd::new(&self.process, PollFlags::IN)];
        poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
        assert!(watched[0].revents().is_empty(), "{} has ended", self.role);
    }

    /// Every hatch hangs up on nonsense at once, and answers what makes sense.
    fn check(&self) {
        for (caller, door) in &self.doors {
            let (ours, theirs) = UnixStream::pair().unwrap();
            ours.set_read_timeout(Some(PATIENCE)).unwrap();
            pass(door, b"+", theirs.as_fd()).unwrap();
            drop(theirs);
            let _ = (&ours).write_all(&framed(&[0xff; 64]));
            let end = (&ours).read(&mut [0]);
            assert!(matches!(end, Ok(0)), "{}'s hatch for {caller}: {end:?}", self.role);
        }
        // These two may ask other things than the roles that meet clients.
        let meets = |caller: Role| !matches!(caller, Role::Controld | Role::Directoryd);
        let Some((_, door)) = self.doors.iter().find(|(caller, _)| meets(*caller)) else { return };
        let door = Door::new(door.try_clone().unwrap());
        let right = match self.role {
            Role::Keyd => matches!(ask(&door, &keys::Request::Certificate(None)), keys::Reply::Certificate(_)),
            Role::Directoryd => {
                let question = directory::Request::Route("ada@example.org".parse().unwrap());
                matches!(ask(&door, &question), directory::Reply::Route(_))
            }
            Role::Queued => matches!(begin(&door), queue::Reply::Refused(..)),
            Role::Policyd => matches!(ask(&door, &attempt()), policy::Verdict::Pass),
            // The other roles answer with the outcome of an attempt, for which they would ask their neighbours.
            _ => true,
        };
        assert!(right, "{} does not answer an honest question", self.role);
    }

    fn stop(mut self) {
        self.control.send(&Order::Stop, None).unwrap();
        let mut watched = [PollFd::new(&self.process, PollFlags::IN)];
        let seconds = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
        let ended = poll(&mut watched, Some(&seconds)).unwrap();
        if ended == 0 {
            let _ = self.process.signal(Signal::Kill);
        }
        assert_eq!(ended, 1, "{} does not stop", self.role);
        let _ = postkiln_sys::reap();
    }
}

/// A packet that begins no conversation.
fn stray(door: &OwnedFd, round: usize) {
    let (reader, _writer) = std::io::pipe().unwrap();
    let (datagram, _) = UnixDatagram::pair().unwrap();
    let null = File::open("/dev/null").unwrap();
    let directory = File::open("/").unwrap();
    // A full backlog refuses it, as it would any call.
    let _ = match round % 6 {
        0 => rustix::net::send(door, b"", SendFlags::DONTWAIT).map(drop),
        1 => rustix::net::send(door, &[0; 9000], SendFlags::DONTWAIT).map(drop),
        2 => pass(door, b"+", reader.as_fd()),
        3 => pass(door, b"+", datagram.as_fd()),
        4 => pass(door, b"", null.as_fd()),
        _ => pass(door, b"+", directory.as_fd()),
    };
}

/// Says something in a conversation of its own, with a descriptor now and then, and goes away.
fn converse(door: &OwnedFd, frame: &[u8], round: usize) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let end = Instant::now() + PATIENCE;
    while let Err(error) = pass(door, b"+", theirs.as_fd()) {
        assert!(Instant::now() < end, "nobody takes calls any more: {error}");
        std::thread::yield_now();
    }
    drop(theirs);
    // The role may have hung up already, and the rest of a long frame be refused.
    ours.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let file = File::open("/dev/null").unwrap();
    let descriptors: [BorrowedFd<'_>; 2] = [file.as_fd(), ours.as_fd()];
    let sent = match round % 4 {
        0 => send(ours.as_fd(), frame, &descriptors[..1]).unwrap_or(frame.len()),
        1 => send(ours.as_fd(), frame, &descriptors).unwrap_or(frame.len()),
        _ => 0,
    };
    let _ = (&ours).write_all(frame.get(sent..).unwrap_or_default());
    if round.is_multiple_of(5) {
        // Half a frame more, and no end of it.
        let _ = (&ours).write_all(&[0xff, 0xff, 0x0f, 0, 1]);
    }
}

fn pass(door: &OwnedFd, mark: &[u8], descriptor: BorrowedFd<'_>) -> rustix::io::Result<()> {
    send(door.as_fd(), mark, &[descriptor]).map(drop)
}

fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> rustix::io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
}

fn ask<S: Serialize, R: DeserializeOwned>(door: &Door, question: &S) -> R {
    let mut channel: BlockingChannel<S, R> = door.open_blocking().unwrap();
    channel.stream().set_read_timeout(Some(PATIENCE)).unwrap();
    channel.send(question, None).unwrap();
    channel.receive().unwrap().expect("an answer").0
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&length.to_le_bytes(), payload].concat()
}

/// The frames that an honest neighbour sends, without their lengths.
fn frames(role: Role) -> Vec<Vec<u8>> {
    match role {
        Role::Keyd => vec![
            payload(&keys::Request::Certificate(None)),
            payload(&keys::Request::Certificate(Some(keys::Fingerprint([7; 32])))),
            payload(&keys::Request::Sign {
                certificate: keys::Fingerprint([7; 32]),
                scheme: 0x0403,
                message: vec![0x20; 130],
            }),
        ],
        Role::Directoryd => vec![
            payload(&directory::Request::Route("ada@example.org".parse().unwrap())),
            payload(&directory::Request::Route("nobody@elsewhere.example".parse().unwrap())),
            // Cut short: a whole one costs the role a password check.
            payload(&directory::Request::Authenticate {
                service: directory::Access::Imap,
                name: "ada@example.org".to_owned(),
                password: directory::Password("secret".to_owned()),
                peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            })[..20]
                .to_vec(),
        ],
        Role::Queued => vec![
            payload(&queue::Request::Submit("stranger@elsewhere.example".parse().unwrap())),
            payload(&recipients(&["ada@example.org", "grace@example.org"])),
            payload(&queue::Request::Begin),
            payload(&queue::Request::Content(vec![b'x'; 300])),
            payload(&queue::Request::Commit),
            payload(&queue::Request::List),
        ],
        Role::Policyd => vec![payload(&attempt())],
        Role::Local | Role::Remote => vec![payload(&delivery::Request {
            id: QueueId::new("1764300000123456789").unwrap(),
            sender: "stranger@elsewhere.example".parse().unwrap(),
            recipient: "ada@example.org".parse().unwrap(),
            offset: 0,
            size: 10,
        })],
        // A role that is new here is attacked with octets that mean nothing.
        _ => vec![vec![0; 16]],
    }
}

fn attempt() -> policy::Attempt {
    policy::Attempt {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        sender: "stranger@elsewhere.example".parse().unwrap(),
        recipient: "ada@example.org".parse().unwrap(),
    }
}

fn recipients(recipients: &[&str]) -> queue::Request {
    queue::Request::Recipients(recipients.iter().map(|text| text.parse().unwrap()).collect())
}

/// A message to nobody.
fn begin(door: &Door) -> queue::Reply {
    let mut channel: BlockingChannel<queue::Request, queue::Reply> = door.open_blocking().unwrap();
    channel.stream().set_read_timeout(Some(PATIENCE)).unwrap();
    channel.send(&queue::Request::Submit("stranger@elsewhere.example".parse().unwrap()), None).unwrap();
    channel.send(&queue::Request::Begin, None).unwrap();
    channel.receive().unwrap().expect("an answer").0
}

/// As it would travel, without the length.
fn payload<S: Serialize>(value: &S) -> Vec<u8> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    BlockingChannel::<&S, u8>::new(ours).send(&value, None).unwrap();
    let mut frame = Vec::new();
    theirs.read_to_end(&mut frame).unwrap();
    frame.split_off(4)
}

/// Longer than two busy cores need for anything here.
const PATIENCE: Duration = Duration::from_secs(60);
