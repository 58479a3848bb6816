//! `postkiln status`: the state of a node's services; and [`ask`], which sends a question to the node's operators'
//! socket.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::outcome::{Exit, Failure};
use crate::output;

/// Shows the state of a running node's services
///
/// Asks the node that `postkiln run` started with this data directory: which services answer, since when, how often
/// they were started again, and why something works only in part.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln status --data /tmp/mail

Exit codes: 0 shown, 4 no node answers there, 64 wrong usage.")]
pub(crate) struct Args {
    /// The node's data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command `status`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let answer = ask(&args.data, "status")?;
    if args.json {
        output::json(&answer);
        return Ok(Exit::Success);
    }
    let status = Status::deserialize(answer).map_err(|error| Failure::environment("cannot read the status", error))?;
    for line in status.lines() {
        output::result(&line);
    }
    Ok(Exit::Success)
}

/// Asks a running node one question.
pub(crate) fn ask(data: &Path, command: &str) -> Result<Value, Failure> {
    let socket = data.join("run/control.sock");
    let failed = |error| Failure::environment(format!("no node answers at {}", socket.display()), error);
    let mut stream = connect(data).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.write_all(format!("{}\n", serde_json::json!({ "command": command })).as_bytes()).map_err(failed)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(failed)?;
    let answer: Value =
        serde_json::from_str(&line).map_err(|error| Failure::environment("cannot read the answer", error))?;
    match answer.get("error").and_then(Value::as_str) {
        Some(problem) => Err(Failure::unavailable(format!("the node says: {problem}"))),
        None => Ok(answer),
    }
}

/// Connects through the directory's descriptor: a socket's path may have 108 octets only (unix(7)).
fn connect(data: &Path) -> std::io::Result<UnixStream> {
    let run = std::fs::File::open(data.join("run"))?;
    UnixStream::connect(format!("/proc/self/fd/{}/control.sock", run.as_raw_fd()))
}

/// The node's answer, with the fields that are shown.
#[derive(Deserialize)]
struct Status {
    ready: bool,
    hostname: String,
    bundle: String,
    services: Vec<Service>,
    listeners: Vec<Listener>,
    applied: Option<Applied>,
}

#[derive(Deserialize)]
struct Service {
    role: String,
    state: String,
    since: i64,
    pid: Option<u32>,
    restarts: u32,
    note: String,
}

#[derive(Deserialize)]
struct Listener {
    name: String,
    address: String,
    port: u16,
}

#[derive(Deserialize)]
struct Applied {
    bundle: String,
    at: i64,
    problem: String,
}

impl Status {
    fn lines(&self) -> Vec<String> {
        let ready = if self.ready { "ready" } else { "not ready" };
        let mut lines = vec![format!("{} is {ready}, bundle {}", self.hostname, short(&self.bundle)), String::new()];
        lines.push(format!("{:12} {:11} {:21} {:>7} {:>8}  NOTE", "SERVICE", "STATE", "SINCE", "PID", "RESTARTS"));
        for Service { role, state, since, pid, restarts, note } in &self.services {
            let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
            let line = format!("{role:12} {state:11} {:21} {pid:>7} {restarts:>8}  {note}", time(*since));
            lines.push(line.trim_end().to_owned());
        }
        lines.push(String::new());
        for Listener { name, address, port } in &self.listeners {
            lines.push(format!("{name:12} {address}:{port}"));
        }
        if let Some(Applied { bundle, at, problem }) = &self.applied {
            let outcome = if problem.is_empty() { "is in force".to_owned() } else { format!("was refused: {problem}") };
            lines.extend([String::new(), format!("{} bundle {} {outcome}", time(*at), short(bundle))]);
        }
        lines
    }
}

/// The beginning of an identity, which is enough for people.
fn short(identity: &str) -> &str {
    identity.get(..12).unwrap_or(identity)
}

/// Unix seconds as a date for people.
pub(crate) fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_is_wrong() {
        let status: Status = serde_json::from_value(serde_json::json!({
            "ready": false, "hostname": "mail.example.org", "bundle": "0123456789abcdef", "started": 0,
            "services": [{ "role": "clamd", "state": "waiting", "since": 0, "pid": null, "restarts": 2,
                "note": "no virus signatures: mail is deferred" }],
            "listeners": [{ "name": "smtp", "role": "smtpd", "address": "127.0.0.1", "port": 10025 }],
            "applied": { "bundle": "", "at": 0, "problem": "no manifest" },
        }))
        .unwrap();
        let text = status.lines().join("\n");
        let expected = "\
mail.example.org is not ready, bundle 0123456789ab

SERVICE      STATE       SINCE                     PID RESTARTS  NOTE
clamd        waiting     1970-01-01T00:00:00Z        -        2  no virus signatures: mail is deferred

smtp         127.0.0.1:10025

1970-01-01T00:00:00Z bundle  was refused: no manifest";
        assert_eq!(text, expected);
    }
}
