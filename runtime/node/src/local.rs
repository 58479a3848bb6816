//! The role `local`: final delivery (qmail-lspawn, qmail-local, vdelivermail, ezmlm-send, autorespond). It is given one
//! message and one recipient at a time, asks `directoryd` where that leads, and brings it there. Knows nothing about
//! `.qmail` files or passwords. Touches `mail/`, `lists/` and `robots/`. Start at [`deliver`].
//!
//! Robots answer first, then mailboxes and lists get their copies, forwards go last and together, as qmail-local does:
//! what fails early can be tried again with little done twice.

mod list;
mod original;
mod respond;
mod submit;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use postkiln_address::{Address, Domain};
use postkiln_bundle::Role;
use postkiln_control::Me;
use postkiln_ipc::delivery::Request;
use postkiln_ipc::directory::{self, Account, Destination, Route};
use postkiln_ipc::{Channel, ChannelError, Door};
use postkiln_mail::{Envelope, Outcome, Status, delivered_to, header, return_path};
use postkiln_store::{Delivery, Quota, Uniques};
use postkiln_sys::{BundleDirectory, Inherited};

use crate::aside::aside;
use crate::contents;
use crate::error::{During, NodeError};
use crate::role::{self, Seat};
use original::Original;
use submit::{Rest, submit};

/// Runs the role until `init` stops it.
///
/// # Errors
/// When it cannot start.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Local, inherited, Config::read, |seat| async move { work(seat).await })
}

/// The configuration from the bundle; files of lists and robots are read when they are needed.
pub(crate) struct Config {
    hostname: Domain,
    bundle: Arc<BundleDirectory>,
}

impl Config {
    fn read(bundle: &BundleDirectory) -> Result<Self, NodeError> {
        Ok(Self {
            hostname: contents::control::<Me>(bundle)?.0,
            bundle: Arc::new(bundle.try_clone().during(|| "the bundle".to_owned())?),
        })
    }
}

impl Config {
    /// A file of the bundle, whole.
    async fn file(&self, path: &str) -> Result<Vec<u8>, Outcome> {
        let (bundle, name) = (self.bundle.clone(), path.to_owned());
        match aside(move || bundle.read(&name)).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(trouble(&format!("{path} is missing"))),
            Err(error) => Err(trouble(&format!("{path}: {error}"))),
        }
    }
}

/// The tools that all deliveries share.
pub(crate) struct Tools {
    directory: Arc<Door>,
    queue: Arc<Door>,
    data: PathBuf,
    uniques: Uniques,
}

async fn work(mut seat: Seat<Config>) -> Result<(), NodeError> {
    let random = postkiln_sys::random().during(|| "the source of random numbers".to_owned())?;
    let config = seat.config();
    let tools = Rc::new(Tools {
        directory: seat.door(Role::Directoryd)?,
        queue: seat.door(Role::Queued)?,
        data: seat.data(),
        uniques: Uniques::new(config.hostname.as_str(), std::process::id(), u64::from_le_bytes(random)),
    });
    let configs = seat.config.clone();
    seat.answer(CONVERSATIONS, move |_, channel| answer(channel, configs.borrow().clone(), tools.clone()))?;
    seat.ready();
    seat.stopped().await;
    Ok(())
}

/// One conversation: one attempt.
async fn answer(
    mut channel: Channel<Outcome, Request>,
    config: Arc<Config>,
    tools: Rc<Tools>,
) -> Result<(), ChannelError> {
    let Some((request, descriptor)) = channel.receive().await? else { return Ok(()) };
    // An attempt comes with its message.
    let descriptor = descriptor.ok_or(ChannelError::Malformed)?;
    let outcome = match aside(move || Original::open(descriptor.into(), request)).await {
        Ok(original) => match deliver(&config, &tools, &Rc::new(original)).await {
            Ok(outcome) | Err(outcome) => outcome,
        },
        Err(error) => trouble(&format!("cannot read the message: {error}")),
    };
    // A caller that went away needs no answer: the attempt is repeated.
    channel.send(&outcome).await
}

