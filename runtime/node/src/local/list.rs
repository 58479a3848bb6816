//! Mail to a list's address: settings from the bundle, the decision of `runtime/lists`, and what follows from it.

use postkiln_address::Address;
use postkiln_bundle::paths;
use postkiln_control::list::List;
use postkiln_ipc::directory;
use postkiln_lists::{Decision, Listing, candidates, obey};
use postkiln_log::Event;
use postkiln_mail::Outcome;

use super::original::Original;
use super::submit::submit;
use super::{Config, Tools, route, trouble};

/// Sends a post to the members, or refuses it.
///
/// # Errors
/// The outcome that ends the delivery.
pub(super) async fn post(
    config: &Config,
    tools: &Tools,
    original: &Original,
    list: &directory::List,
) -> Result<(), Outcome> {
    let path = paths::list_settings(&format!("{}{}", paths::LISTS, list.directory));
    let settings: List =
        serde_json::from_slice(&config.file(&path).await?).map_err(|error| trouble(&format!("{path}: {error}")))?;
    let message = original.message();
    // The walk brings only posts here.
    let decide =
        |owner: Option<&Address>| obey(POST, &Listing { address: &list.address, settings: &settings, owner }, &message);
    let decision = match decide(None) {
        Some(Decision::OwnerWanted) => decide(Some(&owner(tools, &list.address).await?)),
        other => other,
    };
    match decision {
        Some(Decision::Send(outgoing)) => {
            let id = submit(tools, outgoing.envelope, &outgoing.head, original.rest(outgoing.rest)).await?;
            postkiln_log::info(Event::List, &[("queue", message.id), ("list", &list.address), ("post", &id)]);
            Ok(())
        }
        Some(Decision::Ignore(reason)) => {
            let known: [(&str, &dyn std::fmt::Display); 3] =
                [("queue", message.id), ("list", &list.address), ("reason", &reason)];
            postkiln_log::info(Event::ListIgnored, &known);
            Ok(())
        }
        Some(Decision::Refuse(outcome)) => Err(outcome),
        Some(Decision::OwnerWanted) | None => Err(trouble("the list does not know what to do")),
    }
}

/// The first address that stands for the list and exists.
async fn owner(tools: &Tools, list: &Address) -> Result<Address, Outcome> {
    let mut candidates = candidates(list).peekable();
    while let Some(candidate) = candidates.next() {
        // Every domain has a postmaster (RFC 5321 §4.5.1).
        if candidates.peek().is_none() {
            return Ok(candidate);
        }
        match route(tools, &candidate).await {
            Ok(_) => return Ok(candidate),
            Err(Outcome::Bounced(..)) => {}
            Err(outcome) => return Err(outcome),
        }
    }
    Err(trouble("nobody stands for the list"))
}

/// The word of the list's own address.
const POST: &str = "";
