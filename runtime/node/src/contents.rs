//! How roles read the bundle: control files, files that must be there, and the listeners of a role. Knows no role's
//! configuration. Start at [`control`].

use std::collections::BTreeMap;

use crate::error::{During, NodeError};
use postkiln_bundle::{Manifest, Role, Table, Tls, paths};
use postkiln_control::ControlFile;
use postkiln_control::tcprules::{self, Decision};
use postkiln_sys::BundleDirectory;

/// A control file; its default where the bundle has none.
pub(crate) fn control<F: ControlFile>(bundle: &BundleDirectory) -> Result<F, NodeError> {
    F::read(|name| bundle.read(&paths::control(name))).map_err(NodeError::from)
}

/// A file that every bundle with this role has.
pub(crate) fn must(bundle: &BundleDirectory, path: &str) -> Result<Vec<u8>, NodeError> {
    let bytes = bundle.read(path).during(|| path.to_owned())?;
    bytes.ok_or_else(|| NodeError::Bundle { path: path.to_owned(), problem: "the bundle has no such file".to_owned() })
}

/// The bundle's identity and service table.
pub(crate) fn table(bundle: &BundleDirectory) -> Result<Table, NodeError> {
    Table::parse(&must(bundle, Manifest::NAME)?).map_err(|error| NodeError::bundle(Manifest::NAME, &error))
}

/// The listeners of a role by name.
pub(crate) struct Listeners(BTreeMap<String, Listener>);

/// A listener as the bundle has it.
pub(crate) struct Listener {
    /// How TLS begins there.
    pub(crate) tls: Tls,
    /// A tcprules database.
    rules: Vec<u8>,
}

impl Listeners {
    /// Reads those of a role.
    pub(crate) fn read(role: Role, bundle: &BundleDirectory) -> Result<Self, NodeError> {
        let table = table(bundle)?;
        let own = table.services.iter().filter(|service| service.role == role);
        let listener = |listener: &postkiln_bundle::Listener| {
            let rules = must(bundle, &paths::rules_cdb(&listener.name))?;
            Ok((listener.name.clone(), Listener { tls: listener.tls, rules }))
        };
        own.flat_map(|service| &service.listeners).map(listener).collect::<Result<_, _>>().map(Self)
    }

    /// Each with how TLS begins there.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Tls)> {
        self.0.iter().map(|(name, listener)| (name.as_str(), listener.tls))
    }

    /// One of them.
    pub(crate) fn get(&self, name: &str) -> Option<&Listener> {
        self.0.get(name)
    }
}

impl Listener {
    /// The decision of the rules about a client.
    pub(crate) fn decide(&self, client: std::net::IpAddr) -> Decision {
        tcprules::lookup(&self.rules, client, None)
    }
}