/// One attempt. Both sides of the result are outcomes: an error is one that ends the walk through the destinations.
pub(crate) async fn deliver(config: &Config, tools: &Tools, original: &Rc<Original>) -> Result<Outcome, Outcome> {
    let recipient = &original.request.recipient;
    if header::is_delivered_to(original.header(), &recipient.to_string()) {
        return Err(looping());
    }
    let mut destinations = route(tools, recipient).await?;
    destinations.sort_by_key(|destination| match destination {
        Destination::Respond(_) => 0,
        Destination::Mailbox(_) | Destination::List(_) => 1,
        Destination::Forward(_) => 2,
    });
    let (mut files, mut programs) = (0, 0);
    let mut forwards = Vec::new();
    for destination in destinations {
        match destination {
            Destination::Respond(responder) => {
                respond::respond(config, tools, original, &responder).await?;
                programs += 1;
            }
            Destination::Mailbox(account) => {
                store(tools, original, account).await?;
                files += 1;
            }
            Destination::List(list) => {
                list::post(config, tools, original, &list).await?;
                programs += 1;
            }
            Destination::Forward(address) => forwards.push(address),
        }
    }
    let mut text = format!("did {files}+{}+{programs}", forwards.len());
    if !forwards.is_empty() {
        let envelope = Envelope { sender: original.request.sender.clone(), recipients: forwards };
        let id = submit(tools, envelope, delivered_to(recipient).as_bytes(), Rest::Whole(original)).await?;
        text = format!("{text} qp {id}");
    }
    Ok(Outcome::Delivered(text))
}

/// Where mail for the address goes.
async fn route(tools: &Tools, address: &Address) -> Result<Vec<Destination>, Outcome> {
    let route = directory::Client::new(tools.directory.clone()).route(address).await;
    match route.map_err(|error| trouble(&postkiln_log::chain(&error)))? {
        Route::To(destinations) => Ok(destinations),
        Route::NoSuchAddress(text) => Err(Outcome::Bounced(Status::stated(&text).unwrap_or(Status(5, 1, 1)), text)),
        // The configuration has changed since the message was queued: the next attempt goes out.
        Route::NotOurs => Err(trouble(&format!("{} is no domain of ours any more", address.domain()))),
    }
}

/// A copy into a mailbox, on another thread: it ends with two syncs.
async fn store(tools: &Tools, original: &Rc<Original>, account: Account) -> Result<(), Outcome> {
    let prefix = return_path(&original.request.sender) + &delivered_to(&original.request.recipient);
    let maildir = tools.data.join("mail").join(&account.maildir);
    let unique = tools.uniques.next(SystemTime::now());
    let mut source = original.source().map_err(|error| trouble(&error.to_string()))?;
    let size = original.request.size;
    let stored = tokio::task::spawn_blocking(move || {
        let delivery =
            Delivery { prefix: prefix.as_bytes(), size, quota: Quota::of(account.quota, account.quota_messages) };
        postkiln_store::deliver(&maildir, &delivery, &mut source, &unique)
    });
    match stored.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            let status = error.status();
            let text = format!("{} (#{status})", postkiln_log::chain(&error));
            Err(if status.0 == 5 { Outcome::Bounced(status, text) } else { Outcome::Deferred(status, text) })
        }
        Err(error) => Err(trouble(&error.to_string())),
    }
}

/// qmail-local's words (exit 100).
fn looping() -> Outcome {
    let text = "This message is looping: it already has my Delivered-To line. (#5.4.6)";
    Outcome::Bounced(Status(5, 4, 6), text.to_owned())
}

/// Something of ours does not work at the moment (RFC 3463 X.3.0).
fn trouble(problem: &str) -> Outcome {
    Outcome::Deferred(Status(4, 3, 0), format!("{problem} (#4.3.0)"))
}

/// Conversations at the same time: `queued` keeps to `concurrencylocal`; this is for the worst.
const CONVERSATIONS: usize = 1000;
