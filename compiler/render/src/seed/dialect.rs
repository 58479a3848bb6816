//! The differences between SQLite, MariaDB and MySQL, and PostgreSQL. Knows no column.

use std::fmt::Write;

/// The SQL dialect of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The dialect of SQLite 3.38 or newer.
    Sqlite,
    /// The dialect of MariaDB 10.11, MySQL 8.0.17, or newer: only features that both have.
    Mysql,
    /// The dialect of PostgreSQL 15 or newer.
    Postgres,
}

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// No value: NULL.
    Null,
    /// A count or a size; a number beyond the database's range is written as the largest one.
    Number(u64),
    /// Any text, quoted as the dialect needs it.
    Text(&'a str),
}

impl Dialect {
    /// Every dialect, in the order in which seeds are made.
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Mysql, Self::Postgres];

    /// The seed's file name below `seeds/`.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite.sql",
            Self::Mysql => "mysql.sql",
            Self::Postgres => "postgres.sql",
        }
    }

    pub(super) const fn tables(self) -> &'static str {
        match self {
            Self::Sqlite => include_str!("../../../../schemas/database/tables.sqlite.sql"),
            Self::Mysql => include_str!("../../../../schemas/database/tables.mysql.sql"),
            Self::Postgres => include_str!("../../../../schemas/database/tables.postgres.sql"),
        }
    }

    pub(super) const fn views(self) -> &'static str {
        match self {
            Self::Sqlite => include_str!("../../../../schemas/database/views.sqlite.sql"),
            Self::Mysql => include_str!("../../../../schemas/database/views.mysql.sql"),
            Self::Postgres => include_str!("../../../../schemas/database/views.postgres.sql"),
        }
    }

    /// Settings of the session that the following statements rely on.
    pub(super) const fn prologue(self) -> &'static str {
        match self {
            // The seed is applied where only the database file itself may be written.
            Self::Sqlite => "PRAGMA temp_store = MEMORY;\n",
            Self::Mysql => {
                "SET NAMES utf8mb4;\n\
                 SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';\n"
            }
            // The lock lets one seed in at a time; its number is used by nobody else.
            Self::Postgres => {
                "BEGIN;\n\
                 SET LOCAL client_min_messages = warning;\n\
                 SET LOCAL client_encoding = 'UTF8';\n\
                 SET LOCAL standard_conforming_strings = on;\n\
                 DO $$ BEGIN PERFORM pg_advisory_xact_lock(7867651128352272); END $$;\n"
            }
        }
    }

    /// A statement that stops the seed, with nothing changed, when the database has other tables or a newer generation.
    pub(super) fn refusal(self, schema: u32, generation: u64) -> String {
        let tables = format!("this seed is for version {schema} of the tables and the database has another");
        let newer = format!("the database is of a newer generation than this seed, which has {generation}");
        match self {
            Self::Sqlite => format!(
                "SELECT raise(ABORT, '{tables}') FROM meta WHERE name = 'schema' AND value <> {schema};\n\
                 SELECT raise(ABORT, '{newer}') FROM meta WHERE name = 'generation' AND value > {generation};\n"
            ),
            // The update that changes nothing takes the row's lock: one seed at a time. A row that its table may not
            // hold stops the seed, since MySQL raises errors in stored programs only; the constraint's name, of at most
            // 64 letters, says why.
            Self::Mysql => format!(
                "UPDATE meta SET value = value WHERE name = 'generation';\n\
                 DROP TEMPORARY TABLE IF EXISTS seed_refusal;\n\
                 CREATE TEMPORARY TABLE seed_refusal (\n    \
                     name VARCHAR(32), value BIGINT,\n    \
                     CONSTRAINT `this seed is for version {schema} of the tables, the database is not`\n        \
                         CHECK (name <> 'schema' OR value = {schema}),\n    \
                     CONSTRAINT `the database is of a newer generation than this seed`\n        \
                         CHECK (name <> 'generation' OR value <= {generation})\n\
                 );\n\
                 INSERT INTO seed_refusal (name, value) SELECT name, value FROM meta;\n\
                 DROP TEMPORARY TABLE seed_refusal;\n"
            ),
            Self::Postgres => format!(
                "DO $$ BEGIN\n    \
                 IF to_regclass('meta') IS NOT NULL THEN\n        \
                 IF (SELECT value FROM meta WHERE name = 'schema') <> {schema} THEN RAISE EXCEPTION '{tables}'; END IF;\n        \
                 IF (SELECT value FROM meta WHERE name = 'generation') > {generation} THEN RAISE EXCEPTION '{newer}'; END IF;\n    \
                 END IF;\nEND $$;\n"
            ),
        }
    }

    /// An expression for the current time in Unix seconds.
    pub(super) const fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "unixepoch()",
            Self::Mysql => "unix_timestamp()",
            Self::Postgres => "extract(epoch FROM now())::bigint",
        }
    }

    /// An expression for a new id: sixteen random hexadecimal digits. The first four and the last twelve of a UUID's 32
    /// digits are random.
    pub(super) const fn new_id(self) -> &'static str {
        match self {
            Self::Sqlite => "lower(hex(randomblob(8)))",
            Self::Mysql => "lower(hex(random_bytes(8)))",
            Self::Postgres => "right(gen_random_uuid()::text, 12) || left(gen_random_uuid()::text, 4)",
        }
    }

    /// A condition that two values differ, where NULL is a value like others.
    pub(super) fn differ(self, one: &str, two: &str) -> String {
        match self {
            Self::Sqlite => format!("{one} IS NOT {two}"),
            Self::Mysql => format!("NOT ({one} <=> {two})"),
            Self::Postgres => format!("{one} IS DISTINCT FROM {two}"),
        }
    }

    /// Appends a literal. Text stands between quotes as it is, unless it holds control characters or, for MariaDB,
    /// backslashes; such text is written in hexadecimal digits, which every client and every setting reads alike. True
    /// when every dialect writes this value in the same way.
    pub(super) fn literal(self, value: Value<'_>, to: &mut String) -> bool {
        let text = match value {
            Value::Null => {
                to.push_str("NULL");
                return true;
            }
            Value::Number(value) => {
                number(value, to);
                return true;
            }
            Value::Text(text) => text,
        };
        // Nearly every text passes this test; it has no early end, so that many bytes are looked at together.
        let is_bare = |byte: u8| matches!(byte, b' '..=b'~') & !matches!(byte, b'\'' | b'\\');
        if text.bytes().fold(true, |bare, byte| bare & is_bare(byte)) {
            to.push('\'');
            to.push_str(text);
            to.push('\'');
            return true;
        }
        let has_backslash = text.contains('\\');
        if !(text.contains(char::is_control) || has_backslash && self == Self::Mysql) {
            to.push('\'');
            for (at, piece) in text.split('\'').enumerate() {
                to.push_str(if at == 0 { "" } else { "''" });
                to.push_str(piece);
            }
            to.push('\'');
            return !has_backslash;
        }
        let (before, after) = match self {
            Self::Sqlite => ("CAST(X'", "' AS TEXT)"),
            Self::Mysql => ("_utf8mb4 X'", "'"),
            Self::Postgres => ("convert_from('\\x", "', 'UTF8')"),
        };
        to.push_str(before);
        // PostgreSQL's text cannot hold NUL, so it is left out.
        for byte in text.bytes().filter(|byte| *byte != 0 || self != Self::Postgres) {
            // Writing to a String cannot fail.
            let _ = write!(to, "{byte:02x}");
        }
        to.push_str(after);
        false
    }
}

