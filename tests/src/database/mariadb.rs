//! [`Mariadb`]: a server of Debian's `mariadb-server-core`.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{Database, Engine};
use crate::{eventually, finish};

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Mariadb {
    folder: TempDir,
    server: Child,
}

impl Mariadb {
    /// Starts a server with settings that a seed must not rely on: another character set, another meaning of quotes and
    /// `||`.
    ///
    /// # Panics
    /// When the server does not come up.
    #[must_use]
    pub fn start() -> Self {
        assert!(!rustix::process::getuid().is_root(), "mariadbd refuses to run as root: runuser -u postkiln -- …");
        let folder = tempfile::Builder::new().prefix("pk-mariadb-").tempdir().expect("a temporary directory");
        let data = format!("--datadir={}", folder.path().join("data").display());
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &data]);
        let _ = finish(&mut install, Duration::from_secs(120)).success();
        let log = std::fs::File::create(folder.path().join("log")).expect("our own directory");
        let server = Command::new("/usr/sbin/mariadbd")
            .args(["--no-defaults", &data, "--skip-networking", "--innodb-flush-log-at-trx-commit=0"])
            .args(["--character-set-server=latin1", "--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES"])
            .arg(format!("--socket={}", folder.path().join("socket").display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("mariadbd is installed");
        let started = Self { folder, server };
        eventually("MariaDB answers", Duration::from_secs(60), || started.speaking_to("mysql").run("DO 0;").ok());
        started
    }

    /// A new database of this name.
    ///
    /// # Panics
    /// When a database of this name exists.
    #[must_use]
    pub fn database(&self, name: &str) -> Database {
        let _ = self.speaking_to("mysql").done(&format!("CREATE DATABASE {name};"));
        self.speaking_to(name)
    }

    fn speaking_to(&self, name: &str) -> Database {
        let socket: PathBuf = self.folder.path().join("socket");
        let client =
            ["mariadb", "--no-defaults", "--batch", "--raw", "--skip-column-names", "--user=root", "--database", name];
        let mut client: Vec<String> = client.into_iter().map(ToOwned::to_owned).collect();
        client.push(format!("--socket={}", socket.display()));
        Database { engine: Engine::Mariadb, client }
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
