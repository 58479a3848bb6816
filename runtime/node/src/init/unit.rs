//! [`Unit`]: one service over the lives of its processes. Knows how to start it, what it said, and when to try again.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use postkiln_bundle::{Capability, Program, Role, Service, User};
use postkiln_ipc::BlockingChannel;
use postkiln_ipc::control::{Order, Report};
use postkiln_log::Event;
use postkiln_operation::status::{self, State};
use postkiln_sys::{CapabilitySet, Exit, Group, Process, Signal, Spawn};

use super::apply::Held;
use super::sockets::Sockets;
use super::status::now;
use super::{Listen, Place};
use crate::machine;

/// One service and its process.
#[derive(Debug)]
pub(super) struct Unit {
    /// The service's row of the service table.
    pub(super) service: Service,
    /// The roles that hold a door to this one; a change means new hatches, hence a new process.
    pub(super) callers: Vec<Role>,
    /// The state of the service.
    pub(super) state: State,
    /// A thread asks its program whether it answers.
    pub(super) is_asked: bool,
    /// The reason why the service works only in part; empty when it does not.
    pub(super) note: String,
    process: Option<Process>,
    control: Option<BlockingChannel<Order, Report>>,
    given: String,
    since: i64,
    started: Option<Instant>,
    due: Option<Instant>,
    delay: Duration,
    restarts: u32,
    /// The group of its processes, on a machine of its own.
    group: Option<Group>,
}

impl Unit {
    /// A service that is to be started as soon as possible.
    pub(super) fn new(service: Service, callers: Vec<Role>) -> Self {
        let delay = seconds(service.pauses.first_seconds);
        Self {
            service,
            callers,
            state: State::Starting,
            is_asked: false,
            note: String::new(),
            process: None,
            control: None,
            given: String::new(),
            since: now(),
            started: None,
            due: Some(Instant::now()),
            delay,
            restarts: 0,
            group: None,
        }
    }

    /// The role of the service.
    pub(super) const fn role(&self) -> Role {
        self.service.role
    }

    /// The number of its process.
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// The identity of the bundle that its last process was started with.
    pub(super) fn given(&self) -> &str {
        &self.given
    }

    /// When it is to be started; nothing while it runs.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it obeys orders: it is a role of ours and its process lives.
    pub(super) const fn obeys(&self) -> bool {
        self.control.is_some()
    }

