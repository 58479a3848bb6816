//! [`Site`]: a small site, compiled by `postkiln`, and its seeds.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{Database, Engine, binary, finish, repository};

/// The seeds of a site, one for each dialect.
pub(crate) struct Site([String; 3]);

impl Site {
    /// A site whose domain example.org has these users (Nickel fields); `ada` is the postmaster.
    pub(crate) fn of(users: &str) -> Self {
        Self::with(users, "")
    }

    /// A site with these users and further fields of the site.
    pub(crate) fn with(users: &str, more: &str) -> Self {
        Self::compiled(&format!("domains.\"example.org\" = {{ postmaster = \"ada\", users = {{ {users} }} }}, {more}"))
    }

    /// A site of these fields beside the appliance.
    pub(crate) fn compiled(fields: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let appliance = "appliance = { hostname = \"mail.example.org\", network = 'dhcp }";
        let text = format!("let pk = import \"postkiln/site.ncl\" in\n{{ {appliance}, {fields} }} | pk.Site\n");
        fs::write(folder.path().join("site.ncl"), text).unwrap();
        Self::at(folder.path())
    }

    /// The seeds of `examples/<name>`.
    pub(crate) fn example(name: &str) -> Self {
        Self::at(&repository().join("examples").join(name))
    }

    fn at(site: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("bundle");
        let mut compile = Command::new(binary("postkiln"));
        let _ = finish(compile.arg("compile").arg(site).arg("-o").arg(&bundle), Duration::from_secs(120)).success();
        Self(
            ["sqlite", "mysql", "postgres"]
                .map(|name| fs::read_to_string(bundle.join(format!("seeds/{name}.sql"))).unwrap()),
        )
    }

    /// The seed for this database.
    pub(crate) fn seed(&self, database: &Database) -> &str {
        let [sqlite, mysql, postgres] = &self.0;
        match database.engine() {
            Engine::Sqlite => sqlite,
            Engine::Mariadb => mysql,
            Engine::Postgres => postgres,
        }
    }
}

/// A hash of the right form, made of one repeated letter.
pub(crate) fn hash(letter: char) -> String {
    format!("$6$salt${}", letter.to_string().repeat(86))
}

/// A Nickel field `ada = { … }` with a password.
pub(crate) fn user(name: &str, password: char) -> String {
    format!(
        "{name} = {{ name = \"{name} of example.org\", quota = \"1 GiB\", password.hash = \"{}\" }}, ",
        hash(password)
    )
}

/// The content of all our tables.
pub(crate) fn dump(database: &Database) -> String {
    let tables = [
        ("meta", "1"),
        ("domains", "1"),
        ("alias_domains", "1"),
        ("accounts", "1"),
        ("aliases", "1, 2, 3"),
        ("logins", "1"),
    ];
    tables.map(|(table, order)| database.done(&format!("SELECT * FROM {table} ORDER BY {order};"))).join("\n")
}

/// All users with the columns that a seed may or may not change; a password's one letter stands for all of it.
pub(crate) fn accounts(database: &Database) -> String {
    database.done(
        "SELECT local, coalesce(substr(password, 9, 1), '-'), password_owner, owner, enabled, CASE WHEN removed IS NULL THEN 'here' ELSE 'gone' END \
         FROM accounts ORDER BY local, created, enabled;",
    )
}
