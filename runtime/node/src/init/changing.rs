//! How the supervisor goes from one bundle to the next: it carries the orders; what a change is, `apply.rs` knows. A
//! change is done when every role has said that it runs the new bundle: one that says another was started in the middle
//! of it, and is started again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use postkiln_bundle::{Program, Role};
use postkiln_ipc::control::Order;
use postkiln_log::Event;
use postkiln_operation::status::Applied;
use postkiln_sys::Signal;

use super::apply::{Change, Held, Stage};
use super::errands::Done;
use super::status::now;
use super::supervisor::Supervisor;
use super::unit::Unit;
use super::{Place, layout, provisions};
use crate::active;
use crate::error::NodeError;

/// Verifies `bundles/next` and makes everything that its roles need below the data directory.
fn read_next(place: &Place, in_force: &str) -> Result<Held, (String, NodeError)> {
    let mut held = Held::open(&place.data.join("bundles/next")).map_err(|problem| (String::new(), problem))?;
    let made = layout::follow(place, held.bundle.manifest()).and_then(|()| held.cut(place, Some(in_force)));
    made.map_err(|problem| (held.identity().to_owned(), problem))?;
    Ok(held)
}

/// How long a bundle may take to be read and verified; a large one takes seconds.
const READING: Duration = Duration::from_secs(120);

impl Supervisor {
    /// SIGHUP: offers `bundles/next` to every role that runs.
    pub(super) fn offer_next(&mut self) {
        if self.change.is_some() || self.reading.is_some() {
            postkiln_log::warn(Event::ChangeRefused, &[("problem", &"another change is under way")]);
            return;
        }
        let (place, in_force) = (self.place.clone(), self.held.identity().to_owned());
        match self.errands.run(move || Done::Read(read_next(&place, &in_force))) {
            Ok(()) => self.reading = Some(Instant::now() + READING),
            Err(error) => self.record(String::new(), &format!("bundles/next: {error}")),
        }
    }

    /// A disk that does not answer must not forbid changes for ever.
    pub(super) fn give_up_reading(&mut self) {
        self.reading = None;
        self.record(String::new(), "bundles/next: the disk does not answer");
    }

    /// The bundle of `bundles/next` is verified: every role is asked whether it can use it.
    pub(super) fn offer(&mut self, read: Result<Held, (String, NodeError)>) {
        if self.reading.take().is_none() {
            // The bundle was given up meanwhile.
            return;
        }
        let held = match read {
            Ok(held) => held,
            Err((identity, problem)) => return self.record(identity, &problem.told()),
        };
        let mut asked = BTreeSet::new();
        // A role that the new table does not have is only stopped; it has nothing to prepare.
        for unit in self.units.iter_mut().filter(|unit| unit.obeys() && held.service(unit.service.role).is_some()) {
            if unit.order(&Order::Prepare(held.identity().to_owned()), held.part(unit.role())) {
                asked.insert(unit.role());
            }
        }
        let nobody = asked.is_empty();
        self.change = Some(Change::offer(held, asked));
        if nobody {
            self.commit();
        }
    }

    /// A role has read the bundle on offer.
    pub(super) fn prepared(&mut self, role: Role, identity: &str) {
        // An answer to an offer of before says nothing about this one.
        let Some(change) = self.change.as_mut().filter(|change| change.offered() == Some(identity)) else { return };
        postkiln_log::info(Event::Prepared, &[("service", &role)]);
        if change.answered(role) {
            self.commit();
        }
    }

    /// A role cannot use the bundle on offer.
    pub(super) fn refused(&mut self, role: Role, identity: &str, problem: &str) {
        if self.change.as_ref().is_some_and(|change| change.offered() == Some(identity)) {
            self.abort(&format!("{role}: {problem}"));
        }
    }

    /// A role has said which bundle it runs.
    pub(super) fn runs(&mut self, at: usize, identity: &str) {
        let Some(unit) = self.units.get_mut(at) else { return };
        if identity != self.held.identity() {
            postkiln_log::warn(Event::RunsAnotherBundle, &[("service", &unit.role()), ("bundle", &identity)]);
            return unit.restart();
        }
        let role = unit.role();
        if let Some(change) = self.change.as_mut().filter(|change| change.offered().is_none())
            && change.answered(role)
        {
            self.finish("");
        }
    }

