//! The site's rows, in temporary tables beside ours. Knows nothing about what becomes of them.

use postkiln_blueprint::{Blueprint, Instructions};

use super::dialect::Dialect;
use super::rows::{self, Row};

/// Makes and fills all of them.
pub(super) fn write(dialect: Dialect, blueprint: &Blueprint, instructions: &Instructions<'_>, to: &mut String) {
    to.push('\n');
    table(dialect, rows::domains(blueprint), to);
    table(dialect, rows::alias_domains(blueprint), to);
    table(dialect, rows::accounts(blueprint), to);
    table(dialect, rows::aliases(instructions), to);
}

/// Takes them away, for connections that go on.
pub(super) fn drop(dialect: Dialect, to: &mut String) {
    let word = match dialect {
        Dialect::Sqlite => "TABLE temp.",
        Dialect::Mysql => "TEMPORARY TABLE ",
        // ON COMMIT DROP.
        Dialect::Postgres => return,
    };
    for table in ["domains", "alias_domains", "accounts", "aliases"] {
        to.push_str(&format!("DROP {word}seed_{table};\n"));
    }
}

fn table<R: Row>(dialect: Dialect, rows: impl Iterator<Item = R>, to: &mut String) {
    let columns = R::columns();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let (table, key, names) =
        (R::TABLE, names.iter().take(R::KEY).copied().collect::<Vec<_>>().join(", "), names.join(", "));
    // Types are those of our table.
    let types = format!("SELECT {names} FROM {table} LIMIT 0");
    let (create, index) = match dialect {
        Dialect::Sqlite => (
            format!("CREATE TEMP TABLE seed_{table} AS {types};\n"),
            format!("CREATE UNIQUE INDEX temp.seed_{table}_key ON seed_{table} ({key});\n"),
        ),
        Dialect::Mysql => (
            format!(
                "DROP TEMPORARY TABLE IF EXISTS seed_{table};\n\
                 CREATE TEMPORARY TABLE seed_{table} (PRIMARY KEY ({key})) AS {types};\n"
            ),
            String::new(),
        ),
        Dialect::Postgres => (
            format!("CREATE TEMP TABLE seed_{table} ON COMMIT DROP AS {types};\n"),
            format!("CREATE UNIQUE INDEX ON seed_{table} ({key});\nANALYZE seed_{table};\n"),
        ),
    };
    to.push_str(&create);
    let begin = format!("INSERT INTO seed_{table} ({names}) VALUES\n");
    // Many rows in one statement load several times as fast; servers limit a statement's length to some megabytes.
    let mut fresh = None;
    for row in rows {
        match fresh {
            Some((count, start)) if count < ROWS && to.len() - start < LENGTH => {
                to.push_str(",\n");
                fresh = Some((count + 1, start));
            }
            previous => {
                to.push_str(if previous.is_some() { ";\n" } else { "" });
                fresh = Some((1, to.len()));
                to.push_str(&begin);
            }
        }
        for (at, (_, value)) in columns.iter().enumerate() {
            to.push_str(if at == 0 { "(" } else { ", " });
            dialect.literal(value(&row), to);
        }
        to.push(')');
    }
    to.push_str(if fresh.is_some() { ";\n" } else { "" });
    to.push_str(&index);
}

/// Rows of one statement, at most.
const ROWS: usize = 500;
/// Octets of one statement, but for its last row.
const LENGTH: usize = 256 << 10;
