//! The versions of the secrets that are used: what else the lock holds is nothing to the node.

use std::collections::BTreeMap;

use postkiln_site::{SecretVersion, Site};

/// By name.
pub(super) fn lower(site: &Site) -> BTreeMap<String, SecretVersion> {
    let uses = site.secret_uses();
    let known = uses.iter().filter_map(|used| Some((used.name, site.secrets.secrets.get(used.name)?)));
    known.map(|(name, secret)| (name.to_owned(), secret.value.clone())).collect()
}
