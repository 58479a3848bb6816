//! The part that all roles have in common: the seat. A role reads its configuration from the bundle, gives up what it
//! does not need, says that it is ready, and from then on obeys `init`: prepare another bundle, commit or abort, stop.
//! Knows nothing about any role's work. Start at [`serve`].

use std::cell::RefCell;
use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use postkiln_bundle::{Manifest, Role, Service};
use postkiln_ipc::control::{Order, Report};
use postkiln_ipc::{CallError, Channel, ChannelError, Door, Hatch};
use postkiln_log::Event;
use postkiln_sys::{BundleDirectory, Inherited};
use rustix::io::dup;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::contents;
use crate::error::{During, NodeError};
use crate::turn::{Turn, Turns};
use crate::walls;

/// Reads a role's configuration out of a bundle: everything or nothing, changing nothing. The text of a refusal reaches
/// the operator.
pub(crate) type Prepare<C> = fn(&BundleDirectory) -> Result<C, NodeError>;

/// Where a role sits: what it was given, and how it tells `init` about itself.
pub(crate) struct Seat<C> {
    /// The configuration in force; replaced at a commit. Take `borrow().clone()` at the start of each piece of work.
    pub(crate) config: watch::Receiver<Arc<C>>,
    inherited: Inherited,
    /// How to speak to `init`.
    pub(crate) desk: Desk,
    identity: Rc<RefCell<String>>,
    turns: Turns<C>,
    stop: watch::Receiver<bool>,
    ended: mpsc::UnboundedSender<NodeError>,
}

impl<C> Seat<C> {
    /// The configuration in force now.
    pub(crate) fn config(&self) -> Arc<C> {
        self.config.borrow().clone()
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.inherited.data().to_owned()
    }

    /// The door to a role, to be taken once.
    pub(crate) fn door(&mut self, role: Role) -> Result<Arc<Door>, NodeError> {
        let descriptor = self.inherited.take(&format!("door.{role}"))?;
        Ok(Arc::new(Door::new(descriptor)))
    }

    /// Answers every hatch from now on: each conversation is a task of its own, at most `limit` at a time from one
    /// caller, whose name `talk` gets.
    pub(crate) fn answer<S, R, F>(
        &mut self,
        limit: usize,
        talk: impl Fn(Rc<str>, Channel<S, R>) -> F + Clone + 'static,
    ) -> Result<(), NodeError>
    where
        S: Serialize + 'static,
        R: DeserializeOwned + 'static,
        F: Future<Output = Result<(), ChannelError>> + 'static,
    {
        for (caller, descriptor) in self.inherited.take_all("hatch") {
            let hatch = Hatch::new(descriptor).during(|| format!("the hatch of {caller}"))?;
            self.part(answer(hatch, caller.into(), limit, talk.clone()));
        }
        Ok(())
    }

    /// Runs a part of the role beside the others. Its end, for whatever reason, is the end of the role: a role that
    /// lacks a part and says that it is ready would never be started again.
    pub(crate) fn part(&self, part: impl Future<Output = Result<(), NodeError>> + 'static) {
        let ended = self.ended.clone();
        tokio::task::spawn_local(async move {
            let result = part.await;
            // Nobody listens when the role ends already.
            let _ = ended.send(result.err().unwrap_or(NodeError::Part));
        });
    }

    /// A descriptor of this name, if one was handed over; to be taken once.
    pub(crate) fn handed(&mut self, name: &str) -> Option<std::os::fd::OwnedFd> {
        self.inherited.take(name).ok()
    }

    /// Every listener with its name, to be taken once.
    pub(crate) fn listeners(&mut self) -> Vec<(String, std::os::fd::OwnedFd)> {
        self.inherited.take_all("listener")
    }

    /// Takes the steps from one bundle to the next, for a role that has more to do than to read the configuration
    /// anew; to be called once. `init` hears that this role has prepared, and that it runs a bundle, when the
    /// turns are answered.
    pub(crate) fn turns(&self) -> mpsc::UnboundedReceiver<Turn<C>> {
        self.turns.take()
    }

    /// Says that sockets and doors are answered.
    pub(crate) fn ready(&self) {
        self.desk.report(Report::Ready(self.identity.borrow().clone()));
    }

    /// Waits until `init` wants this role to finish.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + use<C> {
        let mut stop = self.stop.clone();
        async move {
            // An error means that the control loop has ended, which is a stop as well.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }
}

/// How any part of a role speaks to `init`.
#[derive(Clone)]
pub(crate) struct Desk(mpsc::UnboundedSender<Report>);

impl Desk {
    /// Says why the role works only in part, for the console and `status`; an empty text says that this is over.
    pub(crate) fn note(&self, text: &str) {
        self.report(Report::Note(text.to_owned()));
    }

