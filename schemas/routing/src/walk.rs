//! The walk itself, one level as in qmail: forwards are destinations and are not followed. As an exception, a file with
//! a single forward to an address of ours is followed at once, with a check for loops.

use postkiln_address::{Address, LocalPart};
use postkiln_control::dot_qmail::{self, Instruction, Rule};
use postkiln_control::{ParseError, fastforward};

use crate::{Destination, LookUp, Route, RouteError, Step, UserState};

/// Finds where mail for an address goes.
///
/// # Errors
/// When there is no answer now: the look-up fails, or a file cannot be obeyed.
pub async fn route<L: LookUp>(look_up: &mut L, recipient: &Address) -> Result<Route, RouteError<L::Error>> {
    Ok(trace(look_up, recipient).await?.0)
}

/// Finds where mail for an address goes, and by which steps.
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
        let first = visited.is_empty();
        if visited.contains(&address.key()) {
            return Ok((Route::NoSuchAddress(LOOP.to_owned()), steps));
        }
        visited.push(address.key());
        let (route, more) = level(look_up, &address).await?;
        steps.extend(more);
        match &route {
            Route::NotOurs => return Ok((outside(address, first), steps)),
            route => match single_forward(route) {
                Some(target) => address = target.clone(),
                None => return Ok((route.clone(), steps)),
            },
        }
        steps.push(Step::Followed(address.clone()));
    }
}

/// One level of the walk: the outcome of the address's own instructions; even a lone forward is not followed.
///
/// # Errors
/// As [`route`].
pub async fn level<L: LookUp>(look_up: &mut L, address: &Address) -> Result<(Route, Vec<Step>), RouteError<L::Error>> {
    let mut steps = Vec::new();
    let Some(prepend) = look_up.virtual_domain(address).await? else { return Ok((Route::NotOurs, steps)) };
    let assigned = look_up.assign(&format!("{prepend}-{}", address.local().as_str())).await?;
    steps.push(Step::Virtual { address: address.clone(), prepend });
    let Some(assigned) = assigned else { return Ok((no_mailbox(), steps)) };
    let (domain, extension) = (assigned.user, assigned.ext);
    steps.push(Step::Assigned { domain: domain.clone(), extension: extension.clone() });
    let Some(mut found) = search(look_up, &domain, extension).await? else {
        return Ok((no_mailbox(), steps));
    };
    if let Some(detail) = found.detail.take() {
        steps.push(Step::Subaddress { address: found.extension.clone(), detail });
    }
    let found = opened(look_up, &domain, found).await?;
    steps.push(Step::File { domain: domain.clone(), name: found.name });
    let route = obey(look_up, address, &domain, &found.extension, found.instructions).await?;
    Ok((route, steps))
}

/// The outcome for an address that is not ours: as a recipient it is for `remote`, as the end of a forward it is a
/// destination.
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

/// Instructions, and for whom they are.
struct Found {
    name: String,
    instructions: Vec<Instruction>,
    /// The extension without the detail.
    extension: String,
    detail: Option<String>,
}

/// qmail's search for a file; before the domain's last resort, the owner of a detail is searched.
async fn search<L: LookUp>(
    look_up: &mut L,
    domain: &str,
    extension: String,
) -> Result<Option<Found>, RouteError<L::Error>> {
    for name in dot_qmail::file_names(&extension) {
        let found = instructions(look_up, domain, &name).await?;
        if name == LAST
            && let Some(owned) = owner(look_up, domain, &extension, found.as_deref().unwrap_or_default()).await?
        {
            return Ok(Some(owned));
        }
        if let Some(instructions) = found {
            return Ok(Some(Found { name, instructions, extension, detail: None }));
        }
    }
    Ok(None)
}

/// The owner of an address with a detail: the longest part before a separator that is declared, in a file, in a table
/// or as a user. A list owns none: the text behind its name is a command to it.
async fn owner<L: LookUp>(
    look_up: &mut L,
    domain: &str,
    extension: &str,
    last: &[Instruction],
) -> Result<Option<Found>, RouteError<L::Error>> {
    let Some(separator) = look_up.separator(domain).await? else { return Ok(None) };
    if !extension.contains(separator) || is_declared(look_up, domain, extension, last).await? {
        return Ok(None);
    }
    for (at, _) in extension.rmatch_indices(separator) {
        let (Some(own), Some(detail)) = (extension.get(..at), extension.get(at + separator.len_utf8()..)) else {
            continue;
        };
        let Some(name) = dot_qmail::exact_name(own).filter(|_| !own.is_empty()) else { continue };
        let found = match instructions(look_up, domain, &name).await? {
            Some(instructions) if instructions.iter().any(|line| matches!(line, Instruction::EzmlmSend { .. })) => {
                return Ok(None);
            }
            Some(instructions) => Some((name, instructions)),
            None if last.is_empty() || !is_declared(look_up, domain, own, last).await? => None,
            None => Some((LAST.to_owned(), last.to_vec())),
        };
        if let Some((name, instructions)) = found {
            let (extension, detail) = (own.to_owned(), Some(detail.to_owned()));
            return Ok(Some(Found { name, instructions, extension, detail }));
        }
    }
    Ok(None)
}

