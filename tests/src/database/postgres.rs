//! [`Postgres`]: a server of Debian's `postgresql`, of the newest version that is installed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{Database, Engine};
use crate::{eventually, finish};

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    server: Child,
}

impl Postgres {
    /// Starts a server on a Unix socket.
    ///
    /// # Panics
    /// When the server does not come up.
    #[must_use]
    pub fn start() -> Self {
        assert!(!rustix::process::getuid().is_root(), "PostgreSQL refuses to run as root: runuser -u postkiln -- …");
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("pk-postgres-").tempdir().expect("a temporary directory");
        let data = folder.path().join("data");
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.args(["--username=root", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"]).arg(&data);
        let _ = finish(&mut initdb, Duration::from_secs(120)).success();
        let log = std::fs::File::create(folder.path().join("log")).expect("our own directory");
        let server = Command::new(programs.join("postgres"))
            // The arguments: no TCP, not even on 127.0.0.1; no syncs; literals as they were read before 9.1.
            .args(["-h", "", "-F", "-c", "standard_conforming_strings=off", "-c", "escape_string_warning=off", "-k"])
            .arg(folder.path())
            .arg("-D")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres is installed");
        let started = Self { folder, programs, server };
        eventually("PostgreSQL answers", Duration::from_secs(60), || {
            started.speaking_to("postgres").run("SELECT 1;").ok()
        });
        started
    }

    /// A new database of this name.
    ///
    /// # Panics
    /// When a database of this name exists.
    #[must_use]
    pub fn database(&self, name: &str) -> Database {
        let _ = self.speaking_to("postgres").done(&format!("CREATE DATABASE {name};"));
        self.speaking_to(name)
    }

    fn speaking_to(&self, name: &str) -> Database {
        let socket = self.folder.path().display().to_string();
        let psql = self.programs.join("psql").display().to_string();
        let client =
            [&psql, "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--username=root", "-h", &socket, name];
        Database { engine: Engine::Postgres, client: client.into_iter().map(ToOwned::to_owned).collect() }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT also ends the server's children and gives shared memory back.
        let _ = kill_process(Pid::from_child(&self.server), Signal::QUIT);
        let _ = self.server.wait();
    }
}

/// The folder of the server's programs; Debian keeps those of each version apart.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("postgres").is_file());
    let version = |bin: &PathBuf| {
        let name = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        name.and_then(|name| name.parse::<u32>().ok())
    };
    installed.max_by_key(version).expect("postgresql is installed")
}
