//! [`Supervisor`]: the loop. It waits for signals, for what roles say, and for the next thing that is due; everything
//! else is done in between without waiting for anybody.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use postkiln_bundle::{Readiness, Role};
use postkiln_ipc::control::Report;
use postkiln_log::Event;
use postkiln_operation::ready::Ready;
use postkiln_operation::status::{Applied, Service, State, Status};
use postkiln_sys::{Signal, Signals};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::apply::{Change, Held};
use super::errands::{Done, Errands};
use super::sockets::Sockets;
use super::status::{Board, now};
use super::unit::Unit;
use super::watch::Watch;
use super::{Listen, Place, layout, provisions, readiness};
use crate::error::{During, NodeError};
use crate::machine::{self, Ending};
use crate::{active, parts};

/// The services with everything that `init` holds for them.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub(super) place: Place,
    pub(super) held: Held,
    pub(super) sockets: Sockets,
    pub(super) units: Vec<Unit>,
    signals: Signals,
    buttons: Vec<File>,
    /// Whether the end of standard input is the end of everything.
    leashed: bool,
    /// Held as long as this process uses the data directory.
    _lock: File,
    pub(super) change: Option<Change>,
    pub(super) errands: Errands,
    /// Until when the bundle on offer has to be verified.
    pub(super) reading: Option<Instant>,
    pub(super) applied: Option<Applied>,
    started: i64,
    announced: bool,
    shown: Option<Status>,
    board: Board,
    pub(super) watch: Watch,
    ping_due: Instant,
}

/// The events that wake the loop.
#[derive(Clone, Copy, Debug)]
enum Source {
    Signals,
    Button(usize),
    Leash,
    Errands,
    Unit(usize),
}

impl Supervisor {
    /// Reads the bundle, makes directories and sockets; starts nothing yet.
    pub(super) fn new(place: Place, buttons: Vec<File>) -> Result<Self, NodeError> {
        postkiln_log::begin("init");
        postkiln_sys::raise_descriptor_limit();
        // Before any child: a signal that comes early waits.
        let wanted =
            [Signal::Hangup, Signal::Interrupt, Signal::Terminate, Signal::Child, Signal::User1, Signal::User2];
        let signals = Signals::watch(&wanted).during(|| "signals".to_owned())?;
        // After that: threads take the mask of signals from the one that starts them.
        postkiln_log::detach().during(|| "the log's thread".to_owned())?;
        let mut held = Held::open(&place.bundle)?;
        let lock = layout::lock(&place.data)?;
        layout::prepare(&place, held.bundle.manifest())?;
        parts::clear(&place.data).during(|| "parts".to_owned())?;
        held.cut(&place, None)?;
        active::activate(&place.data, &held.path).during(|| "bundles/active".to_owned())?;
        provisions::prepare(&place, &held.bundle)?;
        let sockets = Sockets::open(&place, held.bundle.manifest())?;
        let unit = |service: &postkiln_bundle::Service| Unit::new(service.clone(), held.callers_of(service.role));
        let units = held.services(place.privileged).map(unit).collect();
        let watch = Watch::begin(&place.data, held.services(place.privileged));
        let watch = watch.during(|| "the watch over disks".to_owned())?;
        let board = Board::new().during(|| "memory for the status".to_owned())?;
        Ok(Self {
            place,
            held,
            sockets,
            units,
            signals,
            buttons,
            leashed: false,
            _lock: lock,
            change: None,
            errands: Errands::new().during(|| "errands".to_owned())?,
            reading: None,
            applied: None,
            started: now(),
            announced: false,
            shown: None,
            board,
            watch,
            ping_due: Instant::now(),
        })
    }

    /// Makes the end of standard input the end of everything.
    pub(super) fn leashed(mut self, leashed: bool) -> Self {
        self.leashed = leashed;
        self
    }

    /// Keeps a descriptor for the role that takes secrets, which reads and empties what is behind it.
    pub(super) fn hand_secrets(&mut self, secrets: OwnedFd) {
        self.sockets.secrets = Some(secrets);
    }

    /// Runs until it is told to stop, then stops everything.
    pub(super) fn run(mut self) -> Result<Ending, NodeError> {
        loop {
            self.start_due();
            self.ping();
            self.show();
            for source in self.wait(self.next_due())? {
                match source {
                    Source::Signals => {
                        while let Some(signal) = self.signals.take() {
                            if let Some(ending) = self.signalled(signal) {
                                return self.stop(ending);
                            }
                        }
                    }
                    Source::Button(at) => {
                        if self.buttons.get_mut(at).is_some_and(machine::is_pressed) {
                            return self.stop(Ending::Off);
                        }
                    }
                    // Nothing is ever written there, so there is something to read only at the end.
                    Source::Leash => return self.stop(Ending::Off),
                    Source::Errands => self.take_results(),
                    Source::Unit(at) => self.hear(at),
                }
            }
            if self.change.as_ref().is_some_and(|change| change.deadline <= Instant::now()) {
                self.overdue();
            }
            if self.reading.is_some_and(|deadline| deadline <= Instant::now()) {
                self.give_up_reading();
            }
        }
    }

