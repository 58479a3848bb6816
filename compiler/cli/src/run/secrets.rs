//! The secrets a node is given: opened with the operator's identity, told apart by what the site uses them for,
//! and handed over as a descriptor of memory that has no name. What cannot be opened is said, with what will not
//! work for it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use postkiln_handover::{Delivered, Delivery, DkimKey, Hidden, Purpose, Value};
use postkiln_secrets::{Folder, Identity, Kept, State, Vault};
use postkiln_site::{DkimState, SecretPurpose, SecretUse, Site};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::outcome::Failure;
use crate::output;
use crate::secret::{ask, failure, identity_path};

/// Secrets on their way to a node.
pub(super) struct Opened(File);

/// Opens what the site uses; nothing when it uses none, or none can be opened.
///
/// # Errors
/// When the encrypted file or the identity is damaged, or does not belong to the lock beside it.
pub(super) fn open(folder: &Path, site: &Site, identity: Option<&Path>) -> Result<Option<Opened>, Failure> {
    let uses = site.secret_uses();
    if uses.is_empty() {
        return Ok(None);
    }
    let without = |why: &str| {
        output::note(&format!("{why}: until secrets are delivered these do not work: {}", what(&uses)));
        Ok(None)
    };
    let secrets = Folder::new(folder);
    if !secrets.has_vault() {
        return without("there is no secrets.age beside the site");
    }
    let path = identity_path(identity)?;
    if identity.is_none() && !path.exists() {
        return without(&format!("secrets.age is not opened, there is no identity at {}", path.display()));
    }
    // From here on values are in this process. With the limit 1 not even a program that takes dumps gets one (core(5)).
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) });
    let opened = secrets.open(&Identity::read(&path, ask::passphrase).map_err(failure)?).map_err(failure)?;
    if let State::Different(differences) = opened.state {
        return Err(failure(postkiln_secrets::SecretsError::Mismatch(differences)));
    }
    let delivery = delivery(&opened.vault, &uses);
    let file = memory(&delivery).map_err(|error| Failure::environment("cannot hand over the secrets", error))?;
    Ok(Some(Opened(file)))
}

impl Opened {
    /// Sends the descriptor. The receiver need not be there yet.
    pub(super) fn send(self, to: &UnixStream) -> io::Result<()> {
        let descriptors = [self.0.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        sendmsg(to, &[IoSlice::new(b"+")], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }
}

/// Every secret that the site uses and the vault has.
fn delivery(vault: &Vault, uses: &[SecretUse<'_>]) -> Delivery {
    let mut delivery = Delivery::default();
    for used in uses {
        let Ok(kept) = vault.get(used.name) else { continue };
        let secret = delivery.secrets.entry(used.name.to_owned()).or_insert_with(|| delivered(kept));
        secret.purposes.insert(purpose(used.purpose));
    }
    delivery
}

fn delivered(kept: &Kept) -> Delivered {
    use postkiln_secrets::Value as Vaulted;
    let hidden = |secret: &postkiln_secrets::Secret| Hidden::new(secret.expose().to_owned());
    let value = match &kept.value {
        Vaulted::Password(secret) | Vaulted::Token(secret) => Value::Text(hidden(secret)),
        Vaulted::TlsKey { private, .. } => Value::TlsKey(hidden(private)),
        Vaulted::Dkim(pairs) => {
            let key = |pair: &postkiln_secrets::DkimPair| DkimKey {
                number: pair.key.number,
                signs: pair.key.state == DkimState::Signing,
                private: hidden(&pair.private),
            };
            Value::Dkim(pairs.iter().map(key).collect())
        }
    };
    Delivered { version: kept.version.clone(), purposes: BTreeSet::new(), value }
}

const fn purpose(purpose: SecretPurpose) -> Purpose {
    match purpose {
        SecretPurpose::Login => Purpose::Login,
        SecretPurpose::Smarthost => Purpose::Smarthost,
        SecretPurpose::Database => Purpose::Database,
        SecretPurpose::Dkim => Purpose::Dkim,
        SecretPurpose::Tls => Purpose::Tls,
    }
}

/// A file without a name and without a disk.
fn memory(delivery: &Delivery) -> io::Result<File> {
    let mut file = File::from(memfd_create("postkiln-secrets", MemfdFlags::CLOEXEC)?);
    file.write_all(&delivery.to_bytes().map_err(io::Error::other)?)?;
    Ok(file)
}

/// The site's uses of secrets, for a person: the first few.
fn what(uses: &[SecretUse<'_>]) -> String {
    let mut text = uses.iter().take(FEW).map(|used| used.what.as_str()).collect::<Vec<_>>().join(", ");
    if uses.len() > FEW {
        text.push_str(&format!(", and {} more", uses.len() - FEW));
    }
    text
}

const FEW: usize = 4;
