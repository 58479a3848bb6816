//! [`Directory`]: the table of accounts. `schemas/database` has its schema and says who writes which column; `seed.rs`
//! brings in the accounts of a bundle.
//!
//! SQLite lets one connection write while others read the state before. So look-ups have a connection of their own that
//! never writes, and no writer keeps them waiting, be it for a login's record or for 100,000 users of a new bundle.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postkiln_routing::UserState;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};
use tokio::sync::Mutex;

use crate::DirectoryError;

/// The user database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    /// The connection for look-ups.
    reader: Arc<Mutex<SqliteConnection>>,
    /// The connection for records of logins.
    recorder: Arc<Mutex<SqliteConnection>>,
}

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's id, never used again.
    pub id: String,
    /// The domain of the address, in lower case.
    pub domain: String,
    /// The local part of the address, in lower case.
    pub local: String,
    /// The domain in which the account was made. Its mail lies there even after the account got another address.
    pub home: String,
    /// The mailbox's size limit in octets; `None` without a limit.
    pub quota: Option<u64>,
    /// The mailbox's largest number of messages; `None` without a limit.
    pub quota_messages: Option<u64>,
    /// Services that the person may not use.
    pub denied: Denied,
}

/// Services that are switched off for an account or for its whole domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, missing_docs, reason = "one for each column")]
pub struct Denied {
    pub pop3: bool,
    pub imap: bool,
    pub submission: bool,
}

/// An account and the hash of its password.
pub struct Credentials {
    /// The account that logs in.
    pub account: Account,
    /// The hash in crypt form; `None`: nobody can log in.
    pub hash: Option<String>,
}

impl Directory {
    /// Opens the database, makes it if there is none, and brings its tables up to this version.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub async fn open(path: &Path) -> Result<Self, DirectoryError> {
        let failed = |source| DirectoryError::Open { path: path.to_owned(), source };
        // Password hashes are nobody else's business.
        postkiln_sys::keep_private(path).map_err(|error| failed(error.into()))?;
        let mut recorder = options(path).busy_timeout(RECORD).connect().await.map_err(failed)?;
        upgrade(&mut recorder).await.map_err(failed)?;
        recorder.execute(sqlx::raw_sql(TABLES)).await.map_err(failed)?;
        recorder.execute(sqlx::raw_sql(OWN_TABLES)).await.map_err(failed)?;
        let reader = options(path).pragma("query_only", "ON").connect().await.map_err(failed)?;
        let (reader, recorder) = (Arc::new(Mutex::new(reader)), Arc::new(Mutex::new(recorder)));
        Ok(Self { path: path.to_owned(), reader, recorder })
    }

    /// Opens one more connection, for a writer of many rows.
    pub(crate) async fn connect(&self) -> Result<SqliteConnection, DirectoryError> {
        let failed = |source| DirectoryError::Open { path: self.path.clone(), source };
        options(&self.path).connect().await.map_err(failed)
    }

    /// From now on look-ups see the state of this moment, whatever is written, until [`Self::thaw`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn freeze(&self) -> Result<(), DirectoryError> {
        let mut reader = self.reader.lock().await;
        // SQLite fixes the visible state at the first look, not at BEGIN.
        let begun = reader.execute(sqlx::raw_sql("BEGIN; SELECT 1 FROM meta;")).await;
        begun.map(drop).map_err(DirectoryError::Account)
    }

    /// Look-ups see the current state again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn thaw(&self) -> Result<(), DirectoryError> {
        let ended = self.reader.lock().await.execute(sqlx::raw_sql("COMMIT")).await;
        ended.map(drop).map_err(DirectoryError::Account)
    }

    /// Whether the accounts are those of the seed with this digest, so that it need not be applied again.
    pub async fn has_seed(&self, digest: &str) -> bool {
        self.finds(sqlx::query("SELECT 1 FROM applied WHERE seed = ?").bind(digest)).await
    }

    /// Whether a seed was ever applied, so that there are accounts to serve.
    pub async fn has_accounts(&self) -> bool {
        self.finds(sqlx::query("SELECT 1 FROM accounts LIMIT 1")).await
    }

    async fn finds(&self, query: Query<'_>) -> bool {
        query.fetch_optional(&mut *self.reader.lock().await).await.is_ok_and(|row| row.is_some())
    }

    /// The account that may log in and get mail at this address.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn account(&self, domain: &str, local: &str) -> Result<Option<Account>, DirectoryError> {
        let row = sqlx::query(ACCOUNT).bind(domain).bind(local).fetch_optional(&mut *self.reader.lock().await).await;
        row.map_err(DirectoryError::Account)?.map(|row| account(&row)).transpose().map_err(DirectoryError::Account)
    }

    /// Whether there is an account at this address, and whether it gets mail.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn state(&self, domain: &str, local: &str) -> Result<UserState, DirectoryError> {
        if self.account(domain, local).await?.is_some() {
            return Ok(UserState::Open);
        }
        let row = sqlx::query(EXISTS).bind(domain).bind(local).fetch_optional(&mut *self.reader.lock().await).await;
        let closed = row.map_err(DirectoryError::Account)?.is_some();
        Ok(if closed { UserState::Closed } else { UserState::Absent })
    }

    /// The account that may log in and get mail at this address, with the password's hash.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn credentials(&self, domain: &str, local: &str) -> Result<Option<Credentials>, DirectoryError> {
        let row = sqlx::query(ACCOUNT).bind(domain).bind(local).fetch_optional(&mut *self.reader.lock().await).await;
        let Some(row) = row.map_err(DirectoryError::Account)? else { return Ok(None) };
        let read = || Ok(Credentials { account: account(&row)?, hash: row.try_get("password")? });
        read().map(Some).map_err(DirectoryError::Account)
    }

    /// The hash of some user, as an example of the cost of a password check here.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sample_hash(&self) -> Result<Option<String>, DirectoryError> {
        let query = sqlx::query("SELECT password FROM accounts WHERE password IS NOT NULL LIMIT 1");
        let row = query.fetch_optional(&mut *self.reader.lock().await).await.map_err(DirectoryError::Account)?;
        row.map(|row| row.try_get("password")).transpose().map_err(DirectoryError::Account)
    }

    /// Records a login. Of logins from one place within a minute only the first is written: each costs a disk sync.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn logged_in(&self, id: &str, at: i64, peer: &str, service: &str) -> Result<(), DirectoryError> {
        let query = sqlx::query(LOGIN).bind(id).bind(at).bind(peer).bind(service);
        let written = query.execute(&mut *self.recorder.lock().await).await;
        written.map(drop).map_err(DirectoryError::Login)
    }
}

