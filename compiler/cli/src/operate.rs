//! The way to a running node: which one a command means, and questions on its operators' socket.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postkiln_operation::{Problem, Question, paths};
use serde::de::DeserializeOwned;

use crate::bundle::{self, Checked};
use crate::findings;
use crate::outcome::Failure;

/// Which node a command is about.
#[derive(Debug, clap::Args)]
pub(crate) struct Node {
    /// The site that `postkiln run` runs here, or the node's data directory
    #[arg(value_name = "SITE|DIR", required_unless_present = "data")]
    place: Option<PathBuf>,
    /// The node's data directory
    #[arg(long, value_name = "DIR", conflicts_with = "place")]
    data: Option<PathBuf>,
}

impl Node {
    /// The data directory: as given, or the one that `postkiln run` takes for the site.
    pub(crate) fn data(self) -> Result<PathBuf, Failure> {
        match (self.data, self.place) {
            (Some(data), _) => Ok(data),
            // A node at work has this directory, a site has not.
            (None, Some(place)) if place.join(paths::RUN).is_dir() => Ok(place),
            (None, Some(site)) if is_site(&site) => default_data(&hostname(&site)?),
            (None, Some(place)) => {
                Err(Failure::unavailable(format!("{} is neither a site nor a node's data directory", place.display())))
            }
            (None, None) => Err(Failure::Usage("give a site or a data directory".to_owned())),
        }
    }
}

/// The host name of a site without errors; they are shown.
fn hostname(site: &Path) -> Result<String, Failure> {
    let Checked { lowered, found } = bundle::check(site, None)?;
    findings::judge(&found, None).inspect_err(|_| findings::show(site, &found))?;
    lowered.map(|(_, blueprint)| blueprint.hostname.to_string()).ok_or(Failure::Findings)
}

fn is_site(place: &Path) -> bool {
    place.is_file() || place.join("site.ncl").is_file()
}

/// Where `postkiln run` keeps a site's data: `$XDG_STATE_HOME/postkiln/HOSTNAME` (XDG Base Directory Specification).
pub(crate) fn default_data(hostname: &str) -> Result<PathBuf, Failure> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = state.or_else(home).ok_or_else(|| Failure::Usage("there is no home directory: give --data".into()))?;
    Ok(state.join("postkiln").join(hostname))
}

/// The lines of an answer, as they come.
pub(crate) struct Answer(Lines<BufReader<UnixStream>>);

impl Answer {
    /// Asks a running node one question.
    pub(crate) fn to(question: Question, data: &Path) -> Result<Self, Failure> {
        let failed = |error| {
            let socket = data.join(paths::RUN).join(paths::CONTROL_SOCKET);
            Failure::environment(
                format!("no node answers at {} (`postkiln run SITE` starts one)", socket.display()),
                error,
            )
        };
        let mut stream = connect(data).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        let question = serde_json::to_string(&question).map_err(|error| failed(error.into()))?;
        stream.write_all(format!("{question}\n").as_bytes()).map_err(failed)?;
        Ok(Self(BufReader::new(stream).lines()))
    }

    /// The next line.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        let line =
            self.0.next().ok_or_else(|| Failure::unavailable("the node broke off in the middle of its answer"))?;
        let line = line.map_err(|error| Failure::environment("cannot hear the node's answer", error))?;
        if let Ok(Problem { error }) = serde_json::from_str(&line) {
            return Err(Failure::unavailable(format!("the node says: {error}")));
        }
        serde_json::from_str(&line).map_err(|error| Failure::environment("cannot read the node's answer", error))
    }
}

/// By way of the directory's descriptor: a socket's path may have 108 octets only (unix(7)).
fn connect(data: &Path) -> std::io::Result<UnixStream> {
    let run = File::open(data.join(paths::RUN))?;
    UnixStream::connect(format!("/proc/self/fd/{}/{}", run.as_raw_fd(), paths::CONTROL_SOCKET))
}

/// Between two lines.
const PATIENCE: Duration = Duration::from_secs(30);
