//! Databases made by others, to load seeds into: SQLite's shell, and servers of MariaDB and PostgreSQL that a test
//! starts for itself in a temporary folder, on a Unix socket. Knows nothing about our tables.
//!
//! Start with [`Mariadb::start`], [`Postgres::start`] or [`Database::sqlite`]. The servers refuse to run as root.

mod mariadb;
mod postgres;

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub use mariadb::Mariadb;
pub use postgres::Postgres;

/// One empty database and the client to speak to it.
#[derive(Debug)]
pub struct Database {
    engine: Engine,
    /// The client's program and arguments.
    client: Vec<String>,
}

/// The kinds of databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the programs' names")]
pub enum Engine {
    Sqlite,
    Mariadb,
    Postgres,
}

impl Database {
    /// A new database in this file.
    #[must_use]
    pub fn sqlite(file: &Path) -> Self {
        Self { engine: Engine::Sqlite, client: vec!["sqlite3".to_owned(), file.display().to_string()] }
    }

    /// The kind of database this is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Runs a script from a file, as a user would. Gives its output, one line a row with `|` between the columns, or
    /// the client's complaint.
    ///
    /// # Errors
    /// With the client's complaint.
    ///
    /// # Panics
    /// When the client is missing.
    pub fn run(&self, script: &str) -> Result<String, String> {
        let mut client = self.start_client();
        // A client that stops at an error does not read to the end.
        let _ = client.stdin.take().expect("piped").write_all(script.as_bytes());
        let ended = client.wait_with_output().expect("the client ends");
        let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
        let output = String::from_utf8_lossy(&ended.stdout).into_owned();
        let output = if self.engine == Engine::Mariadb { output.replace('\t', "|") } else { output };
        // SQLite's and PostgreSQL's clients go on after errors unless told otherwise, as most people run them.
        if ended.status.success() && complaint.is_empty() { Ok(output) } else { Err(complaint) }
    }

    /// Runs a script that must succeed; otherwise like [`Database::run`].
    ///
    /// # Panics
    /// When the script fails.
    pub fn done(&self, script: &str) -> String {
        self.run(script).unwrap_or_else(|complaint| panic!("{:?}: {complaint}", self.engine))
    }

    /// The client, waiting for a script on its standard input.
    ///
    /// # Panics
    /// When the client is missing.
    #[must_use]
    pub fn start_client(&self) -> Child {
        let (program, arguments) = self.client.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap_or_else(|error| panic!("cannot start {program}: {error}"))
    }

    /// A line for a script: the client, when it has done everything before the line, makes this file.
    #[must_use]
    pub fn touch(&self, file: &Path) -> String {
        let escape = if self.engine == Engine::Sqlite { ".shell" } else { "\\!" };
        format!("\n{escape} touch {}\n", file.display())
    }
}