impl Account {
    /// The Maildir below the directory `mail/`.
    #[must_use]
    pub fn maildir(&self) -> String {
        let hash = self.id.get(..2).unwrap_or_default();
        format!("{}/{hash}/{}/Maildir", self.home, self.id)
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A change that a person was told of survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", "-1024")
}

/// Brings tables of an older version up to date; those of version 1 had no number.
async fn upgrade(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let found = sqlx::query(VERSION).fetch_one(&mut *connection).await?;
    if found.try_get::<bool, _>("is_first")? {
        let script = format!("BEGIN IMMEDIATE;\n{TO_VERSION_2}\nCOMMIT;");
        // A failed script is undone when the caller drops the connection.
        connection.execute(sqlx::raw_sql(AssertSqlSafe(script))).await?;
    }
    Ok(())
}

fn account(row: &SqliteRow) -> Result<Account, sqlx::Error> {
    let limit = |column| -> Result<Option<u64>, sqlx::Error> {
        let limit: Option<i64> = row.try_get(column)?;
        Ok(limit.and_then(|limit| u64::try_from(limit).ok()))
    };
    Ok(Account {
        id: row.try_get("id")?,
        domain: row.try_get("domain")?,
        local: row.try_get("local")?,
        home: row.try_get("home")?,
        quota: limit("quota")?,
        quota_messages: limit("quota_messages")?,
        denied: Denied {
            pop3: row.try_get("deny_pop3")?,
            imap: row.try_get("deny_imap")?,
            submission: row.try_get("deny_submission")?,
        },
    })
}

const TABLES: &str = include_str!("../../../schemas/database/tables.sqlite.sql");
/// The table that `directoryd` keeps for itself, unknown to seeds: the SHA-256 in hex of the seed that the accounts
/// come from.
const OWN_TABLES: &str = "CREATE TABLE IF NOT EXISTS applied (seed TEXT NOT NULL) STRICT";
const TO_VERSION_2: &str = include_str!("../../../schemas/database/upgrade/0002.sqlite.sql");

const VERSION: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'accounts') \
     AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'meta') AS is_first";