    /// The descriptor that is readable when it has something to say.
    pub(super) fn control(&self) -> Option<BorrowedFd<'_>> {
        self.control.as_ref().map(|channel| channel.stream().as_fd())
    }

    /// The service as the status shows it.
    pub(super) fn status(&self) -> status::Service {
        status::Service {
            role: self.role(),
            state: self.state,
            since: self.since,
            pid: self.pid(),
            restarts: self.restarts,
            note: self.note.clone(),
        }
    }

    /// Changes the state; gives whether it is another one.
    pub(super) fn become_state(&mut self, state: State) -> bool {
        let changed = self.state != state;
        if changed {
            self.state = state;
            self.since = now();
        }
        changed
    }

    /// Starts its process with everything it is to have. A failure counts as an end: it is tried again later.
    pub(super) fn start(&mut self, place: &Place, held: &Held, sockets: &Sockets, board: BorrowedFd<'_>) {
        self.due = None;
        match self.spawn(place, held, sockets, board) {
            Ok(process) => {
                postkiln_log::info(Event::Started, &[("service", &self.role()), ("pid", &process.pid())]);
                self.process = Some(process);
                held.identity().clone_into(&mut self.given);
                self.started = Some(Instant::now());
                self.is_asked = false;
                self.note.clear();
                self.become_state(State::Starting);
            }
            Err(error) => {
                self.note = format!("cannot be started: {error}");
                postkiln_log::error(Event::NotStarted, &[("service", &self.role()), ("problem", &error)]);
                self.try_again();
            }
        }
    }

    /// Waits for something else to change, looking again at `due`.
    pub(super) fn wait(&mut self, note: &str, due: Instant) {
        note.clone_into(&mut self.note);
        self.due = Some(due);
        self.become_state(State::Waiting);
    }

    /// Takes note that the process has ended.
    pub(super) fn ended(&mut self, exit: Exit) {
        self.process = None;
        self.control = None;
        if self.state == State::Stopped {
            return;
        }
        if exit.is_forbidden_call() {
            // Somebody may have taken it over. The kernel's log has the number of the call.
            postkiln_log::error(Event::ForbiddenCall, &[("service", &self.role())]);
            self.note = "ended: it made a system call that it must not make".to_owned();
        }
        if let Some(limit) = self.service.memory.filter(|_| self.went_over_memory(exit)) {
            postkiln_log::error(Event::OverMemory, &[("service", &self.role()), ("limit", &format!("{limit} MiB"))]);
            self.note = format!("ended: it wanted more memory than its limit of {limit} MiB");
        }
        postkiln_log::warn(Event::ServiceEnded, &[("service", &self.role()), ("with", &exit)]);
        if self.note.is_empty() {
            self.note = format!("ended with {exit}");
        }
        if self.started.is_some_and(|started| started.elapsed() >= STABLE) {
            self.delay = seconds(self.service.pauses.first_seconds);
        }
        self.try_again();
    }

    /// Gives one order, with a bundle's directory where one belongs to it; `false` when it does not obey.
    pub(super) fn order(&mut self, order: &Order, directory: Option<BorrowedFd<'_>>) -> bool {
        self.control.as_mut().is_some_and(|control| control.send(order, directory).is_ok())
    }

    /// The next report of the role; `None` when it has hung up.
    pub(super) fn hear(&mut self) -> Option<Report> {
        let said = self.control.as_mut()?.receive();
        if let Ok(Some((report, _))) = said {
            return Some(report);
        }
        // The end of the process is heard of by its signal; without its control channel the role stops by itself.
        self.control = None;
        None
    }

    /// Tells it to stop for good.
    pub(super) fn stop(&mut self) {
        self.become_state(State::Stopped);
        self.due = None;
        if !self.order(&Order::Stop, None) {
            self.signal(Signal::Terminate);
        }
    }

    /// Tells it to stop and come back, at once, with other equipment.
    pub(super) fn restart(&mut self) {
        self.delay = seconds(self.service.pauses.first_seconds);
        if self.process.is_none() {
            self.due = Some(Instant::now());
        } else if !self.order(&Order::Stop, None) {
            self.signal(Signal::Terminate);
        }
    }

    /// Sends its process a signal, if it has one.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process
            && let Err(error) = process.signal(signal)
        {
            postkiln_log::warn(Event::SignalNotSent, &[("service", &self.role()), ("problem", &error)]);
        }
    }

    fn try_again(&mut self) {
        self.due = Some(Instant::now() + self.delay);
        self.delay = (self.delay * 2).min(seconds(self.service.pauses.longest_seconds));
        self.restarts = self.restarts.saturating_add(1);
        self.become_state(State::Restarting);
    }

    fn spawn(&mut self, place: &Place, held: &Held, sockets: &Sockets, board: BorrowedFd<'_>) -> io::Result<Process> {
        let spawn = match &self.service.program {
            Program::Node => self.role_of_ours(place, held, sockets, board)?,
            Program::External { path, arguments } => {
                let fill = |argument: &String| {
                    argument
                        .replace("{data}", &place.data.to_string_lossy())
                        .replace("{bundle}", &held.path.to_string_lossy())
                };
                let spawn = Spawn::new(Path::new(path)).variable("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
                let spawn = spawn.refused_unusual_calls()?;
                arguments.iter().map(fill).fold(spawn, |spawn, argument| spawn.argument(argument))
            }
        };
        let user = self.service.user;
        let spawn = if place.privileged && user != User::Root { spawn.user(user.id()) } else { spawn };
        let kept = self.service.capabilities.iter().map(|capability| power(*capability)).collect();
        let spawn = if place.privileged { spawn.capabilities(kept) } else { spawn };
        self.limited(place, spawn)?.start()
    }

    /// Puts the limit of memory on a program: on what it reserves, and on a machine of its own on what it uses, too.
    fn limited(&mut self, place: &Place, spawn: Spawn) -> io::Result<Spawn> {
        let Some(limit) = self.service.memory else { return Ok(spawn) };
        let spawn = spawn.memory((u64::from(limit) + STACKS) << 20);
        if place.listen != Listen::Everywhere {
            return Ok(spawn);
        }
        let group = Group::limited(Path::new(machine::GROUPS), self.role().name(), u64::from(limit) << 20);
        self.group = group
            .inspect_err(|error| {
                let setting = format!("memory of {}", self.service.role);
                postkiln_log::warn(Event::SettingRefused, &[("setting", &setting), ("problem", error)]);
            })
            .ok();
        match &self.group {
            Some(group) => spawn.within(group),
            None => Ok(spawn),
        }
    }

    /// Whether a process ended because it wanted more memory than it may have.
    fn went_over_memory(&mut self, exit: Exit) -> bool {
        let refused = |group: &mut Group| group.went_over().unwrap_or(false);
        exit.is_out_of_memory() || (exit.is_kill() && self.group.as_mut().is_some_and(refused))
    }

    fn role_of_ours(
        &mut self,
        place: &Place,
        held: &Held,
        sockets: &Sockets,
        board: BorrowedFd<'_>,
    ) -> io::Result<Spawn> {
        let role = self.role();
        let part = held.part(role).ok_or_else(|| io::Error::other("it has no part of the bundle"))?;
        let (ours, theirs) = UnixStream::pair()?;
        // A frame is written in one piece; the limit is for a role that went mad in the middle of one.
        ours.set_read_timeout(Some(Duration::from_secs(1)))?;
        ours.set_write_timeout(Some(Duration::from_secs(1)))?;
        let mut spawn = Spawn::new(&std::env::current_exe()?)
            .argument(role.name())
            .data(&place.data)
            // One arena for all threads: our roles rarely allocate in two at once, and each arena costs memory.
            .variable("MALLOC_ARENA_MAX", "1")
            // Large blocks return to the system when they are freed: a password check takes 19 MiB for a moment.
            .variable("MALLOC_MMAP_THRESHOLD_", "262144")
            .variable("MALLOC_TRIM_THRESHOLD_", "262144")
            .hand("bundle", part)?
            .hand("control", theirs.as_fd())?;
        for (name, listener) in sockets.listeners_of(role) {
            spawn = spawn.hand(&format!("listener.{name}"), listener.as_fd())?;
        }
        // Sockets with a path are for people on this machine, who ask for the state.
        if !self.service.sockets.is_empty() {
            spawn = spawn.hand("status", board)?;
        }
        for (name, socket) in sockets.local_of(role) {
            spawn = spawn.hand(&format!("listener.{name}"), socket.as_fd())?;
        }
        if let Some(secrets) = sockets.secrets.as_ref().filter(|_| self.service.takes_secrets) {
            spawn = spawn.hand("secrets", secrets.as_fd())?;
        }
        let doors = sockets.doors_of(role).map(|(callee, door)| ("door", callee, door));
        let hatches = sockets.hatches_of(role).map(|(caller, hatch)| ("hatch", caller, hatch));
        for (kind, other, descriptor) in doors.chain(hatches) {
            let descriptor: &OwnedFd = descriptor;
            spawn = spawn.hand(&format!("{kind}.{other}"), descriptor.as_fd())?;
        }
        self.control = Some(BlockingChannel::new(ours));
        Ok(spawn)
    }
}