    /// Obeys a signal; gives an ending when everything is to stop.
    fn signalled(&mut self, signal: Signal) -> Option<Ending> {
        match signal {
            Signal::Child => {
                self.reap();
                None
            }
            Signal::Hangup => {
                self.offer_next();
                None
            }
            // As PID 1: Control-Alt-Delete is an interrupt (reboot(2)).
            Signal::Interrupt | Signal::User2 if self.place.listen == Listen::Everywhere => Some(Ending::Again),
            _ => Some(Ending::Off),
        }
    }

    fn reap(&mut self) {
        for (pid, exit) in postkiln_sys::reap() {
            let Some(unit) = self.units.iter_mut().find(|unit| unit.pid() == Some(pid)) else { continue };
            // The last report may still be in the channel: the reason of the end.
            while let Some(report) = unit.hear() {
                if let Report::Note(text) = report {
                    unit.note = text;
                }
            }
            unit.ended(exit);
            let role = unit.role();
            self.renew_doors(role);
            if self.change.as_ref().is_some_and(|change| change.offered().is_some() && change.awaits(role)) {
                self.abort(&format!("{role} ended"));
            }
        }
    }

    /// A role that was broken into may have spoiled its doors: then the other side needs the new ones too.
    fn renew_doors(&mut self, role: Role) {
        match self.sockets.renew(role) {
            Ok(others) => {
                for unit in self.units.iter_mut().filter(|unit| others.contains(&unit.role())) {
                    postkiln_log::error(Event::DoorSpoiled, &[("service", &role), ("with", &unit.role())]);
                    unit.restart();
                }
            }
            Err(error) => postkiln_log::error(Event::DoorNotRenewed, &[("service", &role), ("problem", &error)]),
        }
    }

    fn start_due(&mut self) {
        let now = Instant::now();
        for unit in self.units.iter_mut().filter(|unit| unit.due().is_some_and(|due| due <= now)) {
            match readiness::obstacle(&self.place.data, &unit.service) {
                None => unit.start(&self.place, &self.held, &self.sockets, self.board.as_fd()),
                Some(obstacle) => unit.wait(&obstacle, now + LOOK_AGAIN),
            }
        }
    }

    /// Asks those that say nothing by themselves whether they answer by now.
    fn ping(&mut self) {
        if self.ping_due > Instant::now() {
            return;
        }
        self.ping_due = Instant::now() + PING;
        let starting = self.units.iter_mut().filter(|unit| unit.state == State::Starting && unit.pid().is_some());
        for unit in starting.filter(|unit| unit.service.readiness != Readiness::Says && !unit.is_asked) {
            let (role, pid) = (unit.role(), unit.pid());
            let (data, readiness) = (self.place.data.clone(), unit.service.readiness.clone());
            let asked = self.errands.run(move || Done::Asked(role, pid, readiness::answers(&data, &readiness)));
            // Without a thread it is asked the next time.
            unit.is_asked = asked.is_ok();
        }
    }

