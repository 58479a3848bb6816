//! The seeds of the user database, one for each dialect; `schemas/database/README.md` says what they may change.
//!
//! A seed is text for the database's own client: tables, vpopmail's views, then one transaction: the site's rows into
//! temporary tables, a refusal when the database is newer, and set-based statements that bring the tables in line.
//! Knows nothing about files of the bundle. Start at [`scripts`]; a new column of the site is one line in [`rows`].

mod dialect;
mod merge;
mod rows;
mod staging;

use std::borrow::Cow;
use std::collections::BTreeMap;

use postkiln_blueprint::{Blueprint, Cause};

use staging::Filling;

pub(crate) use dialect::Dialect;

/// The version of the tables this seed was made for (`meta.schema`).
const SCHEMA: u32 = 2;

/// Makes the seed of each dialect and hands its parts to `take`. Length and time grow with the number of rows.
pub(crate) fn scripts<T>(blueprint: &Blueprint, take: impl Fn(Dialect, &[&[u8]]) -> T) -> [T; 3] {
    // Nearly all of a large site's seed is the same in every dialect.
    let mut filling = Filling::new(Dialect::Sqlite, blueprint);
    Dialect::ALL.map(|dialect| {
        if !filling.is_for(dialect) {
            filling = Filling::new(dialect, blueprint);
        }
        let script = script(dialect, blueprint, &filling);
        take(dialect, &script.octets())
    })
}

/// The things that lines of a seed are about, counted from 0.
pub(crate) fn causes(dialect: Dialect, blueprint: &Blueprint) -> BTreeMap<usize, Cause> {
    let filling = Filling::new(dialect, blueprint);
    staging::causes(blueprint, &filling, &script(dialect, blueprint, &filling).whole())
}

/// A seed in parts: the rows of tables stay where they are, since there may be 30 MB of them.
#[derive(Default)]
pub(super) struct Script<'a> {
    parts: Vec<Cow<'a, str>>,
    /// The text after the last rows.
    text: String,
}

impl<'a> Script<'a> {
    /// Adds the rows of a table.
    fn rows(&mut self, rows: &'a str) {
        self.parts.push(Cow::Owned(std::mem::take(&mut self.text)));
        self.parts.push(Cow::Borrowed(rows));
    }

    /// All parts in one text.
    fn whole(&self) -> String {
        self.parts.concat() + &self.text
    }

    /// The octets of all parts in order.
    fn octets(&self) -> Vec<&[u8]> {
        self.parts.iter().map(|part| part.as_bytes()).chain([self.text.as_bytes()]).collect()
    }
}

fn script<'a>(dialect: Dialect, blueprint: &Blueprint, filling: &'a Filling) -> Script<'a> {
    let mut script = Script { text: HEAD.to_owned(), ..Script::default() };
    let text = &mut script.text;
    text.push_str(dialect.prologue());
    let refusal = dialect.refusal(SCHEMA, blueprint.generation);
    let definitions = [dialect.tables(), dialect.views()].concat();
    match dialect {
        // The transaction is one statement, refused or done as a whole, because SQLite's shell goes on after errors.
        Dialect::Sqlite => {
            text.push_str(&definitions);
            text.push_str("\nBEGIN IMMEDIATE;\n");
            staging::write(dialect, filling, &mut script);
            let text = &mut script.text;
            text.push_str("CREATE TEMP TABLE seed_apply (generation INTEGER);\n");
            text.push_str("CREATE TEMP TRIGGER seed_applied AFTER INSERT ON seed_apply BEGIN\n");
            text.push_str(&refusal);
            merge::write(dialect, blueprint, text);
            text.push_str("END;\nINSERT INTO temp.seed_apply VALUES (0);\nDROP TABLE temp.seed_apply;\n");
        }
        // Definitions end a transaction in MariaDB, so those of a newer database stay as they are.
        Dialect::Mysql => {
            text.push_str(&definitions);
            text.push_str("\nSTART TRANSACTION;\n");
            text.push_str(&refusal);
            staging::write(dialect, filling, &mut script);
            merge::write(dialect, blueprint, &mut script.text);
        }
        Dialect::Postgres => {
            text.push_str(&refusal);
            text.push_str(&definitions);
            staging::write(dialect, filling, &mut script);
            merge::write(dialect, blueprint, &mut script.text);
        }
    }
    staging::drop(dialect, &mut script.text);
    script.text.push_str("COMMIT;\n");
    script
}

const HEAD: &str = "-- Made by postkiln from the site. Confidential: holds password hashes. May be run again; see the manual on ownership.\n";
