//! The seed of the user database; `schemas/database/README.md` tells what it may change.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use postkiln_blueprint::{MailDomain, Password, User};

/// A script for SQLite: the tables, then one transaction that brings the accounts in line.
pub(crate) fn sqlite<D: Display>(domains: &BTreeMap<D, MailDomain>) -> String {
    let mut rows = Vec::new();
    for (domain, mail) in domains {
        rows.extend(mail.users.iter().map(|(local, user)| row(domain, local.as_str(), user)));
    }
    let mut script = format!("{HEAD}{TABLES}\n{BEGIN}");
    // Many rows in one statement load five times as fast; SQLite's limit for one is 1,000,000 octets of text.
    for rows in rows.chunks(500) {
        // Writing to a String cannot fail.
        let _ = write!(script, "INSERT INTO temp.seed VALUES\n{};\n", rows.join(",\n"));
    }
    script + RECONCILE
}

fn row(domain: &impl Display, local: &str, user: &User) -> String {
    let quota = user.quota.map_or("NULL".to_owned(), |quota| quota.min(i64::MAX as u64).to_string());
    let password = match &user.password {
        Password::Hash { hash, .. } => quoted(hash),
        Password::None | Password::Secret(_) => "NULL".to_owned(),
    };
    format!("({}, {}, {}, {quota}, {password})", quoted(&domain.to_string()), quoted(local), quoted(&user.name))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const TABLES: &str = include_str!("../../../schemas/database/0001-accounts.sqlite.sql");

const HEAD: &str = "-- Made by postkiln from the site. Confidential: holds password hashes. May be run again: see the site's manual on ownership.
PRAGMA temp_store = MEMORY;
";

const BEGIN: &str = "BEGIN IMMEDIATE;
CREATE TEMP TABLE seed (
    domain TEXT NOT NULL, local TEXT NOT NULL, name TEXT NOT NULL, quota INTEGER, password TEXT,
    PRIMARY KEY (domain, local)
) WITHOUT ROWID;
";

const RECONCILE: &str = "
-- Gone from the site: no login and no delivery any more; row, mail and id stay.
UPDATE accounts SET enabled = 0, removed = unixepoch()
WHERE owner = 'declared' AND removed IS NULL
    AND NOT EXISTS (SELECT 1 FROM temp.seed AS s WHERE s.domain = accounts.domain AND s.local = accounts.local);

-- Still there: what the site declares; a password only while it is the site's.
UPDATE accounts SET
    name = s.name,
    quota = s.quota,
    password = CASE WHEN accounts.owner = 'declared' AND accounts.password_owner = 'declared'
        THEN s.password ELSE accounts.password END,
    password_owner = CASE WHEN accounts.owner = 'declared' THEN accounts.password_owner ELSE 'own' END,
    owner = 'declared'
FROM temp.seed AS s
WHERE accounts.domain = s.domain AND accounts.local = s.local AND accounts.removed IS NULL
    AND (accounts.name IS NOT s.name OR accounts.quota IS NOT s.quota OR accounts.owner <> 'declared'
        OR (accounts.password_owner = 'declared' AND accounts.password IS NOT s.password));

-- New, or back after it was gone: a new account with a new id.
INSERT INTO accounts (id, domain, local, name, quota, password, created)
SELECT lower(hex(randomblob(8))), s.domain, s.local, s.name, s.quota, s.password, unixepoch()
FROM temp.seed AS s
WHERE NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.domain = s.domain AND a.local = s.local AND a.removed IS NULL);

DROP TABLE temp.seed;
COMMIT;
";
