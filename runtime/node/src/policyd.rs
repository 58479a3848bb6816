//! `policyd`: remembers strangers for the checks of `runtime/policy`, in one table of its own, so that strangers never
//! write to the user database. Knows no check and no protocol. Start at [`run`].

mod memory;

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use postkiln_bundle::{Role, paths};
use postkiln_ipc::policy::{Attempt, Verdict};
use postkiln_ipc::{Channel, ChannelError};
use postkiln_log::Event;
use postkiln_policy::{self as policy, Checks};
use postkiln_sys::{BundleDirectory, Inherited};
use tokio::sync::mpsc;

use crate::clock::seconds;
use crate::error::NodeError;
use crate::role::{self, Seat};
use memory::Memory;
pub(crate) use memory::MemoryError;

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Policyd, inherited, checks, body)
}

/// The checks that the bundle asks for.
pub(crate) fn checks(bundle: &BundleDirectory) -> Result<Checks, NodeError> {
    Ok(Checks::read(|name| bundle.read(&paths::control(name)))?)
}

async fn body(mut seat: Seat<Checks>) -> Result<(), NodeError> {
    let memory = Memory::open(&seat.data().join("policy/memory.sqlite")).await;
    let memory = Rc::new(memory?);
    let (damaged, damage) = mpsc::channel(1);
    let (configs, remembering, telling) = (seat.config.clone(), memory.clone(), damaged.clone());
    seat.answer(CONVERSATIONS, move |_, channel| {
        talk(channel, configs.borrow().clone(), remembering.clone(), telling.clone())
    })?;
    seat.part(forget(memory, damaged));
    seat.part(last(damage));
    seat.ready();
    seat.stopped().await;
    Ok(())
}

async fn talk(
    mut channel: Channel<Verdict, Attempt>,
    checks: Arc<Checks>,
    memory: Rc<Memory>,
    damaged: Damaged,
) -> Result<(), ChannelError> {
    // A caller that was silent for long begins another conversation with its next attempt.
    while let Ok(received) = tokio::time::timeout(SILENCE, channel.receive()).await {
        let Some((attempt, _)) = received? else { return Ok(()) };
        let verdict = judge(&checks, &memory, &attempt, seconds(SystemTime::now())).await.unwrap_or_else(|error| {
            report(&memory, &error, &damaged);
            Verdict::Unavailable(postkiln_log::chain(&error))
        });
        channel.send(&verdict).await?;
    }
    Ok(())
}

/// Asks one check after the other until one refuses.
async fn judge(checks: &Checks, memory: &Memory, attempt: &Attempt, now: u64) -> Result<Verdict, MemoryError> {
    let Attempt { client, sender, recipient } = attempt;
    let seen = policy::Attempt { client: *client, sender, recipient };
    // One attempt at a time: two of one key at once would each see what was there before.
    let mut memory = memory.lock().await;
    for check in checks.iter() {
        let mut known = Vec::new();
        for key in check.keys(&seen) {
            known.push(memory.recall(check.name(), &key, now).await?);
        }
        let judgement = check.judge(&seen, &known, now);
        for (key, record) in &judgement.remember {
            memory.remember(check.name(), key, record).await?;
        }
        if let policy::Verdict::Refuse(status, text) = judgement.verdict {
            let known: [(&str, &dyn std::fmt::Display); 4] =
                [("check", &check.name()), ("peer", client), ("from", sender), ("to", recipient)];
            postkiln_log::info(Event::Refused, &known);
            return Ok(Verdict::Refuse(status, text));
        }
    }
    Ok(Verdict::Pass)
}

/// Forgets what has expired, and what is too much, from time to time.
async fn forget(memory: Rc<Memory>, damaged: Damaged) -> Result<(), NodeError> {
    loop {
        let forgotten = memory.lock().await.forget(seconds(SystemTime::now()), MOST).await;
        if let Err(error) = forgotten {
            report(&memory, &error, &damaged);
        }
        tokio::time::sleep(SWEEP).await;
    }
}

/// Hears of the error that this life of the role cannot go on with: a damaged table would refuse strangers for ever.
type Damaged = mpsc::Sender<MemoryError>;

/// Puts a failure into the log; one that shows that the table is damaged ends the role.
fn report(memory: &Memory, error: &MemoryError, damaged: &Damaged) {
    postkiln_log::warn(Event::Memory, &[("problem", &postkiln_log::chain(error))]);
    if let Err(last) = memory.examine(error) {
        // Of several only one is needed.
        let _ = damaged.try_send(last);
    }
}

/// Ends with the first error that is one too many.
async fn last(mut damage: mpsc::Receiver<MemoryError>) -> Result<(), NodeError> {
    damage.recv().await.map_or(Ok(()), |error| Err(error.into()))
}

/// Conversations at the same time: each connection of `smtpd` has one.
const CONVERSATIONS: usize = 2000;
const SILENCE: Duration = Duration::from_secs(60);
const SWEEP: Duration = Duration::from_secs(60);
/// Records that are kept: some 100 octets each.
const MOST: u64 = 500_000;
