//! How the supervisor goes from one bundle to the next: it carries the orders; what a change is, `apply.rs` knows.

use std::collections::BTreeSet;

use postkiln_bundle::Role;
use postkiln_ipc::control::Order;

use super::apply::{self, Change, Held};
use super::status::{Applied, now};
use super::supervisor::Supervisor;
use super::unit::Unit;
use super::{clamav, layout};

impl Supervisor {
    /// SIGHUP: offers `bundles/next` to every role that runs.
    pub(super) fn offer_next(&mut self) {
        if self.change.is_some() {
            postkiln_log::warn("change-refused", &[("problem", &"another change is under way")]);
            return;
        }
        let held = match Held::open(&self.place.data.join("bundles/next")) {
            Ok(held) => held,
            Err(problem) => return self.record(String::new(), &problem),
        };
        if let Err(problem) = layout::follow(&self.place, held.bundle.manifest()) {
            return self.record(held.bundle.manifest().identity.clone(), &problem);
        }
        let mut asked = BTreeSet::new();
        // A role that the new table does not have is only stopped; it has nothing to prepare.
        for unit in self.units.iter_mut().filter(|unit| unit.obeys() && held.service(unit.service.role).is_some()) {
            if unit.order(&Order::Prepare, Some(held.as_fd())) {
                asked.insert(unit.role());
            }
        }
        let nobody = asked.is_empty();
        self.change = Some(Change::new(held, asked));
        if nobody {
            self.commit();
        }
    }

    /// All have prepared: from here there is no way back but another change.
    pub(super) fn commit(&mut self) {
        let Some(change) = self.change.take() else { return };
        let identity = change.held.bundle.manifest().identity.clone();
        if let Err(error) = apply::activate(&self.place.data, &change.held.path) {
            self.change = Some(change);
            return self.abort(&format!("bundles/active: {error}"));
        }
        self.held = change.held;
        for unit in &mut self.units {
            unit.order(&Order::Commit, None);
        }
        let problem = self.follow_table().err().unwrap_or_default();
        self.record(identity, &problem);
    }

    /// Brings sockets, services and ClamAV's files in line with the bundle now in force.
    fn follow_table(&mut self) -> Result<(), String> {
        let manifest = self.held.bundle.manifest();
        let scanner_changed = clamav::prepare(&self.place, &self.held.bundle)?;
        self.sockets.follow(&self.place, manifest)?;
        let mut earlier = std::mem::take(&mut self.units);
        for service in self.held.services(self.place.privileged) {
            let callers = self.held.callers_of(service.role);
            match earlier.iter().position(|unit| unit.role() == service.role) {
                None => self.units.push(Unit::new(service.clone(), callers)),
                Some(at) => {
                    let mut unit = earlier.remove(at);
                    let differs = unit.service != *service || unit.callers != callers;
                    if differs || (scanner_changed && matches!(service.role, Role::Clamd | Role::Freshclam)) {
                        (unit.service, unit.callers) = (service.clone(), callers);
                        unit.restart();
                    }
                    self.units.push(unit);
                }
            }
        }
        for mut gone in earlier {
            gone.stop();
        }
        Ok(())
    }

    pub(super) fn abort(&mut self, problem: &str) {
        let Some(change) = self.change.take() else { return };
        for unit in &mut self.units {
            unit.order(&Order::Abort, None);
        }
        self.record(change.held.bundle.manifest().identity.clone(), problem);
    }

    fn record(&mut self, bundle: String, problem: &str) {
        if problem.is_empty() {
            postkiln_log::info("bundle-applied", &[("bundle", &bundle)]);
        } else {
            postkiln_log::error("bundle-refused", &[("bundle", &bundle), ("problem", &problem)]);
        }
        self.applied = Some(Applied { bundle, at: now(), problem: problem.to_owned() });
    }
}
