//! Automatic replies (autorespond): one message file of the bundle, at most so many replies to one sender within a
//! period. Who was answered when is kept below `robots/`, one small file per sender; a power cut may cost its last
//! line, which means one reply too many. Whom to answer, and how, `runtime/lists` says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use postkiln_address::Address;
use postkiln_ipc::directory::Responder;
use postkiln_lists::autorespond::{self, Allowance, Robot};
use postkiln_log::Event;
use postkiln_mail::Outcome;

use super::original::Original;
use super::submit::submit;
use super::{Config, Tools, trouble};
use crate::aside::aside;
use crate::clock::seconds;

/// Replies, if this message is to be replied to.
///
/// # Errors
/// The outcome that ends the delivery: the message went round in a circle, or the reply could not be queued.
pub(super) async fn respond(
    config: &Config,
    tools: &Tools,
    original: &Original,
    responder: &Responder,
) -> Result<(), Outcome> {
    let message = original.message();
    let Some(sender) = autorespond::answerable(&message)? else { return Ok(()) };
    let text = config.file(&responder.message).await?;
    let now = SystemTime::now();
    let directory = tools.data.join(format!("{}.d", responder.message));
    let record = Record::new(&directory, sender);
    let failed = |error| trouble(&format!("{}: {error}", directory.display()));
    let times = record.clone();
    let told = aside(move || times.times()).await.map_err(failed)?;
    let allowance = Allowance { replies: responder.replies, period: responder.period };
    if !allowance.allows(&told, seconds(now)) {
        postkiln_log::info(Event::Respond, &[("queue", message.id), ("to", sender), ("text", &"already told")]);
        return Ok(());
    }
    let robot = Robot { address: &responder.address, text: &text, hostname: config.hostname.as_str() };
    let at = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let reply = autorespond::reply(&robot, &message, sender, at);
    // Noted first: a reply too few is better than one with every attempt.
    aside(move || record.note(now)).await.map_err(failed)?;
    let id = submit(tools, reply.envelope, &reply.head, original.rest(reply.rest)).await?;
    let period = responder.period;
    // Old records cost room only.
    let _ = aside(move || {
        forget_old(&directory, period, now);
        Ok(())
    })
    .await;
    postkiln_log::info(Event::Respond, &[("queue", message.id), ("to", sender), ("reply", &id)]);
    Ok(())
}

/// When one sender was answered: a file of Unix seconds, one per line, named by a hash of the address.
#[derive(Clone)]
struct Record {
    path: PathBuf,
}

impl Record {
    fn new(directory: &Path, sender: &Address) -> Self {
        let hash = ring::digest::digest(&ring::digest::SHA256, sender.key().as_bytes());
        let name: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { path: directory.join(name) }
    }

    fn times(&self) -> io::Result<Vec<u64>> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn note(&self, now: SystemTime) -> io::Result<()> {
        use std::io::Write;
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = fs::OpenOptions::new().append(true).create(true).open(&self.path)?;
        file.write_all(format!("{}\n", seconds(now)).as_bytes())
    }
}

/// Removes what no longer counts. A failure costs space only; the next reply tries again.
fn forget_old(directory: &Path, period: u64, now: SystemTime) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let limit = Duration::from_secs(period);
    for entry in entries.flatten() {
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        if changed.is_ok_and(|changed| now.duration_since(changed).is_ok_and(|age| age > limit)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn what_is_noted_is_remembered_for_the_period() {
        let directory = tempfile::tempdir().unwrap();
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
        let told = directory.path().join("robots/info.d");
        let record = |sender: &str| Record::new(&told, &sender.parse().unwrap());
        assert_eq!(record("ada@elsewhere.example").times().unwrap(), Vec::<u64>::new());
        record("ada@elsewhere.example").note(at(0)).unwrap();
        record("Ada@elsewhere.example").note(at(10)).unwrap();
        record("grace@elsewhere.example").note(at(20)).unwrap();
        assert_eq!(record("ada@elsewhere.example").times().unwrap(), [1_700_000_000, 1_700_000_010]);
        forget_old(&told, 3600, SystemTime::now());
        assert_eq!(fs::read_dir(&told).unwrap().count(), 2, "just written");
        forget_old(&told, 3600, SystemTime::now() + Duration::from_secs(7200));
        assert_eq!(fs::read_dir(&told).unwrap().count(), 0);
    }
}
