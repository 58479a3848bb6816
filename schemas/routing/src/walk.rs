//! The walk itself, one level as qmail goes: forwards are destinations, not followed; but a file of one single forward to an
//! address of ours is followed at once, with a loop check.

use postkiln_address::{Address, LocalPart};
use postkiln_control::dot_qmail::{self, Instruction, Rule};

use crate::{Destination, LookUp, Route, RouteError, Step};

/// Where mail for an address goes.
///
/// # Errors
/// When it cannot be said now: the look-up fails, or a file cannot be obeyed.
pub async fn route<L: LookUp>(look_up: &mut L, recipient: &Address) -> Result<Route, RouteError<L::Error>> {
    Ok(trace(look_up, recipient).await?.0)
}

/// Where mail for an address goes, and by which steps.
///
/// # Errors
/// As [`route`].
pub async fn trace<L: LookUp>(
    look_up: &mut L,
    recipient: &Address,
) -> Result<(Route, Vec<Step>), RouteError<L::Error>> {
    let mut steps = Vec::new();
    let mut visited: Vec<String> = Vec::new();
    let mut address = recipient.clone();
    loop {
        let Some(prepend) = look_up.virtual_domain(&address).await? else {
            return Ok((outside(address, visited.is_empty()), steps));
        };
        if visited.contains(&address.key()) {
            return Ok((Route::NoSuchAddress(LOOP.to_owned()), steps));
        }
        visited.push(address.key());
        let assigned = look_up.assign(&format!("{prepend}-{}", address.local().as_str())).await?;
        steps.push(Step::Virtual { address: address.clone(), prepend });
        let Some(assigned) = assigned else { return Ok((no_mailbox(), steps)) };
        let (domain, extension) = (assigned.user, assigned.ext);
        steps.push(Step::Assigned { domain: domain.clone(), extension: extension.clone() });
        let Some((name, instructions)) = instructions(look_up, &domain, &extension).await? else {
            return Ok((no_mailbox(), steps));
        };
        steps.push(Step::File { domain: domain.clone(), name });
        let route = obey(look_up, &address, &domain, &extension, instructions).await?;
        match single_forward(&route) {
            Some(target) => address = target.clone(),
            None => return Ok((route, steps)),
        }
        steps.push(Step::Followed(address.clone()));
    }
}

/// An address that is not ours: as a recipient the business of `remote`, as the end of a forward a destination.
fn outside(address: Address, is_recipient: bool) -> Route {
    if is_recipient { Route::NotOurs } else { Route::Destinations(vec![Destination::Forward(address)]) }
}

fn single_forward(route: &Route) -> Option<&Address> {
    match route {
        Route::Destinations(destinations) => match destinations.as_slice() {
            [Destination::Forward(target)] => Some(target),
            _ => None,
        },
        _ => None,
    }
}

async fn instructions<L: LookUp>(
    look_up: &mut L,
    domain: &str,
    extension: &str,
) -> Result<Option<(String, Vec<Instruction>)>, RouteError<L::Error>> {
    for name in dot_qmail::file_names(extension) {
        if let Some(bytes) = look_up.dot_qmail(domain, &name).await? {
            return match dot_qmail::parse(&bytes) {
                Ok(instructions) => Ok(Some((name, instructions))),
                Err(problem) => Err(RouteError::Instructions { domain: domain.to_owned(), name, problem }),
            };
        }
    }
    Ok(None)
}

async fn obey<L: LookUp>(
    look_up: &mut L,
    address: &Address,
    domain: &str,
    extension: &str,
    instructions: Vec<Instruction>,
) -> Result<Route, RouteError<L::Error>> {
    // Lists and robots speak as themselves, also when they were reached through an alias domain.
    let own = || match (LocalPart::new(extension), domain.parse()) {
        (Ok(local), Ok(domain)) => Address::new(local, domain),
        _ => address.clone(),
    };
    let mut destinations = Vec::new();
    for instruction in instructions {
        match instruction {
            Instruction::Comment(_) => {}
            Instruction::Forward(target) => push(&mut destinations, Destination::Forward(target)),
            Instruction::EzmlmSend { directory } => {
                let directory = directory.strip_prefix("lists/").unwrap_or(&directory).to_owned();
                push(&mut destinations, Destination::List { address: own(), directory });
            }
            Instruction::Autorespond(robot) => push(
                &mut destinations,
                Destination::Respond {
                    address: own(),
                    message: robot.message,
                    directory: robot.directory,
                    replies: robot.count,
                    period: robot.seconds,
                },
            ),
            Instruction::Deliver(rule) => {
                let user = extension.to_ascii_lowercase();
                if look_up.user(domain, &user).await? {
                    push(&mut destinations, Destination::Mailbox { domain: domain.to_owned(), user });
                    continue;
                }
                match rule {
                    // As a program's exit 100: what was collected so far is not sent either.
                    Rule::BounceNoMailbox => return Ok(no_mailbox()),
                    Rule::Delete => {}
                    Rule::Address(target) => push(&mut destinations, Destination::Forward(target)),
                }
            }
        }
    }
    Ok(Route::Destinations(destinations))
}

/// Nobody gets a message twice because two lines say the same.
fn push(destinations: &mut Vec<Destination>, destination: Destination) {
    if !destinations.contains(&destination) {
        destinations.push(destination);
    }
}

fn no_mailbox() -> Route {
    Route::NoSuchAddress(NO_MAILBOX.to_owned())
}

const NO_MAILBOX: &str = "sorry, no mailbox here by that name (#5.1.1)";
const LOOP: &str = "this address is forwarded to itself (#5.4.6)";

#[cfg(test)]
mod tests;