/// Appends a number; the databases' widest integer is signed.
fn number(value: u64, to: &mut String) {
    match u8::try_from(value) {
        // This fast path is for flags.
        Ok(digit @ 0..=9) => to.push(char::from(b'0' + digit)),
        // Writing to a String cannot fail.
        _ => drop(write!(to, "{}", value.min(i64::MAX.cast_unsigned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_as_they_were_meant() {
        let check = |value: Value<'_>, expected: [&str; 3]| {
            let all_equal = expected.iter().all(|one| *one == expected[0]);
            for (dialect, expected) in Dialect::ALL.into_iter().zip(expected) {
                let mut text = String::new();
                let is_common = dialect.literal(value, &mut text);
                assert_eq!(text, expected, "{dialect:?} {value:?}");
                assert_eq!(is_common, all_equal, "{dialect:?} {value:?}");
            }
        };
        check(Value::Null, ["NULL"; 3]);
        check(Value::Number(u64::MAX), ["9223372036854775807"; 3]);
        check(Value::Text(""), ["''"; 3]);
        check(Value::Text("O'Hara''; --"), ["'O''Hara''''; --'"; 3]);
        check(Value::Text("λ🙂"), ["'λ🙂'"; 3]);
        check(Value::Text("\\'"), ["'\\'''", "_utf8mb4 X'5c27'", "'\\'''"]);
        check(
            Value::Text("a\0\n"),
            ["CAST(X'61000a' AS TEXT)", "_utf8mb4 X'61000a'", "convert_from('\\x610a', 'UTF8')"],
        );
    }
}