    fn report(&self, report: Report) {
        // The other end goes only when the role ends.
        let _ = self.0.send(report);
    }
}

/// Runs a role: configuration, confinement, then `body` until it returns or `init` is gone.
///
/// # Errors
/// When the role cannot start or its body gives up; `init` starts it again after a while.
pub(crate) fn serve<C, F>(
    role: Role,
    mut inherited: Inherited,
    prepare: Prepare<C>,
    body: impl FnOnce(Seat<C>) -> F,
) -> Result<(), NodeError>
where
    C: 'static,
    F: Future<Output = Result<(), NodeError>>,
{
    let bundle = inherited.take("bundle")?;
    let bundle = BundleDirectory::new(bundle);
    let control = inherited.take("control")?;
    postkiln_sys::raise_descriptor_limit();
    let (identity, service) = own_part(role, &bundle)?;
    walls::put_up(&service, &bundle, inherited.data())?;
    // After that: the walls are around a thread and those it starts, not those that are there already.
    postkiln_log::detach().during(|| "the log's thread".to_owned())?;
    let config = match prepare(&bundle) {
        Ok(config) => config,
        Err(problem) => return Err(tell(control, problem)),
    };
    drop(bundle);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Threads wait for disks and check passwords; idle ones cost memory.
        .max_blocking_threads(THREADS)
        .thread_keep_alive(Duration::from_secs(2))
        .build()
        .during(|| "the runtime".to_owned())?;
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        let (configs, config) = watch::channel(Arc::new(config));
        let (stops, stop) = watch::channel(false);
        let (desk, reports) = mpsc::unbounded_channel();
        let desk = Desk(desk);
        let identity = Rc::new(RefCell::new(identity));
        let turns = Turns::new();
        let (ended, mut part_ended) = mpsc::unbounded_channel();
        let seat = Seat {
            config,
            inherited,
            desk: desk.clone(),
            identity: identity.clone(),
            turns: turns.clone(),
            stop,
            ended: ended.clone(),
        };
        let life = Life { prepare, configs, stops, desk, identity, turns, prepared: None };
        tokio::select! {
            result = body(seat) => result,
            problem = life.obey(control, reports) => Err(problem),
            Some(problem) = part_ended.recv() => Err(problem),
        }
    })
}

/// Answers one hatch as long as it can be called through. A call that makes no sense, and one in which something is
/// said that makes none, costs this one conversation.
pub(crate) async fn answer<S, R, F>(
    hatch: Hatch,
    caller: Rc<str>,
    limit: usize,
    talk: impl Fn(Rc<str>, Channel<S, R>) -> F,
) -> Result<(), NodeError>
where
    S: Serialize,
    R: DeserializeOwned,
    F: Future<Output = Result<(), ChannelError>> + 'static,
{
    let seats = Arc::new(Semaphore::new(limit));
    loop {
        // Nobody closes the semaphore.
        let Ok(seat) = seats.clone().acquire_owned().await else { return Err(NodeError::Part) };
        let channel = match hatch.accept().await {
            Ok(channel) => channel,
            Err(error @ CallError::Senseless(_)) => {
                postkiln_log::warn(Event::CallDropped, &[("caller", &caller), ("problem", &error)]);
                continue;
            }
            Err(CallError::Gone(source)) => {
                return Err(NodeError::System { step: format!("the hatch of {caller}"), source });
            }
        };
        let (talk, caller) = (talk(caller.clone(), channel), caller.clone());
        tokio::task::spawn_local(async move {
            match talk.await {
                // A caller that breaks off has no further question, or is being started again.
                Ok(()) | Err(ChannelError::Cut | ChannelError::Io(_)) => {}
                Err(error @ ChannelError::Malformed) => {
                    postkiln_log::warn(Event::CallDropped, &[("caller", &caller), ("problem", &error)]);
                }
            }
            drop(seat);
        });
    }
}

/// The part of a role that obeys `init`.
struct Life<C> {
    prepare: Prepare<C>,
    configs: watch::Sender<Arc<C>>,
    stops: watch::Sender<bool>,
    desk: Desk,
    /// Of the bundle in force.
    identity: Rc<RefCell<String>>,
    turns: Turns<C>,
    prepared: Option<(String, Arc<C>)>,
}