// This also finds an account that may not log in and gets no mail.
const EXISTS: &str = "SELECT 1 FROM accounts WHERE domain = ? AND local = ? AND removed IS NULL";

// `enabled = 1` implies that the account is not removed; `removed IS NULL` is what the index is made for. An account
// made on the node has what its domain denies in the domain's row only.
const ACCOUNT: &str = "SELECT a.id, a.domain, a.local, a.home, a.quota, a.quota_messages, a.password, \
     a.deny_pop3 OR coalesce(d.deny_pop3, 0) AS deny_pop3, \
     a.deny_imap OR coalesce(d.deny_imap, 0) AS deny_imap, \
     a.deny_submission OR coalesce(d.deny_submission, 0) AS deny_submission \
     FROM accounts AS a LEFT JOIN domains AS d ON d.domain = a.domain \
     WHERE a.domain = ? AND a.local = ? AND a.removed IS NULL AND a.enabled = 1 AND a.disabled = 0";

const LOGIN: &str = "INSERT INTO logins (account, at, peer, service) VALUES (?, ?, ?, ?) \
     ON CONFLICT (account) DO UPDATE SET at = excluded.at, peer = excluded.peer, service = excluded.service \
     WHERE excluded.at >= logins.at + 60 OR excluded.peer <> logins.peer OR excluded.service <> logins.service";

