//! The seeds of the user database, one for each dialect; `schemas/database/README.md` says what they may change.
//!
//! A seed is text for the database's own client: tables, vpopmail's views, then one transaction: the site's rows into
//! temporary tables, a refusal when the database is newer, and set-based statements that bring the tables in line. Knows
//! nothing about files of the bundle. Start at [`scripts`]; a new column of the site is one line in [`rows`].

mod dialect;
mod merge;
mod rows;
mod staging;

use std::collections::BTreeMap;

use postkiln_blueprint::{Blueprint, Cause};

use staging::Filling;

pub(crate) use dialect::Dialect;

/// The version of the tables this seed was made for (`meta.schema`).
const SCHEMA: u32 = 2;

/// Makes the seed of each dialect and hands it to `take`. Length and time grow with the number of rows.
pub(crate) fn scripts<T>(blueprint: &Blueprint, take: impl Fn(Dialect, String) -> T) -> [T; 3] {
    // Nearly all of a large site's seed is the same in every dialect.
    let mut filling = Filling::new(Dialect::Sqlite, blueprint);
    Dialect::ALL.map(|dialect| {
        if !filling.is_for(dialect) {
            filling = Filling::new(dialect, blueprint);
        }
        take(dialect, script(dialect, blueprint, &filling))
    })
}

/// The things that lines of a seed are about, counted from 0.
pub(crate) fn causes(dialect: Dialect, blueprint: &Blueprint) -> BTreeMap<usize, Cause> {
    let filling = Filling::new(dialect, blueprint);
    staging::causes(blueprint, &filling, &script(dialect, blueprint, &filling))
}

fn script(dialect: Dialect, blueprint: &Blueprint, filling: &Filling) -> String {
    let mut text = String::with_capacity(filling.len() + AROUND);
    text.push_str(HEAD);
    text.push_str(dialect.prologue());
    let refusal = dialect.refusal(SCHEMA, blueprint.generation);
    let definitions = [dialect.tables(), dialect.views()];
    match dialect {
        // The transaction is one statement, refused or done as a whole, because SQLite's shell goes on after errors.
        Dialect::Sqlite => {
            definitions.iter().for_each(|part| text.push_str(part));
            text.push_str("\nBEGIN IMMEDIATE;\n");
            staging::write(dialect, filling, &mut text);
            text.push_str("CREATE TEMP TABLE seed_apply (generation INTEGER);\n");
            text.push_str("CREATE TEMP TRIGGER seed_applied AFTER INSERT ON seed_apply BEGIN\n");
            text.push_str(&refusal);
            merge::write(dialect, blueprint, &mut text);
            text.push_str("END;\nINSERT INTO temp.seed_apply VALUES (0);\nDROP TABLE temp.seed_apply;\n");
        }
        // Definitions end a transaction in MariaDB, so those of a newer database stay as they are.
        Dialect::Mysql => {
            definitions.iter().for_each(|part| text.push_str(part));
            text.push_str("\nSTART TRANSACTION;\n");
            text.push_str(&refusal);
            staging::write(dialect, filling, &mut text);
            merge::write(dialect, blueprint, &mut text);
        }
        Dialect::Postgres => {
            text.push_str(&refusal);
            definitions.iter().for_each(|part| text.push_str(part));
            staging::write(dialect, filling, &mut text);
            merge::write(dialect, blueprint, &mut text);
        }
    }
    staging::drop(dialect, &mut text);
    text.push_str("COMMIT;\n");
    text
}

/// The approximate number of octets of a seed besides its rows.
const AROUND: usize = 32 << 10;
const HEAD: &str = "-- Made by postkiln from the site. Confidential: holds password hashes. May be run again; see the manual on ownership.\n";
