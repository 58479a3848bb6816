//! The site's rows in temporary tables beside ours. Knows nothing about their later use.

use std::collections::BTreeMap;

use postkiln_blueprint::{Blueprint, Cause};

use super::Script;
use super::dialect::Dialect;
use super::rows::{self, Account, Alias, AliasDomain, Domain, Row};

/// The statements that fill each table.
pub(super) struct Filling {
    dialect: Dialect,
    domains: String,
    alias_domains: String,
    accounts: String,
    aliases: String,
    /// Whether the statements are the same in every dialect, as they nearly always are.
    is_common: bool,
}

impl Filling {
    pub(super) fn new(dialect: Dialect, blueprint: &Blueprint) -> Self {
        let mut is_common = true;
        Self {
            dialect,
            domains: inserts(dialect, rows::domains(blueprint), &mut is_common),
            alias_domains: inserts(dialect, rows::alias_domains(blueprint), &mut is_common),
            accounts: inserts(dialect, rows::accounts(blueprint), &mut is_common),
            aliases: inserts(dialect, rows::aliases(blueprint), &mut is_common),
            is_common,
        }
    }

    /// Whether these statements can be used for that dialect too.
    pub(super) fn is_for(&self, dialect: Dialect) -> bool {
        self.is_common || self.dialect == dialect
    }
}

/// The things that rows are about, by their lines in `text`, a seed made from these statements.
pub(super) fn causes(blueprint: &Blueprint, filling: &Filling, text: &str) -> BTreeMap<usize, Cause> {
    let mut causes = BTreeMap::new();
    in_lines(rows::domains(blueprint), &filling.domains, text, &mut causes);
    in_lines(rows::alias_domains(blueprint), &filling.alias_domains, text, &mut causes);
    in_lines(rows::accounts(blueprint), &filling.accounts, text, &mut causes);
    in_lines(rows::aliases(blueprint), &filling.aliases, text, &mut causes);
    causes
}

/// Adds the rows of one table, which have a line each between those that begin a statement.
fn in_lines<R: Row>(mut rows: impl Iterator<Item = R>, inserts: &str, text: &str, causes: &mut BTreeMap<usize, Cause>) {
    let Some(before) = text.find(inserts).and_then(|at| text.get(..at)) else { return };
    for (line, _) in (before.lines().count()..).zip(inserts.lines()).filter(|(_, line)| line.starts_with('(')) {
        causes.extend(rows.next().map(|row| (line, row.cause())));
    }
}

/// Writes the statements that make and fill all temporary tables.
pub(super) fn write<'a>(dialect: Dialect, filling: &'a Filling, to: &mut Script<'a>) {
    to.text.push('\n');
    table::<Domain<'_>>(dialect, &filling.domains, to);
    table::<AliasDomain<'_>>(dialect, &filling.alias_domains, to);
    table::<Account<'_>>(dialect, &filling.accounts, to);
    table::<Alias<'_>>(dialect, &filling.aliases, to);
}

/// Writes the statements that drop the temporary tables, for connections that go on.
pub(super) fn drop(dialect: Dialect, to: &mut String) {
    let word = match dialect {
        Dialect::Sqlite => "TABLE temp.",
        Dialect::Mysql => "TEMPORARY TABLE ",
        // PostgreSQL drops them by itself: ON COMMIT DROP.
        Dialect::Postgres => return,
    };
    for table in ["domains", "alias_domains", "accounts", "aliases"] {
        to.push_str(&format!("DROP {word}seed_{table};\n"));
    }
}

fn table<'a, R: Row>(dialect: Dialect, inserts: &'a str, to: &mut Script<'a>) {
    let columns = R::columns();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let (table, key, names) =
        (R::TABLE, names.iter().take(R::KEY).copied().collect::<Vec<_>>().join(", "), names.join(", "));
    // The columns' types are those of our table.
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
    to.text.push_str(&create);
    to.rows(inserts);
    to.text.push_str(&index);
}

/// The statements that insert the rows; `is_common` becomes false when another dialect would write one of them
/// differently.
fn inserts<R: Row>(dialect: Dialect, rows: impl Iterator<Item = R>, is_common: &mut bool) -> String {
    let columns = R::columns();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let begin = format!("INSERT INTO seed_{} ({}) VALUES\n", R::TABLE, names.join(", "));
    let mut to = String::new();
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
            *is_common &= dialect.literal(value(&row), &mut to);
        }
        to.push(')');
    }
    to.push_str(if fresh.is_some() { ";\n" } else { "" });
    to
}

/// The largest number of rows in one statement.
const ROWS: usize = 500;
/// The largest length of one statement in octets, not counting its last row.
const LENGTH: usize = 256 << 10;
