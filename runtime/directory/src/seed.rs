//! [`Seed`]: the accounts of a bundle, as SQL text; [`Seeding`]: that text on its way into the database. Knows the form
//! the compiler gives a seed (`schemas/database/README.md`), not what its statements say.
//!
//! A seed of 100,000 users is 30 MB long and takes a second. So it is read and executed in slices, on a connection of
//! its own, in one transaction of which look-ups see nothing before [`Seeding::commit`]. A process that is killed
//! before then leaves the accounts as they were.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::{Directory, DirectoryError};

/// The text of a seed, read once.
pub struct Seed {
    text: Box<dyn BufRead + Send>,
    digest: String,
    is_read: bool,
}

impl Seed {
    /// Takes a seed's file and reads all of it for its digest. Must be called where waiting for a disk hurts nobody.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(mut file: File) -> io::Result<Self> {
        let (mut hash, mut piece) = (Sha256::new(), vec![0; SLICE]);
        loop {
            match file.read(&mut piece)? {
                0 => break,
                length => hash.update(piece.get(..length).unwrap_or_default()),
            }
        }
        file.rewind()?;
        let digest = hash.finalize().iter().fold(String::new(), |mut digest, byte| {
            // Writing to a String cannot fail.
            let _ = write!(digest, "{byte:02x}");
            digest
        });
        Ok(Self { text: Box::new(BufReader::with_capacity(SLICE / 4, file)), digest, is_read: false })
    }

    /// The SHA-256 in hex, by which [`Directory::has_seed`] knows the seed.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The next whole statements, [`SLICE`] octets or a little more; `None` before the final COMMIT.
    fn slice(&mut self) -> io::Result<Option<String>> {
        let mut slice = String::new();
        if self.is_read {
            return Ok(None);
        }
        let (mut start, mut is_trigger) = (0, false);
        loop {
            let begin = slice.len();
            if (&mut self.text).take(LINE).read_line(&mut slice)? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends before its COMMIT"));
            }
            let line = slice.get(begin..).unwrap_or_default();
            // A trigger's statements belong to it, up to END. No literal of a seed spans lines.
            is_trigger = is_trigger && line != "END;\n" || line.starts_with("CREATE TEMP TRIGGER ");
            if is_trigger || line.starts_with("--") || !line.ends_with(";\n") {
                continue;
            }
            if slice.get(start..) == Some("COMMIT;\n") {
                slice.truncate(start);
                self.is_read = true;
                return Ok((start > 0).then_some(slice));
            }
            if slice.len() >= SLICE {
                return Ok(Some(slice));
            }
            start = slice.len();
        }
    }
}

/// The accounts of a seed, written and not yet visible. Dropping it takes them back.
#[derive(Debug)]
pub struct Seeding {
    connection: SqliteConnection,
    /// Of the seed, if there is one.
    digest: Option<String>,
}

impl Directory {
    /// Brings the accounts in line with a seed, as far as possible before the commit. Without a seed it leaves them as
    /// they are, for passwords alone.
    ///
    /// # Errors
    /// When the seed cannot be read, is refused or malformed, or the disk is full. The accounts stay as they were.
    pub async fn begin(&self, seed: Option<Seed>) -> Result<Seeding, DirectoryError> {
        let digest = seed.as_ref().map(|seed| seed.digest.clone());
        let mut connection = self.connect().await?;
        let begun = match seed {
            Some(seed) => execute(&mut connection, seed).await,
            None => connection.execute("BEGIN IMMEDIATE").await.map(drop).map_err(DirectoryError::Seed),
        };
        match begun {
            Ok(()) => Ok(Seeding { connection, digest }),
            Err(error) => {
                // Closing undoes all changes, and a failure to close does not change that.
                let _ = connection.close().await;
                Err(error)
            }
        }
    }
}

