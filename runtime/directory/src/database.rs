//! [`Directory`]: the table of accounts. Its schema and who writes which column: `schemas/database`.

use std::path::Path;

use postkiln_routing::UserState;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::DirectoryError;

/// The user database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory(SqlitePool);

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Never used again.
    pub id: String,
    /// Lower case.
    pub domain: String,
    /// Lower case.
    pub local: String,
    /// The domain it was made in: there its mail lies, also after it got another address.
    pub home: String,
    /// Octets; `None` without a limit.
    pub quota: Option<u64>,
    /// Messages; `None` without a limit.
    pub quota_messages: Option<u64>,
    /// What the person may not use.
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

/// An account and what its password has to agree with.
pub struct Credentials {
    /// Whose.
    pub account: Account,
    /// In crypt form; `None`: nobody can log in.
    pub hash: Option<String>,
}

impl Directory {
    /// Opens the database, makes it when there is none, and brings its tables up to this version.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub async fn open(path: &Path) -> Result<Self, DirectoryError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What a person has changed and was told so survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("cache_size", "-1024");
        // One connection: each has a thread and a cache of its own, and look-ups take microseconds.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let open = |source| DirectoryError::Open { path: path.to_owned(), source };
        let pool = pool.map_err(open)?;
        upgrade(&pool).await.map_err(open)?;
        pool.execute(sqlx::raw_sql(TABLES)).await.map_err(open)?;
        Ok(Self(pool))
    }

    /// Brings the accounts in line with a bundle's seed; a second time changes nothing.
    ///
    /// # Errors
    /// When the text is no seed or the disk is full; the accounts are then as before.
    pub async fn apply_seed(&self, seed: &str) -> Result<(), DirectoryError> {
        let mut connection = self.0.acquire().await.map_err(DirectoryError::Seed)?;
        // The text is a script with a transaction of its own and comes from the verified bundle.
        let applied = connection.execute(sqlx::raw_sql(AssertSqlSafe(seed))).await;
        if let Err(error) = applied {
            // Fails when the script did not get as far as BEGIN; then there is nothing to take back.
            let _ = connection.execute(sqlx::raw_sql("ROLLBACK")).await;
            return Err(DirectoryError::Seed(error));
        }
        Ok(())
    }

    /// Whether a seed was ever applied: there are accounts to serve.
    pub async fn has_accounts(&self) -> bool {
        sqlx::query("SELECT 1 FROM accounts LIMIT 1").fetch_optional(&self.0).await.is_ok_and(|row| row.is_some())
    }

    /// The account that may log in and get mail at this address.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn account(&self, domain: &str, local: &str) -> Result<Option<Account>, DirectoryError> {
        let row = sqlx::query(ACCOUNT).bind(domain).bind(local).fetch_optional(&self.0).await;
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
        let row = sqlx::query(EXISTS).bind(domain).bind(local).fetch_optional(&self.0).await;
        let closed = row.map_err(DirectoryError::Account)?.is_some();
        Ok(if closed { UserState::Closed } else { UserState::Absent })
    }

    /// The account that may log in and get mail at this address, with the password's hash.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn credentials(&self, domain: &str, local: &str) -> Result<Option<Credentials>, DirectoryError> {
        let row = sqlx::query(ACCOUNT).bind(domain).bind(local).fetch_optional(&self.0).await;
        let Some(row) = row.map_err(DirectoryError::Account)? else { return Ok(None) };
        let read = || Ok(Credentials { account: account(&row)?, hash: row.try_get("password")? });
        read().map(Some).map_err(DirectoryError::Account)
    }

    /// Some user's hash: what a check costs here.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sample_hash(&self) -> Result<Option<String>, DirectoryError> {
        let row =
            sqlx::query("SELECT password FROM accounts WHERE password IS NOT NULL LIMIT 1").fetch_optional(&self.0);
        let row = row.await.map_err(DirectoryError::Account)?;
        row.map(|row| row.try_get("password")).transpose().map_err(DirectoryError::Account)
    }

    /// Records a login. Of logins from one place within a minute only the first is written: each costs a disk sync.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn logged_in(&self, id: &str, at: i64, peer: &str, service: &str) -> Result<(), DirectoryError> {
        let written = sqlx::query(LOGIN).bind(id).bind(at).bind(peer).bind(service).execute(&self.0).await;
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

/// Tables of version 1 had no number.
async fn upgrade(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let found = sqlx::query(VERSION).fetch_one(pool).await?;
    if found.try_get::<bool, _>("is_first")? {
        let script = format!("BEGIN IMMEDIATE;\n{TO_VERSION_2}\nCOMMIT;");
        // One connection: what is left of a failed script is taken back with it.
        pool.acquire().await?.execute(sqlx::raw_sql(AssertSqlSafe(script))).await?;
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
const TO_VERSION_2: &str = include_str!("../../../schemas/database/upgrade/0002.sqlite.sql");

const VERSION: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'accounts') \
     AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'meta') AS is_first";

