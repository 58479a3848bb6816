//! [`Memory`]: the one table of what checks remember, in SQLite. Losing it delays mail and nothing else: a power cut
//! may take the last seconds, and a file that cannot be read is set aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use postkiln_log::Event;
use postkiln_policy::Record;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor, Row};
use tokio::sync::{Mutex, MutexGuard};

/// The table, for all conversations.
pub(super) struct Memory {
    table: Mutex<Table>,
    path: PathBuf,
}

/// The memory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    /// The table cannot be opened, and a new one cannot be made.
    #[error("{path} cannot be opened")]
    Open {
        /// The path of the table's file.
        path: PathBuf,
        /// The error as SQLite gives it.
        source: sqlx::Error,
    },
    /// A file that is no memory cannot be set aside.
    #[error("{path} cannot be set aside")]
    SetAside {
        /// The path of that file.
        path: PathBuf,
        /// The error as the system gives it.
        source: io::Error,
    },
    /// SQLite refuses a question or a change.
    #[error("what is remembered cannot be looked up or changed")]
    Question(#[from] sqlx::Error),
    /// The file was found damaged while it was in use, and is set aside.
    #[error("{path} is damaged, and was set aside")]
    Damaged {
        /// The path of the table's file.
        path: PathBuf,
    },
}

impl Memory {
    /// Opens the table and makes it if there is none. A file that is none is set aside under the ending `broken`.
    pub(super) async fn open(path: &Path) -> Result<Self, MemoryError> {
        let opened = match connect(path).await {
            Err(error) if is_no_table(&error) => {
                set_aside(path, &error)?;
                connect(path).await
            }
            opened => opened,
        };
        let connection = opened.map_err(|source| MemoryError::Open { path: path.to_owned(), source })?;
        Ok(Self { table: Mutex::new(Table(connection)), path: path.to_owned() })
    }