impl Seeding {
    /// Writes the hash of a password that is a secret, or none: the last step of applying a seed, every time, since the
    /// seed knows no value (`schemas/database/README.md`). A person's own password stays.
    ///
    /// # Errors
    /// When the disk is full.
    pub async fn set_password(&mut self, domain: &str, local: &str, hash: Option<&str>) -> Result<(), DirectoryError> {
        let query = sqlx::query(PASSWORD).bind(hash).bind(domain).bind(local);
        query.execute(&mut self.connection).await.map(drop).map_err(DirectoryError::Seed)
    }

    /// Makes the accounts those of the seed, from now on and after a power cut.
    ///
    /// # Errors
    /// When the disk is full. The accounts stay as they were.
    pub async fn commit(mut self) -> Result<(), DirectoryError> {
        let written = self.record().await;
        // Closing the connection frees the memory of so large a transaction.
        let closed = self.connection.close().await;
        written.and(closed).map_err(DirectoryError::Seed)
    }

    async fn record(&mut self) -> Result<(), sqlx::Error> {
        if let Some(digest) = &self.digest {
            self.connection.execute("DELETE FROM applied").await?;
            sqlx::query("INSERT INTO applied (seed) VALUES (?)").bind(digest).execute(&mut self.connection).await?;
        }
        self.connection.execute(sqlx::raw_sql("COMMIT")).await.map(drop)
    }

    /// Undoes the changes; the accounts stay as they were.
    pub async fn abandon(self) {
        let _ = self.connection.close().await;
    }
}

/// Executes a seed slice by slice. Reading happens on another thread, since the text lies on a disk.
async fn execute(connection: &mut SqliteConnection, mut seed: Seed) -> Result<(), DirectoryError> {
    loop {
        let reading = tokio::task::spawn_blocking(move || {
            let slice = seed.slice();
            (seed, slice)
        });
        let (back, slice) = reading.await.map_err(|error| DirectoryError::SeedText(io::Error::other(error)))?;
        seed = back;
        let Some(slice) = slice.map_err(DirectoryError::SeedText)? else { return Ok(()) };
        // The text comes from the verified bundle.
        connection.execute(sqlx::raw_sql(AssertSqlSafe(slice))).await.map_err(DirectoryError::Seed)?;
    }
}

const PASSWORD: &str = "UPDATE accounts SET password = ?1 WHERE domain = ?2 AND local = ?3 AND removed IS NULL \
     AND password_owner = 'declared' AND password IS NOT ?1";

/// The number of octets of statements that are executed at once.
const SLICE: usize = 256 << 10;
/// The longest line in octets: one row with all its texts.
const LINE: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn slices(text: &str) -> io::Result<Vec<String>> {
        let mut seed = Seed { text: Box::new(Cursor::new(text.to_owned())), digest: String::new(), is_read: false };
        let mut found = Vec::new();
        while let Some(slice) = seed.slice()? {
            found.push(slice);
        }
        Ok(found)
    }

    #[test]
    fn a_seed_is_cut_between_statements_and_ends_at_its_commit() {
        let row = format!("('{}'),\n", "x".repeat(SLICE / 3));
        let insert = format!("INSERT INTO a VALUES\n-- four;\n{row}{row}{row}('y');\n");
        let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN\nSELECT 1;\nCOMMIT;\nEND;\n";
        let text = format!("BEGIN;\n{insert}{trigger}{insert}INSERT INTO a VALUES ('COMMIT;');\nCOMMIT;\n");
        let found = slices(&text).unwrap();
        assert_eq!(found.concat() + "COMMIT;\n", text);
        assert_eq!(found.len(), 3, "{:?}", found.iter().map(String::len).collect::<Vec<_>>());
        assert!(found.iter().all(|slice| slice.ends_with(";\n")));
        assert!(slices("COMMIT;\n").unwrap().is_empty());
        assert!(slices("BEGIN;\nINSERT INTO a VALUES (1);\n").is_err(), "it was cut off");
    }
}
