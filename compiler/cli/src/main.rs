//! The command `postkiln`: arguments, one file per command, exit codes. The work itself is done elsewhere: in
//! `compiler/site`, `blueprint`, `render` and `images`. Start at [`Command`].
//!
//! stdout carries the result, stderr progress and findings. The program ends in one place: here.

mod boot;
mod build;
mod bundle;
mod check;
mod compile;
mod dns;
mod explain;
mod findings;
mod fmt;
mod git;
mod images;
mod new;
mod operate;
mod outcome;
mod output;
mod plan;
mod progress;
mod queue;
mod random;
mod run;
mod schema;
mod secret;
mod serials;
mod status;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::outcome::{Exit, Failure};

/// A plan among 100,000 people is a fifth cheaper with it than with the allocator of a static glibc, and smaller.
/// Version 2 gives memory back within milliseconds; version 3 waits a second, which is longer than most commands last.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One site description goes in; a mail appliance that boots comes out.
#[derive(Debug, Parser)]
#[command(name = "postkiln", version, max_term_width = 100, arg_required_else_help = true, after_help = FIRST_STEPS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Check(check::Args),
    Explain(explain::Args),
    Plan(plan::Args),
    Compile(compile::Args),
    Dns(dns::Args),
    Build(build::Args),
    Run(run::Args),
    Boot(boot::Args),
    Test(test::Args),
    Fmt(fmt::Args),
    Images(images::Args),
    Schema(schema::Args),
    Secret(secret::Args),
    Status(status::Args),
    Queue(queue::Args),
    /// Evaluates a site and reads its files within limits; `check` and the others start this by themselves.
    #[command(name = postkiln_site::CHILD_COMMAND, hide = true)]
    EvaluateSite {
        /// The site's folder.
        root: std::path::PathBuf,
        /// Tell the places that the evaluation of this file comes to, in place of answers.
        #[arg(long)]
        tell: Option<String>,
    },
}

impl Command {
    fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::New(args) => new::run(args),
            Self::Check(args) => check::run(args),
            Self::Explain(args) => explain::run(args),
            Self::Plan(args) => plan::run(args),
            Self::Compile(args) => compile::run(args),
            Self::Dns(args) => dns::run(args),
            Self::Build(args) => build::run(args),
            Self::Run(args) => run::run(args),
            Self::Boot(args) => boot::run(args),
            Self::Test(args) => test::run(args),
            Self::Fmt(args) => fmt::run(args),
            Self::Images(args) => images::run(args),
            Self::Schema(args) => schema::run(args),
            Self::Secret(args) => secret::run(args),
            Self::Status(args) => status::run(args),
            Self::Queue(args) => queue::run(args),
            Self::EvaluateSite { root, tell } => evaluate_site(&root, tell.as_deref()),
        }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Success };
            let _ = error.print();
            return exit.into();
        }
    };
    match cli.command.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if let Some(text) = failure.text() {
                output::note(&format!("postkiln: {text}"));
            }
            failure.exit().into()
        }
    }
}

fn evaluate_site(root: &std::path::Path, tell: Option<&str>) -> Result<Exit, Failure> {
    postkiln_site::evaluate_child(root, tell)
        .map(|()| Exit::Success)
        .map_err(|source| Failure::environment("cannot answer with the evaluated site", source))
}

const FIRST_STEPS: &str = "\
First steps:
  postkiln new mysite --domain example.org    a site to begin with
  postkiln check mysite                       every mistake at once
  postkiln explain mysite sales@example.org   where its mail goes, and why
  postkiln run mysite                         the services on this machine
  postkiln plan mysite                        what a change means for mail
  postkiln build mysite -o mysite.img         an image that boots
  postkiln boot mysite                        the same in QEMU

Exit codes: 0 done, 1 the site (or what was tested) is wrong, 2 plan: changes, 3 plan: changes that must be allowed, \
4 the environment failed, 64 wrong usage.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// Each page of help for a command without subcommands has examples that fit a terminal, and says how the command
    /// ends.
    fn check(command: &clap::Command) {
        let name = command.get_name();
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            check(inner);
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for part in ["  postkiln ", "Exit codes: 0 ", "4 ", "64 "] {
            assert!(help.contains(part), "{name}: no {part:?} in {help:?}");
        }
        let wide = help.lines().find(|line| line.starts_with("  ") && line.chars().count() > 80);
        assert_eq!(wide, None, "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name}: {} has no text", argument.get_id());
        }
    }

    #[test]
    fn every_page_of_help_has_examples_and_exit_codes() {
        check(&Cli::command());
    }
}
