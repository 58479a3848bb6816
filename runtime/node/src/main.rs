//! `postkiln-node`: one static binary, started as PID 1 (`init`) or as the parent of an ordinary run (`supervise`); it
//! starts itself again under a role per service. This file chooses; it knows nothing about what a role does. Start at
//! `init.rs` for supervision, at `role.rs` for what every role has in common, then at the role's file.

// Input of strangers and of disks reaches this crate: an index out of bounds would be theirs to choose.
#![warn(clippy::indexing_slicing)]

mod active;
mod aside;
mod error;
mod init;
mod machine;
mod parts;
mod role;
mod turn;
mod walls;

mod access;
mod certificate;
mod clock;
mod contents;
mod scanner;
mod serving;

mod controld;
mod directoryd;
mod imap_answers;
mod imapd;
mod keyd;
mod local;
mod netd;
mod policyd;
mod pop3_answers;
mod pop3d;
mod queued;
mod remote;
mod smtpd;

use std::process::ExitCode;

use crate::error::NodeError;
use postkiln_bundle::Role;
use postkiln_log::Event;
use postkiln_sys::Inherited;

#[global_allocator]
static ALLOCATOR: postkiln_sys::Allocator = postkiln_sys::Allocator;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("init") => ended(init::boot()),
        Some("supervise") => ended(init::supervise(arguments)),
        Some(name) => match name.parse() {
            Ok(role) => ended(start(role)),
            Err(_) => usage(),
        },
        None => usage(),
    }
}

/// Runs one role until it is told to stop.
fn start(role: Role) -> Result<(), NodeError> {
    postkiln_log::begin(role.name());
    postkiln_sys::forbid_core_dumps();
    let inherited = Inherited::from_environment()?;
    match role {
        Role::Keyd => keyd::run(inherited),
        Role::Directoryd => directoryd::run(inherited),
        Role::Controld => controld::run(inherited),
        Role::Queued => queued::run(inherited),
        Role::Policyd => policyd::run(inherited),
        Role::Local => local::run(inherited),
        Role::Remote => remote::run(inherited),
        Role::Smtpd => smtpd::run(inherited),
        Role::Imapd => imapd::run(inherited),
        Role::Pop3d => pop3d::run(inherited),
        Role::Netd => netd::run(inherited),
        _ => Err(NodeError::Usage(format!("{role} is no role of this program"))),
    }
}

fn ended(result: Result<(), NodeError>) -> ExitCode {
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            postkiln_log::error(Event::Ended, &[("problem", &problem.told())]);
            problem.exit_code()
        }
    };
    postkiln_log::finish();
    code
}

fn usage() -> ExitCode {
    postkiln_log::error(Event::Usage, &[("say", &"postkiln-node init | supervise --bundle DIR --data DIR | ROLE")]);
    NodeError::Usage(String::new()).exit_code()
}
