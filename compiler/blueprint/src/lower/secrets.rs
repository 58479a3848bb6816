//! The versions of the secrets that the site uses. Other secrets of the lock do not matter to the node.

use std::collections::BTreeMap;

use postkiln_site::{SecretVersion, Site};

/// The versions by the secrets' names.
pub(super) fn lower(site: &Site) -> BTreeMap<String, SecretVersion> {
    let uses = site.secret_uses();
    let known = uses.iter().filter_map(|used| Some((used.name, site.secrets.secrets.get(used.name)?)));
    known.map(|(name, secret)| (name.to_owned(), secret.value.clone())).collect()
}