/// Whether the domain's last file has something of its own for a local part: a record of a table, or a user's mailbox.
async fn is_declared<L: LookUp>(
    look_up: &mut L,
    domain: &str,
    local: &str,
    last: &[Instruction],
) -> Result<bool, RouteError<L::Error>> {
    Ok(is_user(look_up, domain, local).await? || in_table(look_up, domain, local, last).await?.is_some())
}

/// Found instructions with the answer of a table in the place of the line that asks it, and of those after that line.
/// The table is then the file that holds them.
async fn opened<L: LookUp>(look_up: &mut L, domain: &str, mut found: Found) -> Result<Found, RouteError<L::Error>> {
    if let Some((at, table, further)) = in_table(look_up, domain, &found.extension, &found.instructions).await? {
        found.instructions.truncate(at);
        found.instructions.extend(further);
        found.name = table;
    }
    // One that had no answer says nothing.
    found.instructions.retain(|line| !matches!(line, Instruction::Fastforward { .. }));
    Ok(found)
}

/// The line that asks a table which knows the local part, by its number from 0, with the table's name and answer.
async fn in_table<L: LookUp>(
    look_up: &mut L,
    domain: &str,
    local: &str,
    lines: &[Instruction],
) -> Result<Option<(usize, String, Vec<Instruction>)>, RouteError<L::Error>> {
    for (at, line) in lines.iter().enumerate() {
        let Instruction::Fastforward { table } = line else { continue };
        let Some(data) = look_up.table(domain, table, &local.to_ascii_lowercase()).await? else { continue };
        let instructions = fastforward::instructions(&data).map_err(|problem| unclear(domain, table, problem))?;
        return Ok(Some((at, table.clone(), instructions)));
    }
    Ok(None)
}

async fn is_user<L: LookUp>(look_up: &mut L, domain: &str, local: &str) -> Result<bool, RouteError<L::Error>> {
    Ok(look_up.user(domain, &local.to_ascii_lowercase()).await? != UserState::Absent)
}

/// The outcome of a file of the domain directory, when there is one.
async fn instructions<L: LookUp>(
    look_up: &mut L,
    domain: &str,
    name: &str,
) -> Result<Option<Vec<Instruction>>, RouteError<L::Error>> {
    let Some(bytes) = look_up.dot_qmail(domain, name).await? else { return Ok(None) };
    dot_qmail::parse(&bytes).map(Some).map_err(|problem| unclear(domain, name, problem))
}

fn unclear<E>(domain: &str, name: &str, problem: ParseError) -> RouteError<E> {
    RouteError::Instructions { domain: domain.to_owned(), name: name.to_owned(), problem }
}

async fn obey<L: LookUp>(
    look_up: &mut L,
    address: &Address,
    domain: &str,
    extension: &str,
    instructions: Vec<Instruction>,
) -> Result<Route, RouteError<L::Error>> {
    // Lists and robots answer under their own address, also when mail reached them through an alias domain.
    let own = || match (LocalPart::new(extension), domain.parse()) {
        (Ok(local), Ok(domain)) => Address::new(local, domain),
        _ => address.clone(),
    };
    let mut destinations = Vec::new();
    for instruction in instructions {
        match instruction {
            // A table was asked before.
            Instruction::Comment(_) | Instruction::Fastforward { .. } => {}
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
                match look_up.user(domain, &user).await? {
                    UserState::Open => {
                        push(&mut destinations, Destination::Mailbox { domain: domain.to_owned(), user });
                        continue;
                    }
                    UserState::Closed => return Ok(closed(domain, &user)),
                    UserState::Absent => {}
                }
                match rule {
                    // As with a program's exit status 100, destinations collected so far get nothing either.
                    Rule::BounceNoMailbox => return Ok(no_mailbox()),
                    Rule::Delete => {}
                    Rule::Address(target) => push(&mut destinations, Destination::Forward(target)),
                }
            }
        }
    }
    Ok(Route::Destinations(destinations))
}

/// Adds a destination that is not there yet: nobody gets a message twice because two lines name the same place.
fn push(destinations: &mut Vec<Destination>, destination: Destination) {
    if !destinations.contains(&destination) {
        destinations.push(destination);
    }
}

fn no_mailbox() -> Route {
    Route::NoSuchAddress(NO_MAILBOX.to_owned())
}

/// The refusal for a closed account: the words of vdelivermail for the flag `BOUNCE_MAIL`, with RFC 3463's code.
fn closed(domain: &str, user: &str) -> Route {
    Route::NoSuchAddress(format!("vdelivermail: account is locked email bounced {user}@{domain} (#5.2.1)"))
}

/// The file that is tried last.
const LAST: &str = ".qmail-default";
const NO_MAILBOX: &str = "sorry, no mailbox here by that name (#5.1.1)";
const LOOP: &str = "this address is forwarded to itself (#5.4.6)";

#[cfg(test)]
mod tests;
