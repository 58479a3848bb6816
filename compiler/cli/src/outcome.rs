//! The end of a command: exit codes, and failures with their text. The codes are part of the interface.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

/// The exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The command did its work and found nothing wrong.
    Success = 0,
    /// The site, or the tested system, is wrong.
    Invalid = 1,
    /// For `plan`: there are changes.
    Changes = 2,
    /// For `plan`: there are changes that a person has to allow first.
    Guarded = 3,
    /// The environment failed: files, network, programs.
    Environment = 4,
    /// The command line was wrong (`EX_USAGE` of sysexits).
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The reason why a command failed. `main` prints the text, with the causes, and ends the program.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The site has errors; they have been shown already.
    Findings,
    /// The tested system is wrong: exit code 1 with this sentence.
    Wrong(String),
    /// The environment failed: files, network, programs.
    Environment {
        /// The failed action with its object: "cannot write out/control/me".
        what: String,
        /// The underlying error, if there is one.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The arguments make no sense together.
    Usage(String),
}

impl Failure {
    /// A failure of the environment with its cause.
    pub(crate) fn environment(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Environment { what: what.into(), source: Some(source.into()) }
    }

    /// A failure of the environment without a deeper cause.
    pub(crate) fn unavailable(what: impl Into<String>) -> Self {
        Self::Environment { what: what.into(), source: None }
    }

    /// The text to print; `None` when everything has been said.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Findings => None,
            Self::Wrong(text) | Self::Usage(text) => Some(text.clone()),
            Self::Environment { what, source } => {
                let mut text = what.clone();
                let mut cause = source.as_deref().map(|source| source as &dyn Error);
                while let Some(error) = cause {
                    let _ = write!(text, ": {error}");
                    cause = error.source();
                }
                Some(text)
            }
        }
    }

    /// The exit code for this failure.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Findings | Self::Wrong(_) => Exit::Invalid,
            Self::Environment { .. } => Exit::Environment,
            Self::Usage(_) => Exit::Usage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(failure: &Failure, text: Option<&str>, exit: Exit) {
        assert_eq!((failure.text().as_deref(), failure.exit()), (text, exit));
    }

    #[test]
    fn failures_tell_their_cause_once() {
        let cause = std::io::Error::other("disk full");
        check(&Failure::environment("cannot write x", cause), Some("cannot write x: disk full"), Exit::Environment);
        check(&Failure::unavailable("no QEMU found"), Some("no QEMU found"), Exit::Environment);
        check(&Failure::Findings, None, Exit::Invalid);
        check(&Failure::Wrong("two expectations failed".into()), Some("two expectations failed"), Exit::Invalid);
        check(&Failure::Usage("no".into()), Some("no"), Exit::Usage);
    }
}
