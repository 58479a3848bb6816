//! `postkiln status`: what a node's services do.

use postkiln_operation::Question;
use postkiln_operation::status::{Applied, Listener, Service, State, Status};

use crate::operate::{Answer, Node};
use crate::outcome::{Exit, Failure};
use crate::output;

/// Shows the state of a running node's services
///
/// Asks the node that `postkiln run` started for this site, or with this data directory: which services answer, since
/// when, how often they were started again, and why something works only in part, with what to do about it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln status mysite
  postkiln status /tmp/mail

Exit codes: 0 all services do all of their work, 1 something works only in part, or the site has errors, 4 no node answers
there, 64 wrong usage.")]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command `status`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let status: Status = Answer::to(Question::Status, &args.node.data()?)?.next()?;
    if args.json {
        output::json(&status);
    } else {
        for line in lines(&status) {
            output::result(&line);
        }
    }
    Ok(if status.is_well() { Exit::Success } else { Exit::Invalid })
}

/// The status for people.
fn lines(status: &Status) -> Vec<String> {
    let ready = if status.ready { "ready" } else { "not ready" };
    let mut lines = vec![format!("{} is {ready}, bundle {}", status.hostname, short(&status.bundle)), String::new()];
    lines.push(format!("{:12} {:11} {:21} {:>7} {:>8}  NOTE", "SERVICE", "STATE", "SINCE", "PID", "RESTARTS"));
    for Service { role, state, since, pid, restarts, note } in &status.services {
        let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let line = format!("{:12} {state:11} {:21} {pid:>7} {restarts:>8}  {note}", role.name(), time(*since));
        lines.push(line.trim_end().to_owned());
    }
    lines.push(String::new());
    for Listener { name, address, port, .. } in &status.listeners {
        lines.push(format!("{name:12} {address}:{port}"));
    }
    if let Some(Applied { bundle, at, problem }) = &status.applied {
        let outcome = if problem.is_empty() { "is in force".to_owned() } else { format!("was refused: {problem}") };
        lines.extend([String::new(), format!("{} bundle {} {outcome}", time(*at), short(bundle))]);
    }
    for trouble in &status.troubles {
        let roles: Vec<_> = trouble.roles.iter().map(|role| role.name()).collect();
        lines.extend([
            String::new(),
            format!("{trouble} since {}: {} cannot write there", time(trouble.since), roles.join(", ")),
            format!("  {}", trouble.defect.advice()),
        ]);
    }
    for service in status.services.iter().filter(|service| service.state == State::Restarting) {
        lines.extend([
            String::new(),
            format!("{} ended and is started again: its lines in the node's log say why", service.role),
        ]);
    }
    lines
}

/// The beginning of an identity, which is enough for people.
fn short(identity: &str) -> &str {
    identity.get(..12).unwrap_or(identity)
}

/// Unix seconds as a date for people.
pub(crate) fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

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
            "troubles": [{ "directory": "mail", "roles": ["local", "imapd"], "defect": "full", "since": 0 }],
        }))
        .unwrap();
        let text = lines(&status).join("\n");
        let expected = "\
mail.example.org is not ready, bundle 0123456789ab

SERVICE      STATE       SINCE                     PID RESTARTS  NOTE
clamd        waiting     1970-01-01T00:00:00Z        -        2  no virus signatures: mail is deferred

smtp         127.0.0.1:10025

1970-01-01T00:00:00Z bundle  was refused: no manifest

mail/ is full since 1970-01-01T00:00:00Z: local, imapd cannot write there
  make room on its file system, or make that larger; mail is put off until then";
        assert_eq!(text, expected);
    }
}