    /// The table, for one attempt at a time.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().await
    }

    /// Sets the file aside if that is what an error says of it. The connection still has the file, and cleans up beside
    /// it when it ends: so another table is begun by the next life of the role alone.
    ///
    /// # Errors
    /// [`Damaged`](MemoryError::Damaged) when the file is set aside now, another one when it cannot be.
    pub(super) fn examine(&self, error: &MemoryError) -> Result<(), MemoryError> {
        match error {
            MemoryError::Question(error) if is_no_table(error) => {
                set_aside(&self.path, error)?;
                Err(MemoryError::Damaged { path: self.path.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// The table, for the one conversation that has it now.
pub(super) struct Table(SqliteConnection);

impl Table {
    /// The record of a key, unless it has expired.
    pub(super) async fn recall(&mut self, check: &str, key: &str, now: u64) -> Result<Option<Record>, MemoryError> {
        let query = "SELECT first, last, count, expires FROM memory WHERE name = ? AND key = ? AND expires > ?";
        let query = sqlx::query(query).bind(check).bind(key).bind(signed(now));
        let row = query.fetch_optional(&mut self.0).await?;
        let number = |row: &sqlx::sqlite::SqliteRow, column| Ok::<_, sqlx::Error>(unsigned(row.try_get(column)?));
        row.map(|row| {
            Ok(Record {
                first: number(&row, 0)?,
                last: number(&row, 1)?,
                count: number(&row, 2)?,
                expires: number(&row, 3)?,
            })
        })
        .transpose()
    }

    /// Keeps a record in the place of the one there is.
    pub(super) async fn remember(&mut self, check: &str, key: &str, record: &Record) -> Result<(), MemoryError> {
        let query = sqlx::query(
            "INSERT OR REPLACE INTO memory (name, key, first, last, count, expires) VALUES (?, ?, ?, ?, ?, ?)",
        );
        let query = query.bind(check).bind(key).bind(signed(record.first)).bind(signed(record.last));
        query.bind(signed(record.count)).bind(signed(record.expires)).execute(&mut self.0).await?;
        Ok(())
    }

    /// Removes what has expired, and of the rest what expires first, until `most` records are left: strangers who were
    /// seen once expire long before those who are known.
    pub(super) async fn forget(&mut self, now: u64, most: u64) -> Result<(), MemoryError> {
        sqlx::query("DELETE FROM memory WHERE expires <= ?").bind(signed(now)).execute(&mut self.0).await?;
        let rest = "DELETE FROM memory WHERE rowid IN (SELECT rowid FROM memory ORDER BY expires LIMIT max(0, (SELECT count(*) FROM memory) - ?))";
        sqlx::query(rest).bind(signed(most)).execute(&mut self.0).await?;
        Ok(())
    }
}

/// Whether a file holds no table that SQLite can use (SQLITE_CORRUPT, SQLITE_NOTADB). A disk that is full or refuses
/// says nothing about the file.
fn is_no_table(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // An extended code has the primary one in its last octet.
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

/// Moves the file out of the way, and says so.
fn set_aside(path: &Path, error: &sqlx::Error) -> Result<(), MemoryError> {
    postkiln_log::warn(Event::Memory, &[("problem", error), ("file", &path.display()), ("say", &"set aside")]);
    move_aside(path).map_err(|source| MemoryError::SetAside { path: path.to_owned(), source })
}

/// SQLite would play the log beside the file into the next one of that name.
fn move_aside(path: &Path) -> io::Result<()> {
    for ending in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(ending);
        match fs::remove_file(beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, path.with_extension("broken"))
}

async fn connect(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    // Who writes to whom is nobody else's business.
    postkiln_sys::keep_private(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Without a flush for each attempt: what the last seconds brought may be asked again.
        .synchronous(SqliteSynchronous::Normal)
        .pragma("cache_size", "-1024");
    let mut connection = options.connect().await?;
    connection.execute(sqlx::raw_sql(TABLE)).await?;
    Ok(connection)
}

/// SQLite's numbers have a sign.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// The version stands in `user_version`, for one that has other columns.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS memory (
        name TEXT NOT NULL,
        key TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        count INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        PRIMARY KEY (name, key)
    );
    CREATE INDEX IF NOT EXISTS memory_expires ON memory (expires);
    PRAGMA user_version = 1;
";

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn run<F: Future<Output = ()>>(test: F) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    fn record(expires: u64) -> Record {
        Record { first: 1, last: 2, count: 3, expires }
    }

    #[test]
    fn records_last_until_they_expire_and_longer_than_the_process() {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("memory.sqlite");
            let memory = Memory::open(&path).await.unwrap();
            memory.lock().await.remember("one", "key", &record(50)).await.unwrap();
            memory.lock().await.remember("one", "key", &record(100)).await.unwrap();
            drop(memory);
            let memory = Memory::open(&path).await.unwrap();
            let mut table = memory.lock().await;
            assert_eq!(table.recall("one", "key", 99).await.unwrap(), Some(record(100)));
            assert_eq!(table.recall("one", "key", 100).await.unwrap(), None);
            assert_eq!(table.recall("another", "key", 1).await.unwrap(), None);
        });
    }

    #[test]
    fn what_expires_first_goes_first_when_there_is_too_much() {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let memory = Memory::open(&folder.path().join("memory.sqlite")).await.unwrap();
            let mut table = memory.lock().await;
            for expires in [10, 40, 30, 20, 50] {
                table.remember("one", &expires.to_string(), &record(expires)).await.unwrap();
            }
            table.forget(10, 2).await.unwrap();
            let mut left = Vec::new();
            for key in ["10", "20", "30", "40", "50"] {
                left.extend(table.recall("one", key, 0).await.unwrap().map(|record| record.expires));
            }
            assert_eq!(left, [40, 50]);
        });
    }

    #[test]
    fn a_file_that_is_no_memory_is_set_aside() {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("memory.sqlite");
            fs::write(&path, "nonsense ".repeat(1000)).unwrap();
            fs::write(folder.path().join("memory.sqlite-wal"), "more of it").unwrap();
            let memory = Memory::open(&path).await.unwrap();
            assert_eq!(memory.lock().await.recall("one", "key", 0).await.unwrap(), None);
            assert!(folder.path().join("memory.broken").exists());
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        });
    }

    #[test]
    fn a_file_that_is_damaged_while_in_use_is_set_aside() {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("memory.sqlite");
            let memory = Memory::open(&path).await.unwrap();
            memory.lock().await.remember("one", "key", &record(100)).await.unwrap();
            // The same files with other octets: SQLite has them open, and the index of the log in its memory.
            for ending in ["", "-wal", "-shm"] {
                let damaged = folder.path().join(format!("memory.sqlite{ending}"));
                let length = usize::try_from(fs::metadata(&damaged).unwrap().len()).unwrap();
                fs::OpenOptions::new().write(true).open(damaged).unwrap().write_all(&vec![0x55; length]).unwrap();
            }
            let error = memory.lock().await.recall("one", "key", 0).await.unwrap_err();
            let said = memory.examine(&error).unwrap_err();
            assert!(matches!(said, MemoryError::Damaged { .. }), "{error:?}: {said:?}");
            assert!(folder.path().join("memory.broken").exists() && !path.exists());
            drop(memory);
            let memory = Memory::open(&path).await.unwrap();
            assert_eq!(memory.lock().await.recall("one", "key", 0).await.unwrap(), None);
            assert!(memory.examine(&MemoryError::Question(sqlx::Error::RowNotFound)).is_ok() && path.exists());
        });
    }

    #[test]
    fn a_table_that_cannot_be_opened_now_stays() {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("memory.sqlite");
            drop(Memory::open(&path).await.unwrap());
            let other = folder.path().join("other.sqlite");
            fs::rename(&path, &other).unwrap();
            fs::create_dir(&path).unwrap();
            assert!(Memory::open(&path).await.is_err(), "a directory is in the way");
            assert!(path.is_dir() && !folder.path().join("memory.broken").exists());
        });
    }
}