    /// Nobody who is awaited has said anything for too long.
    pub(super) fn overdue(&mut self) {
        let Some(change) = &self.change else { return };
        let silent = change.silent();
        match &change.stage {
            Stage::Offered(_) => self.abort(&format!("no answer from {silent}")),
            Stage::Insisting(_) => self.finish(&format!("{silent} does not come up with it")),
            Stage::Switching(identity) => {
                postkiln_log::warn(Event::ChangeNotFollowed, &[("services", &silent), ("bundle", identity)]);
                // One that was started with the new bundle may take its time; one of before hangs.
                for unit in self.units.iter().filter(|unit| change.awaits(unit.role()) && unit.given() != identity) {
                    unit.signal(Signal::Kill);
                }
                self.change = self.change.take().map(Change::insist);
            }
        }
    }

    /// All have prepared: from here there is no way back but another change.
    fn commit(&mut self) {
        let Some(Change { stage: Stage::Offered(held), .. }) = self.change.take() else { return };
        let identity = held.identity().to_owned();
        if let Err(error) = active::activate(&self.place.data, &held.path) {
            return self.refuse(identity, &format!("bundles/active: {error}"));
        }
        self.held = *held;
        let restarted = match self.follow_table() {
            Ok(restarted) => restarted,
            Err(problem) => return self.record(identity, &problem.told()),
        };
        let order = Order::Commit(identity.clone());
        let mut awaited = BTreeSet::new();
        for unit in self.units.iter_mut().filter(|unit| unit.service.program == Program::Node) {
            awaited.insert(unit.role());
            if !restarted.contains(&unit.role()) {
                // One that is down has nobody to hear this; it will be started with the new bundle.
                unit.order(&order, None);
            }
        }
        let nobody = awaited.is_empty();
        self.change = Some(Change::switch(identity, awaited));
        if nobody {
            self.finish("");
        }
    }

    /// Brings sockets, services and their provisions in line with the bundle now in force; gives the roles that are
    /// started again for it.
    fn follow_table(&mut self) -> Result<BTreeSet<Role>, NodeError> {
        let manifest = self.held.bundle.manifest();
        let provided = provisions::prepare(&self.place, &self.held.bundle)?;
        self.sockets.follow(&self.place, manifest)?;
        let mut restarted = BTreeSet::new();
        let mut earlier = std::mem::take(&mut self.units);
        self.watch.follow(self.held.services(self.place.privileged));
        for service in self.held.services(self.place.privileged) {
            let callers = self.held.callers_of(service.role);
            match earlier.iter().position(|unit| unit.role() == service.role) {
                None => self.units.push(Unit::new(service.clone(), callers)),
                Some(at) => {
                    let mut unit = earlier.remove(at);
                    let differs = unit.service != *service || unit.callers != callers;
                    if differs || provided.contains(&service.role) {
                        (unit.service, unit.callers) = (service.clone(), callers);
                        unit.restart();
                        restarted.insert(service.role);
                    }
                    self.units.push(unit);
                }
            }
        }
        for mut gone in earlier {
            gone.stop();
        }
        Ok(restarted)
    }

    pub(super) fn abort(&mut self, problem: &str) {
        let Some(Change { stage: Stage::Offered(held), .. }) = self.change.take() else { return };
        self.refuse(held.identity().to_owned(), problem);
    }

    /// Records that a bundle was refused; the one in force stays.
    fn refuse(&mut self, identity: String, problem: &str) {
        for unit in &mut self.units {
            unit.order(&Order::Abort, None);
        }
        self.record(identity, problem);
    }

    /// The change is over: everybody runs the new bundle, or somebody does not come up with it.
    fn finish(&mut self, problem: &str) {
        let Some(Change { stage: Stage::Switching(identity) | Stage::Insisting(identity), .. }) = self.change.take()
        else {
            return;
        };
        self.record(identity, problem);
    }

    fn record(&mut self, bundle: String, problem: &str) {
        if problem.is_empty() {
            postkiln_log::info(Event::BundleApplied, &[("bundle", &bundle)]);
        } else {
            postkiln_log::error(Event::BundleRefused, &[("bundle", &bundle), ("problem", &problem)]);
        }
        self.applied = Some(Applied { bundle, at: now(), problem: problem.to_owned() });
    }
}