const fn power(capability: Capability) -> CapabilitySet {
    match capability {
        Capability::NetAdmin => CapabilitySet::NET_ADMIN,
        Capability::NetRaw => CapabilitySet::NET_RAW,
        Capability::NetBindService => CapabilitySet::NET_BIND_SERVICE,
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

/// MiB that the limit of a process leaves for the stacks of threads: reserved memory counts there, used or not, and a
/// role has up to 32 threads with 2 MiB each beside its first.
const STACKS: u64 = 80;
/// A process that lived this long has earned the shortest delay again.
const STABLE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_names_a_limit_only_where_that_was_the_reason() {
        let check = |memory, exit, expected: &str| {
            let mut unit = Unit::new(Service { memory, ..Service::new(Role::Directoryd) }, Vec::new());
            unit.ended(exit);
            let status = unit.status();
            assert_eq!((status.note.as_str(), status.state, status.restarts), (expected, State::Restarting, 1));
        };
        let out = Exit::Code(postkiln_sys::OUT_OF_MEMORY);
        check(Some(256), out, "ended: it wanted more memory than its limit of 256 MiB");
        check(None, out, "ended with exit status 112");
        check(Some(256), Exit::Killed(9), "ended with signal 9");
        check(Some(256), Exit::Killed(6), "ended with signal 6");
    }
}
