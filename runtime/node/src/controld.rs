//! `controld`: answers operators on `run/control.sock`. One JSON object per line in, one per line out:
//! `{"command":"status"}` and `{"command":"queue"}`. Knows nothing by itself: `init` writes the status, `queued` tells the
//! queue. Start at [`run`].

use std::path::PathBuf;
use std::sync::Arc;

use postkiln_bundle::Role;
use postkiln_ipc::queue::{Entry, Reply, Request};
use postkiln_ipc::{Channel, Door};
use postkiln_sys::{BundleDirectory, Inherited};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::init::status;
use crate::role::{self, Seat};

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), String> {
    role::serve(Role::Controld, inherited, prepare, body)
}

/// There is nothing to configure.
#[allow(clippy::unnecessary_wraps, reason = "every role has this signature")]
const fn prepare(_bundle: &BundleDirectory) -> Result<(), String> {
    Ok(())
}

async fn body(mut seat: Seat<()>) -> Result<(), String> {
    let office = Office { status: seat.data().join(status::FILE), queued: seat.door(Role::Queued)? };
    for (name, descriptor) in seat.listeners() {
        let listener = std::os::unix::net::UnixListener::from(descriptor);
        let ready = listener.set_nonblocking(true).and_then(|()| UnixListener::from_std(listener));
        let listener = ready.map_err(|error| format!("listener {name}: {error}"))?;
        seat.part(receive(listener, office.clone()));
    }
    seat.ready();
    seat.stopped().await;
    Ok(())
}

async fn receive(listener: UnixListener, office: Office) -> Result<(), String> {
    let seats = Arc::new(Semaphore::new(OPERATORS));
    loop {
        let seat = seats.clone().acquire_owned().await.map_err(|error| error.to_string())?;
        // The socket is the operators' own: what fails here is the lack of a descriptor, and `init` starts the role anew.
        let (stream, _) = listener.accept().await.map_err(|error| format!("the operators' socket: {error}"))?;
        let office = office.clone();
        tokio::task::spawn_local(async move {
            // Whoever breaks off has no further question.
            let _ = office.talk(stream).await;
            drop(seat);
        });
    }
}

/// What answers are made of.
#[derive(Clone)]
struct Office {
    status: PathBuf,
    queued: Arc<Door>,
}

impl Office {
    async fn talk(&self, stream: UnixStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader.take(LONGEST)).lines();
        while let Some(line) = lines.next_line().await? {
            let answer = self.answer(&line).await.unwrap_or_else(|problem| json!({ "error": problem }));
            writer.write_all(format!("{answer}\n").as_bytes()).await?;
        }
        Ok(())
    }

    async fn answer(&self, line: &str) -> Result<Value, String> {
        let question: Value = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
        match question.get("command").and_then(Value::as_str) {
            Some("status") => self.status(),
            Some("queue") => self.queue().await,
            Some(other) => Err(format!("{other:?} is no command; there are \"status\" and \"queue\"")),
            None => Err("there is no \"command\"".to_owned()),
        }
    }

    fn status(&self) -> Result<Value, String> {
        let text = std::fs::read(&self.status).map_err(|error| format!("{}: {error}", status::FILE))?;
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", status::FILE))
    }

    async fn queue(&self) -> Result<Value, String> {
        let say = |error: &dyn std::error::Error| format!("queued does not answer: {}", postkiln_log::chain(error));
        let mut channel: Channel<Request, Reply> = self.queued.open().map_err(|error| say(&error))?;
        channel.send(&Request::List).await.map_err(|error| say(&error))?;
        let mut entries = Vec::new();
        loop {
            match channel.answer().await.map_err(|error| say(&error))? {
                Reply::Entry(entry) => entries.push(describe(&entry)),
                Reply::Done => return Ok(json!({ "queue": entries })),
                Reply::Refused(_, problem) => return Err(problem),
                Reply::Go | Reply::Accepted(_) => return Err("queued answered another question".to_owned()),
            }
        }
    }
}

fn describe(entry: &Entry) -> Value {
    let waiting =
        entry.waiting.iter().map(|(recipient, deferral)| json!({ "recipient": recipient, "deferral": deferral }));
    json!({
        "id": entry.id.as_str(),
        "sender": entry.envelope.sender.to_string(),
        "recipients": entry.envelope.recipients.len(),
        "size": entry.size,
        "arrived": entry.arrived,
        "next_attempt": entry.next_attempt,
        "waiting": waiting.collect::<Vec<_>>(),
    })
}

/// Operators at a time.
const OPERATORS: usize = 16;
/// Octets of all questions in one conversation.
const LONGEST: u64 = 1 << 20;
