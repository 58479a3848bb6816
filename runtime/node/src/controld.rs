//! `controld`: answers operators on `run/control.sock`: the questions and lines of `schemas/operation`. Knows nothing
//! by itself: `init` writes the status, `queued` tells the queue. Start at [`run`].

use std::rc::Rc;
use std::sync::Arc;

use postkiln_bundle::Role;
use postkiln_ipc::queue::{self, Entry, Listed, Listing};
use postkiln_ipc::{ChannelError, Door};
use postkiln_operation::queue::{Line, Message, Waiting};
use postkiln_operation::{Problem, Question};
use postkiln_sys::{BundleDirectory, Inherited};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::error::{During, NodeError};
use crate::init::status::Board;
use crate::role::{self, Seat};

/// Runs the role.
pub(crate) fn run(inherited: Inherited) -> Result<(), NodeError> {
    role::serve(Role::Controld, inherited, prepare, body)
}

/// There is nothing to configure.
#[allow(clippy::unnecessary_wraps, reason = "every role has this signature")]
const fn prepare(_bundle: &BundleDirectory) -> Result<(), NodeError> {
    Ok(())
}

async fn body(mut seat: Seat<()>) -> Result<(), NodeError> {
    let board = seat.handed("status").ok_or_else(|| NodeError::Said("no descriptor of the status".to_owned()))?;
    let office = Office { board: Rc::new(Board::handed(board)), queued: seat.door(Role::Queued)? };
    for (name, descriptor) in seat.listeners() {
        let listener = std::os::unix::net::UnixListener::from(descriptor);
        let ready = listener.set_nonblocking(true).and_then(|()| UnixListener::from_std(listener));
        let listener = ready.during(|| format!("listener {name}"))?;
        seat.part(receive(listener, office.clone()));
    }
    seat.ready();
    seat.stopped().await;
    Ok(())
}

async fn receive(listener: UnixListener, office: Office) -> Result<(), NodeError> {
    let seats = Arc::new(Semaphore::new(OPERATORS));
    loop {
        let Ok(seat) = seats.clone().acquire_owned().await else { return Err(NodeError::Part) };
        // The socket is the operators' own: what fails here is the lack of a descriptor, and `init` starts
        // the role anew.
        let (stream, _) = listener.accept().await.during(|| "the operators' socket".to_owned())?;
        let office = office.clone();
        tokio::task::spawn_local(async move {
            // An operator who breaks off has no further question.
            let _ = office.talk(stream).await;
            drop(seat);
        });
    }
}

/// The sources of the answers.
#[derive(Clone)]
struct Office {
    board: Rc<Board>,
    queued: Arc<Door>,
}

impl Office {
    async fn talk(&self, stream: UnixStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader.take(LONGEST)).lines();
        while let Some(line) = lines.next_line().await? {
            match serde_json::from_str(&line) {
                Ok(Question::Status) => {
                    let status = self.status();
                    say(&mut writer, &status.unwrap_or_else(|error| json!(Problem { error: error.told() }))).await?;
                }
                Ok(Question::Queue) => self.queue(&mut writer).await?,
                Err(error) => say(&mut writer, &Problem { error: format!("no question: {error}") }).await?,
            }
        }
        Ok(())
    }

    fn status(&self) -> Result<Value, NodeError> {
        let text = self.board.read().during(|| "the status".to_owned())?;
        serde_json::from_slice(&text).during(|| "the status".to_owned())
    }

    /// Passes the listing on as it comes: it may be of any length.
    async fn queue(&self, writer: &mut OwnedWriteHalf) -> std::io::Result<()> {
        let mut messages = 0;
        let mut listing = match Listing::begin(&self.queued).await {
            Ok(listing) => listing,
            Err(error) => return say(writer, &silent(&error)).await,
        };
        loop {
            match listing.next().await {
                Ok(Some(Listed::Message(entry))) => {
                    messages += 1;
                    say(writer, &Line::Message(message(&entry))).await?;
                }
                Ok(Some(Listed::Waiting(waiting))) => {
                    say(writer, &Line::Waiting(waiting.iter().map(recipient).collect())).await?;
                }
                Ok(None) => return say(writer, &Line::End { messages }).await,
                Err(error) => return say(writer, &silent(&error)).await,
            }
        }
    }
}

async fn say(writer: &mut OwnedWriteHalf, answer: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

fn silent(error: &ChannelError) -> Line {
    Line::Error(format!("queued does not answer: {}", postkiln_log::chain(error)))
}

fn message(entry: &Entry) -> Message {
    Message {
        id: entry.id.to_string(),
        sender: entry.sender.to_string(),
        recipients: entry.recipients,
        size: entry.size,
        arrived: entry.arrived,
        next_attempt: entry.next_attempt,
    }
}

fn recipient(waiting: &queue::Waiting) -> Waiting {
    Waiting { recipient: waiting.recipient.to_string(), deferral: waiting.deferral.clone() }
}

/// Operators at a time.
const OPERATORS: usize = 16;
/// Octets of all questions in one conversation.
const LONGEST: u64 = 1 << 20;