/// The longest wait of a login's record for another writer: longer than the users of any bundle take.
const RECORD: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    const ROWS: &str = "INSERT INTO accounts (id, domain, local, home, quota, password, created)
        VALUES ('0a1b2c3d4e5f6071', 'example.org', 'ada', 'example.org', 5000, '$5$x$y', 0);
        INSERT INTO accounts (id, domain, local, home, created, enabled, removed)
        VALUES ('ffff2c3d4e5f6071', 'example.org', 'old', 'example.org', 0, 0, 1);";

    async fn write(directory: &Directory, change: &'static str) {
        directory.connect().await.unwrap().execute(sqlx::raw_sql(change)).await.unwrap();
    }

    #[test]
    fn the_database_is_nobody_elses_also_one_of_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db.sqlite");
        let open = || block_on(async { Directory::open(&path).await.unwrap() });
        let modes = || {
            let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
            files.map(|file| file.permissions().mode() & 0o777).collect::<Vec<_>>()
        };
        let directory = open();
        assert_eq!(modes(), [0o600; 3], "the database, its log and their index");
        drop(directory);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let _directory = open();
        assert!(modes().iter().all(|mode| *mode == 0o600), "{:?}", modes());
    }

    #[test]
    fn an_account_is_found_by_its_address_as_long_as_it_has_one() {
        let folder = tempfile::tempdir().unwrap();
        block_on(async {
            let directory = Directory::open(&folder.path().join("db.sqlite")).await.unwrap();
            assert!(!directory.has_accounts().await);
            write(&directory, ROWS).await;
            assert!(directory.has_accounts().await);
            let ada = directory.account("example.org", "ada").await.unwrap().unwrap();
            assert_eq!(ada.maildir(), "example.org/0a/0a1b2c3d4e5f6071/Maildir");
            assert_eq!(ada.quota, Some(5000));
            assert_eq!(directory.account("example.org", "old").await.unwrap(), None);
            assert_eq!(directory.account("example.net", "ada").await.unwrap(), None);
            let credentials = directory.credentials("example.org", "ada").await.unwrap().unwrap();
            assert_eq!(credentials.hash.as_deref(), Some("$5$x$y"));
            directory.logged_in(&ada.id, 100, "192.0.2.1", "imap").await.unwrap();
            directory.logged_in(&ada.id, 110, "192.0.2.1", "imap").await.unwrap();
        });
    }

    #[test]
    fn look_ups_go_on_while_somebody_writes_and_see_nothing_of_it_while_they_are_frozen() {
        let folder = tempfile::tempdir().unwrap();
        block_on(async {
            let directory = Directory::open(&folder.path().join("db.sqlite")).await.unwrap();
            write(&directory, ROWS).await;
            let finds = async || directory.account("example.org", "ada").await.unwrap().is_some();
            let mut writer = directory.connect().await.unwrap();
            writer.execute(sqlx::raw_sql("BEGIN IMMEDIATE; UPDATE accounts SET disabled = 1")).await.unwrap();
            assert!(finds().await, "what is not committed is not there");
            // The record of a login waits for the writer, and nobody waits for the record.
            let record = directory.logged_in("0a1b2c3d4e5f6071", 100, "192.0.2.1", "imap");
            let mut record = std::pin::pin!(record);
            let now = std::future::poll_fn(|context| std::task::Poll::Ready(record.as_mut().poll(context).is_ready()));
            assert!(!now.await);
            assert!(finds().await);
            directory.freeze().await.unwrap();
            writer.execute(sqlx::raw_sql("COMMIT")).await.unwrap();
            record.await.unwrap();
            assert!(finds().await, "frozen");
            directory.thaw().await.unwrap();
            assert!(!finds().await);
        });
    }

    #[test]
    fn what_is_denied_and_how_much_fits_stands_in_the_rows_of_account_and_domain() {
        let folder = tempfile::tempdir().unwrap();
        block_on(async {
            let directory = Directory::open(&folder.path().join("db.sqlite")).await.unwrap();
            write(&directory, ROWS).await;
            let check = async |change: &'static str, expected: Option<(Denied, Option<u64>)>| {
                write(&directory, change).await;
                let found = directory.account("example.org", "ada").await.unwrap();
                assert_eq!(found.map(|found| (found.denied, found.quota_messages)), expected, "{change}");
            };
            let none = Denied::default();
            check("SELECT 1", Some((none, None))).await;
            check("UPDATE accounts SET deny_imap = 1", Some((Denied { imap: true, ..none }, None))).await;
            let domain = "INSERT INTO domains (domain, postmaster, deny_pop3) VALUES ('example.org', 'ada', 1)";
            check(domain, Some((Denied { imap: true, pop3: true, ..none }, None))).await;
            let other = "UPDATE domains SET deny_pop3 = 0, deny_submission = 1; UPDATE accounts SET quota_messages = 9";
            check(other, Some((Denied { imap: true, submission: true, ..none }, Some(9)))).await;
            check("UPDATE accounts SET disabled = 1", None).await;
            check("UPDATE accounts SET disabled = 0, enabled = 0", None).await;
        });
    }

    #[test]
    fn a_database_of_the_first_version_is_brought_up_to_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.sqlite"), folder.path().join("new.sqlite"));
        block_on(async {
            let mut first_version = options(&old).connect().await.unwrap();
            let first = include_str!("../../../schemas/database/upgrade/0001.sqlite.sql");
            let ada = "INSERT INTO accounts (id, domain, local, quota, created) VALUES ('0a1b2c3d4e5f6071', 'example.org', 'ada', 5000, 7);
                INSERT INTO lastauth VALUES ('0a1b2c3d4e5f6071', 100, '192.0.2.1', 'imap');";
            first_version.execute(sqlx::raw_sql(AssertSqlSafe(format!("{first}\n{ada}")))).await.unwrap();
            drop(first_version);
            let old = Directory::open(&old).await.unwrap();
            let found = old.account("example.org", "ada").await.unwrap().unwrap();
            assert_eq!(
                (found.quota, found.maildir().as_str()),
                (Some(5000), "example.org/0a/0a1b2c3d4e5f6071/Maildir")
            );
            let columns = async |directory: &Directory| {
                let all = "SELECT m.name || '.' || c.name || ' ' || c.type FROM sqlite_schema AS m, pragma_table_info(m.name) AS c ORDER BY 1";
                let rows = sqlx::query(all).fetch_all(&mut *directory.reader.lock().await).await.unwrap();
                rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>()
            };
            let new = Directory::open(&new).await.unwrap();
            assert_eq!(columns(&old).await, columns(&new).await);
            let login = sqlx::query("SELECT at FROM logins").fetch_one(&mut *old.reader.lock().await).await.unwrap();
            assert_eq!(login.get::<i64, _>(0), 100);
        });
    }
}