impl<C> Life<C> {
    /// Returns when `init` is gone: then nobody holds the sockets open and nobody would start what is missing.
    async fn obey(mut self, control: std::os::fd::OwnedFd, mut reports: mpsc::UnboundedReceiver<Report>) -> NodeError {
        let (mut hearing, mut saying) = match ends(control) {
            Ok(ends) => ends,
            Err(error) => return NodeError::Channel(error),
        };
        let says = async {
            while let Some(report) = reports.recv().await {
                if saying.send(&report).await.is_err() {
                    break;
                }
            }
        };
        let hears = async {
            loop {
                match hearing.receive().await {
                    Ok(Some((order, directory))) => self.carry_out(order, directory),
                    Ok(None) => return NodeError::Orphaned,
                    Err(error) => return NodeError::Channel(error),
                }
            }
        };
        tokio::select! {
            problem = hears => problem,
            () = says => NodeError::Orphaned,
        }
    }

    fn carry_out(&mut self, order: Order, directory: Option<std::os::fd::OwnedFd>) {
        match order {
            Order::Prepare(identity) => self.prepare(identity, directory),
            Order::Commit(wanted) => self.commit(&wanted),
            Order::Abort => {
                self.prepared = None;
                self.turns.abort();
            }
            Order::Stop => {
                self.stops.send_replace(true);
            }
        }
    }

    fn prepare(&mut self, identity: String, directory: Option<std::os::fd::OwnedFd>) {
        let offered = directory.ok_or(NodeError::Channel(ChannelError::Malformed));
        let config = offered.and_then(|directory| (self.prepare)(&BundleDirectory::new(directory)));
        let config = match config {
            Ok(config) => Arc::new(config),
            Err(problem) => return self.desk.report(Report::Refused { identity, problem: problem.told() }),
        };
        self.prepared = Some((identity.clone(), config.clone()));
        let Some(answer) = self.turns.prepare(config) else { return self.desk.report(Report::Prepared(identity)) };
        let desk = self.desk.clone();
        tokio::task::spawn_local(async move {
            // No answer: the role is about to end.
            match answer.await {
                Ok(Ok(())) => desk.report(Report::Prepared(identity)),
                Ok(Err(problem)) => desk.report(Report::Refused { identity, problem: problem.told() }),
                Err(_) => {}
            }
        });
    }

    fn commit(&mut self, wanted: &str) {
        let prepared = self.prepared.take().filter(|(identity, _)| identity == wanted);
        let Some((identity, config)) = prepared else {
            return self.desk.report(Report::Runs(self.identity.borrow().clone()));
        };
        self.configs.send_replace(config);
        self.identity.replace(identity.clone());
        let Some(answer) = self.turns.commit() else { return self.desk.report(Report::Runs(identity)) };
        let desk = self.desk.clone();
        tokio::task::spawn_local(async move {
            if answer.await.is_ok() {
                desk.report(Report::Runs(identity));
            }
        });
    }
}

type Hearing = Channel<Report, Order>;

/// Two ends of one socket, so that an order can be waited for while a report is on its way.
fn ends(control: std::os::fd::OwnedFd) -> Result<(Hearing, Hearing), ChannelError> {
    rustix::io::ioctl_fionbio(&control, true).map_err(std::io::Error::from)?;
    let second = dup(&control).map_err(std::io::Error::from)?;
    let channel = |descriptor: std::os::fd::OwnedFd| {
        Ok::<_, ChannelError>(Channel::new(UnixStream::from_std(std::os::unix::net::UnixStream::from(descriptor))?))
    };
    Ok((channel(control)?, channel(second)?))
}

/// The bundle's identity, and this role's line of the service table.
fn own_part(role: Role, bundle: &BundleDirectory) -> Result<(String, Service), NodeError> {
    let table = contents::table(bundle)?;
    let found = table.services.into_iter().find(|service| service.role == role);
    Ok((table.identity, found.ok_or_else(|| absent(role))?))
}

fn absent(role: Role) -> NodeError {
    let problem = format!("the service table has no {role}");
    NodeError::Bundle { path: Manifest::NAME.to_owned(), problem }
}

/// Tells `init` why the role cannot start, as a note that stays when the process is gone.
fn tell(control: std::os::fd::OwnedFd, problem: NodeError) -> NodeError {
    let mut channel =
        postkiln_ipc::BlockingChannel::<Report, Order>::new(std::os::unix::net::UnixStream::from(control));
    // The same text goes to the log, so a lost note loses nothing.
    let _ = channel.send(&Report::Note(problem.told()), None);
    problem
}

/// Disks answer faster when they are asked several things at once; more than this gains nothing.
const THREADS: usize = 32;