// Also one that may not log in and gets no mail.
const EXISTS: &str = "SELECT 1 FROM accounts WHERE domain = ? AND local = ? AND removed IS NULL";

// `enabled = 1` implies that the account is not removed; `removed IS NULL` is what the index is made for. An account made
// on the node has what its domain denies in the domain's row only.
const ACCOUNT: &str = "SELECT a.id, a.domain, a.local, a.home, a.quota, a.quota_messages, a.password, \
     a.deny_pop3 OR coalesce(d.deny_pop3, 0) AS deny_pop3, \
     a.deny_imap OR coalesce(d.deny_imap, 0) AS deny_imap, \
     a.deny_submission OR coalesce(d.deny_submission, 0) AS deny_submission \
     FROM accounts AS a LEFT JOIN domains AS d ON d.domain = a.domain \
     WHERE a.domain = ? AND a.local = ? AND a.removed IS NULL AND a.enabled = 1 AND a.disabled = 0";

const LOGIN: &str = "INSERT INTO logins (account, at, peer, service) VALUES (?, ?, ?, ?) \
     ON CONFLICT (account) DO UPDATE SET at = excluded.at, peer = excluded.peer, service = excluded.service \
     WHERE excluded.at >= logins.at + 60 OR excluded.peer <> logins.peer OR excluded.service <> logins.service";

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    const SEED: &str = "BEGIN IMMEDIATE;
        INSERT INTO accounts (id, domain, local, home, quota, password, created)
        VALUES ('0a1b2c3d4e5f6071', 'example.org', 'ada', 'example.org', 5000, '$5$x$y', 0) ON CONFLICT DO NOTHING;
        INSERT INTO accounts (id, domain, local, home, created, enabled, removed)
        VALUES ('ffff2c3d4e5f6071', 'example.org', 'old', 'example.org', 0, 0, 1) ON CONFLICT DO NOTHING;
        COMMIT;";

    #[test]
    fn a_seed_may_be_applied_again_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        block_on(async {
            let directory = Directory::open(&folder.path().join("db.sqlite")).await.unwrap();
            assert!(!directory.has_accounts().await);
            directory.apply_seed(SEED).await.unwrap();
            directory.apply_seed(SEED).await.unwrap();
            assert!(directory.has_accounts().await);
            let broken = "BEGIN IMMEDIATE; DELETE FROM accounts; SELECT nonsense; COMMIT;";
            assert!(directory.apply_seed(broken).await.is_err());
            directory.apply_seed(SEED).await.unwrap();
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
    fn what_is_denied_and_how_much_fits_stands_in_the_rows_of_account_and_domain() {
        let folder = tempfile::tempdir().unwrap();
        block_on(async {
            let directory = Directory::open(&folder.path().join("db.sqlite")).await.unwrap();
            directory.apply_seed(SEED).await.unwrap();
            let check = async |change: &str, expected: Option<(Denied, Option<u64>)>| {
                directory.apply_seed(change).await.unwrap();
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
            let options = SqliteConnectOptions::new().filename(&old).create_if_missing(true);
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
            let first = include_str!("../../../schemas/database/upgrade/0001.sqlite.sql");
            let ada = "INSERT INTO accounts (id, domain, local, quota, created) VALUES ('0a1b2c3d4e5f6071', 'example.org', 'ada', 5000, 7);
                INSERT INTO lastauth VALUES ('0a1b2c3d4e5f6071', 100, '192.0.2.1', 'imap');";
            pool.execute(sqlx::raw_sql(AssertSqlSafe(format!("{first}\n{ada}")))).await.unwrap();
            pool.close().await;
            let old = Directory::open(&old).await.unwrap();
            let found = old.account("example.org", "ada").await.unwrap().unwrap();
            assert_eq!(
                (found.quota, found.maildir().as_str()),
                (Some(5000), "example.org/0a/0a1b2c3d4e5f6071/Maildir")
            );
            let columns = async |directory: &Directory| {
                let all = "SELECT m.name || '.' || c.name || ' ' || c.type FROM sqlite_schema AS m, pragma_table_info(m.name) AS c ORDER BY 1";
                let rows = sqlx::query(all).fetch_all(&directory.0).await.unwrap();
                rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>()
            };
            let new = Directory::open(&new).await.unwrap();
            assert_eq!(columns(&old).await, columns(&new).await);
            let login = sqlx::query("SELECT at FROM logins").fetch_one(&old.0).await.unwrap();
            assert_eq!(login.get::<i64, _>(0), 100);
        });
    }
}