    fn take_results(&mut self) {
        for done in self.errands.take() {
            match done {
                Done::Read(read) => self.offer(read),
                Done::Asked(role, pid, answers) => {
                    let asked = self.units.iter_mut().find(|unit| unit.role() == role && unit.pid() == pid);
                    let Some(unit) = asked else { continue };
                    unit.is_asked = false;
                    if answers && unit.state == State::Starting {
                        unit.note.clear();
                        unit.become_state(State::Ready);
                    }
                }
            }
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let asked = |unit: &&Unit| unit.state == State::Starting && unit.service.readiness != Readiness::Says;
        let ping = self.units.iter().find(asked).map(|_| self.ping_due);
        let change = self.change.as_ref().map(|change| change.deadline);
        let look = Some(Instant::now() + LOOK);
        self.units.iter().filter_map(Unit::due).chain(ping).chain(change).chain(self.reading).chain(look).min()
    }

    fn wait(&self, due: Option<Instant>) -> Result<Vec<Source>, NodeError> {
        let mut sources = vec![Source::Signals];
        let mut watched = vec![PollFd::new(&self.signals, PollFlags::IN)];
        let stdin = std::io::stdin();
        if self.leashed {
            sources.push(Source::Leash);
            watched.push(PollFd::new(&stdin, PollFlags::IN));
        }
        sources.push(Source::Errands);
        watched.push(PollFd::new(&self.errands, PollFlags::IN));
        for (at, button) in self.buttons.iter().enumerate() {
            sources.push(Source::Button(at));
            watched.push(PollFd::new(button, PollFlags::IN));
        }
        for (at, unit) in self.units.iter().enumerate() {
            if let Some(control) = unit.control() {
                sources.push(Source::Unit(at));
                watched.push(PollFd::from_borrowed_fd(control, PollFlags::IN));
            }
        }
        let timeout = due.map(|due| {
            let left = due.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
            Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() }
        });
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Vec::new()),
            Err(error) => return Err(error).during(|| "poll".to_owned()),
        }
        let woken = watched.iter().zip(&sources).filter(|(polled, _)| !polled.revents().is_empty());
        Ok(woken.map(|(_, source)| *source).collect())
    }

    fn hear(&mut self, at: usize) {
        let Some(unit) = self.units.get_mut(at) else { return };
        let role = unit.role();
        match unit.hear() {
            None => {}
            Some(Report::Ready(identity)) => {
                if unit.state == State::Starting && unit.become_state(State::Ready) {
                    postkiln_log::info(Event::Ready, &[("service", &role)]);
                }
                self.runs(at, &identity);
            }
            Some(Report::Runs(identity)) => self.runs(at, &identity),
            Some(Report::Note(text)) => unit.note = text,
            Some(Report::Prepared(identity)) => self.prepared(role, &identity),
            Some(Report::Refused { identity, problem }) => self.refused(role, &identity, &problem),
        }
    }

    /// Writes the status where it changed; the first time that everything is ready, says so.
    fn show(&mut self) {
        let status = self.status();
        if self.shown.as_ref() == Some(&status) {
            return;
        }
        self.tell_troubles(&status);
        self.board.write(&status, &self.place.data);
        if self.place.listen == Listen::Everywhere {
            machine::show(&status);
        } else if status.ready && !self.announced {
            self.announced = true;
            // Nobody may be listening; the same is in run/status.json.
            let _ = writeln!(std::io::stdout(), "{}", Ready::new(status.ports()));
        }
        self.shown = Some(status);
    }

    fn tell_troubles(&self, status: &Status) {
        let before = self.shown.as_ref().map_or(&[][..], |shown| &shown.troubles);
        for trouble in status.troubles.iter().filter(|trouble| !before.contains(trouble)) {
            postkiln_log::error(Event::Impaired, &[("directory", &trouble.directory), ("problem", &trouble.defect)]);
        }
        for trouble in before.iter().filter(|was| status.troubles.iter().all(|now| now.directory != was.directory)) {
            postkiln_log::info(Event::Restored, &[("directory", &trouble.directory)]);
        }
    }

    fn status(&self) -> Status {
        let manifest = self.held.bundle.manifest();
        // A scanner that cannot start is no reason to wait for: its note says what the node does meanwhile.
        let settled = |(unit, service): (&Unit, &Service)| {
            matches!(service.state, State::Ready | State::Waiting) || !unit.service.essential
        };
        let troubles = self.watch.troubles();
        let services: Vec<Service> = self.units.iter().map(|unit| unit.status().under(&troubles)).collect();
        Status {
            ready: self.units.iter().zip(&services).all(settled),
            hostname: manifest.hostname.clone(),
            bundle: manifest.identity.clone(),
            started: self.started,
            services,
            listeners: self.sockets.listeners(),
            applied: self.applied.clone(),
            troubles,
        }
    }

    /// Tells everybody to stop, waits for them a while, and ends whoever stays.
    fn stop(mut self, ending: Ending) -> Result<Ending, NodeError> {
        postkiln_log::info(Event::Stopping, &[]);
        self.change = None;
        self.leashed = false;
        for unit in &mut self.units {
            unit.stop();
        }
        for (signal, patience) in [(Signal::Terminate, GRACE), (Signal::Kill, LAST), (Signal::Kill, LAST)] {
            let deadline = Instant::now() + patience;
            while self.units.iter().any(|unit| unit.pid().is_some()) && Instant::now() < deadline {
                self.wait(Some(deadline))?;
                while self.signals.take().is_some() {}
                self.errands.take();
                for unit in &mut self.units {
                    // A late report changes nothing, but an unread channel would wake us again and again.
                    if unit.control().is_some_and(has_input) {
                        unit.hear();
                    }
                }
                self.reap();
                self.show();
            }
            for unit in &self.units {
                unit.signal(signal);
            }
        }
        self.show();
        postkiln_log::info(Event::Stopped, &[]);
        postkiln_log::finish();
        Ok(ending)
    }
}

/// Whether something can be read without waiting.
fn has_input(descriptor: std::os::fd::BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0)
}

/// How long roles may finish what is in hand.
const GRACE: Duration = Duration::from_secs(3);
/// How long one that did not may take after it was told once more; freshclam in the middle of a download never hears.
const LAST: Duration = Duration::from_secs(2);
/// How often a service that waits for something outside is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How often what the watch has seen is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often a starting program is asked.
const PING: Duration = Duration::from_millis(300);
