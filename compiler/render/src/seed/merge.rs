//! Statements that bring our tables in line with the site's rows and leave alone what people own. Run again, they
//! change no row. Knows nothing about the columns' values.

use std::fmt::Write;

use postkiln_blueprint::Blueprint;

use super::dialect::{Dialect, Value};
use super::rows::{self, Account, Alias, AliasDomain, Domain, Row};

/// Writes all statements in their order.
pub(super) fn write(dialect: Dialect, blueprint: &Blueprint, to: &mut String) {
    renames(dialect, blueprint, to);
    let merge = Merge { dialect, columns: site_columns::<Account<'_>>() };
    // Writing to a String cannot fail.
    let _ = write!(
        to,
        "\n-- Domains and alias domains: the site is the truth.\n{}{}\
         \n-- Addresses: of those the site declares it is the truth; others made on the node stay.\n{}\
         \n-- Gone from the site: no login and no delivery any more; row, mail and id stay.\n{}\
         \n-- Made on the node and declared now: the account is the site's, its password the person's.\n{}\
         \n-- A password while it is the site's, or when the site raised `password.reset`.\n{}{}\
         \n-- Still there: what the site declares.\n{}\
         \n-- New, or back after it was gone: a new account with a new id.\n{}\
         \nUPDATE meta SET value = {} WHERE name = 'generation' AND value < {};\n",
        merge.mirror::<Domain<'_>>(""),
        merge.mirror::<AliasDomain<'_>>(""),
        merge.aliases(),
        merge.gone(),
        merge.adopt(),
        merge.passwords(),
        merge.resets(),
        merge.declared(),
        merge.added(),
        blueprint.generation,
        blueprint.generation,
    );
}

/// Renames: an account keeps its id, its mail and its password. A name that another account has already stays with that
/// one. Users are looked up under the old and the new name of their domain.
fn renames(dialect: Dialect, blueprint: &Blueprint, to: &mut String) {
    let text = |text: &str| {
        let mut literal = String::new();
        dialect.literal(Value::Text(text), &mut literal);
        literal
    };
    let users: String = rows::moved_users(blueprint)
        .map(|((old_domain, old), (domain, local))| {
            let (old_domain, old, domain, local) = (text(old_domain), text(old), text(domain), text(local));
            format!(
                "UPDATE accounts SET domain = {domain}, local = {local}\n\
                 WHERE domain = {old_domain} AND local = {old} AND removed IS NULL AND owner = 'declared'\n    \
                 AND {domain} NOT IN {};\n",
                taken("domain", "accounts", &format!("a.local = {local} AND a.removed IS NULL"))
            )
        })
        .collect();
    let mut domains = String::new();
    for (from, name) in rows::moved_domains(blueprint) {
        let (from, name) = (text(from), text(name));
        // Writing to a String cannot fail.
        let _ = write!(
            domains,
            "UPDATE accounts SET domain = {name}\nWHERE domain = {from} AND removed IS NULL\n    AND local NOT IN {};\n\
             UPDATE aliases SET domain = {name}\nWHERE domain = {from} AND owner = 'runtime'\n    AND local NOT IN {};\n",
            taken("local", "accounts", &format!("a.domain = {name} AND a.removed IS NULL")),
            taken("local", "aliases", &format!("a.domain = {name}")),
        );
    }
    let again = if domains.is_empty() { "" } else { users.as_str() };
    if !(users.is_empty() && domains.is_empty()) {
        let _ = write!(to, "\n-- Renamed: id, mail and password stay.\n{users}{domains}{again}");
    }
}

/// A condition on rows of the table that is being changed. MySQL lets a statement read that table only through a table
/// of its own, which DISTINCT makes.
fn taken(column: &str, table: &str, condition: &str) -> String {
    format!("(SELECT taken.{column} FROM (SELECT DISTINCT a.{column} FROM {table} AS a WHERE {condition}) AS taken)")
}

struct Merge {
    dialect: Dialect,
    /// Columns of an account that the site alone decides.
    columns: Vec<&'static str>,
}

impl Merge {
    /// Statements for a table that the site alone fills. `owned` narrows the rows that are removed.
    fn mirror<R: Row>(&self, owned: &str) -> String {
        let (table, key, columns) = (R::TABLE, key::<R>(), site_columns::<R>());
        let same = on(table, &key);
        let all = [key.clone(), columns.clone()].concat().join(", ");
        let delete =
            format!("DELETE FROM {table} WHERE {owned}NOT EXISTS (SELECT 1 FROM seed_{table} AS s WHERE {same});\n");
        let upsert = if self.dialect == Dialect::Mysql {
            let set = list(&columns, |column| format!("{column} = VALUES({column})"));
            format!("INSERT INTO {table} ({all}) SELECT {all} FROM seed_{table}\n    ON DUPLICATE KEY UPDATE {set};\n")
        } else {
            let set = list(&columns, |column| format!("{column} = excluded.{column}"));
            let differ = self.differ(&columns, table, "excluded");
            // `WHERE true` tells SQLite that ON belongs to the INSERT.
            format!(
                "INSERT INTO {table} ({all}) SELECT {all} FROM seed_{table} WHERE true\n    \
                 ON CONFLICT ({}) DO UPDATE SET {set}\n    WHERE {differ};\n",
                key.join(", ")
            )
        };
        delete + &upsert
    }

    fn aliases(&self) -> String {
        let declared = "DELETE FROM aliases WHERE owner <> 'declared'\n    \
             AND EXISTS (SELECT 1 FROM seed_aliases AS s WHERE s.domain = aliases.domain AND s.local = aliases.local);\n";
        declared.to_owned() + &self.mirror::<Alias<'_>>("owner = 'declared' AND ")
    }

    fn gone(&self) -> String {
        format!(
            "UPDATE accounts SET enabled = 0, removed = {}\nWHERE owner = 'declared' AND removed IS NULL\n    \
             AND NOT EXISTS (SELECT 1 FROM seed_accounts AS s WHERE {});\n",
            self.dialect.now(),
            on("accounts", &key::<Account<'_>>()),
        )
    }

    fn adopt(&self) -> String {
        self.update(&[("owner", "'declared'"), ("password_owner", "'own'")], "accounts.owner = 'runtime'")
    }

    fn passwords(&self) -> String {
        let differ = self.dialect.differ("accounts.password", "s.password");
        self.update(
            &[("password", "s.password")],
            &format!(
                "(accounts.password_owner = 'declared' OR s.password_reset > accounts.password_reset) AND {differ}"
            ),
        )
    }

    fn resets(&self) -> String {
        self.update(
            &[("password_owner", "'declared'"), ("password_reset", "s.password_reset")],
            "s.password_reset > accounts.password_reset",
        )
    }

    fn declared(&self) -> String {
        let values: Vec<String> = self.columns.iter().map(|column| format!("s.{column}")).collect();
        let set: Vec<(&str, &str)> = self.columns.iter().copied().zip(values.iter().map(String::as_str)).collect();
        self.update(&set, &format!("({})", self.differ(&self.columns, "accounts", "s")))
    }

    /// Changes the accounts that the site declares. No value uses a column that the same statement sets: MariaDB does
    /// not say which is computed first.
    fn update(&self, set: &[(&str, &str)], condition: &str) -> String {
        let same = on("accounts", &key::<Account<'_>>());
        let set = |table: &str| {
            set.iter().map(|(column, value)| format!("{table}{column} = {value}")).collect::<Vec<_>>().join(", ")
        };
        if self.dialect == Dialect::Mysql {
            let set = set("accounts.");
            return format!(
                "UPDATE accounts JOIN seed_accounts AS s ON {same} AND accounts.removed IS NULL\nSET {set}\nWHERE {condition};\n"
            );
        }
        let set = set("");
        format!(
            "UPDATE accounts SET {set}\nFROM seed_accounts AS s\nWHERE {same} AND accounts.removed IS NULL\n    AND {condition};\n"
        )
    }

    fn added(&self) -> String {
        let columns = [key::<Account<'_>>(), vec!["password", "password_reset"], self.columns.clone()].concat();
        format!(
            "INSERT INTO accounts (id, home, created, {})\nSELECT {}, s.domain, {}, {}\nFROM seed_accounts AS s\n\
             WHERE NOT EXISTS (SELECT 1 FROM accounts AS a WHERE {} AND a.removed IS NULL);\n",
            columns.join(", "),
            self.dialect.new_id(),
            self.dialect.now(),
            list(&columns, |column| format!("s.{column}")),
            on("a", &key::<Account<'_>>()),
        )
    }

    fn differ(&self, columns: &[&str], one: &str, other: &str) -> String {
        let pairs =
            columns.iter().map(|column| self.dialect.differ(&format!("{one}.{column}"), &format!("{other}.{column}")));
        pairs.collect::<Vec<_>>().join(" OR ")
    }
}

fn key<R: Row>() -> Vec<&'static str> {
    R::columns().iter().take(R::KEY).map(|(name, _)| *name).collect()
}

/// The columns beside the key that the site alone decides; passwords have statements of their own.
fn site_columns<R: Row>() -> Vec<&'static str> {
    let names = R::columns().into_iter().skip(R::KEY).map(|(name, _)| name);
    names.filter(|name| !matches!(*name, "password" | "password_reset")).collect()
}

fn on(table: &str, key: &[&str]) -> String {
    key.iter().map(|column| format!("s.{column} = {table}.{column}")).collect::<Vec<_>>().join(" AND ")
}

fn list(columns: &[&str], print: impl Fn(&str) -> String) -> String {
    columns.iter().map(|column| print(column)).collect::<Vec<_>>().join(", ")
}
