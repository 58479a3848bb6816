//! `storage`: the database of accounts, and the place of mail.

use postkiln_address::{AddressError, Domain};

use crate::answer::Value;
use crate::decode::meant::Name;
use crate::decode::walker::{At, Walker};
use crate::{Database, DatabaseHost, DatabaseServer, MailPlace, Placed, Storage};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Storage> {
    let fields = walker.fields(at, "storage", &["database", "mail"])?;
    let database = fields.defaulted("database").and_then(|at| database(walker, &at));
    let mail = fields.defaulted("mail").and_then(|at| mail(walker, &at));
    Some(Storage { database: database?, mail: mail? })
}

fn database(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Database>> {
    let server = |inner, port| server(walker, &walker.inside(at, inner), port);
    let found = match &at.node.value {
        Value::Tag(tag, None) if tag == "sqlite" => Database::Sqlite,
        Value::Tag(tag, Some(inner)) if tag == "mariadb" => Database::Mariadb(server(inner, 3306)?),
        Value::Tag(tag, Some(inner)) if tag == "postgresql" => Database::Postgresql(server(inner, 5432)?),
        Value::Tag(tag, None) if tag == "mariadb" || tag == "postgresql" => {
            let hint = format!("write '{tag} {{ host = \"db.example.org\", password.secret = \"database\" }}");
            walker.mistyped(at, &format!("a record after '{tag}"), Some(&hint));
            return None;
        }
        Value::Tag(tag, Some(inner)) if tag == "mysql" => {
            walker.mistyped(at, "'mariadb", Some("MySQL speaks the same protocol: write 'mariadb"));
            let _ = server(inner, 3306);
            return None;
        }
        _ => {
            walker.mistyped(at, "'sqlite, 'mariadb { … } or 'postgresql { … }", None);
            return None;
        }
    };
    Some(at.placed(found))
}

fn server(walker: &Walker<'_>, at: &At<'_>, port: u16) -> Option<DatabaseServer> {
    let fields = walker.fields(at, "a database server", &["host", "port", "name", "user", "password", "tls"])?;
    let host = fields.required("host").and_then(|at| walker.parsed(&at, Name("a host"), None, host));
    let given = fields.optional("port", |at| walker.number(at, 1, 65_535));
    let name = fields.optional("name", |at| walker.parsed(at, "the name of a database", None, identifier));
    let user = fields.optional("user", |at| walker.parsed(at, "a login", None, identifier));
    let password = fields.required("password").and_then(|at| walker.secret(&at, "the database"));
    let tls = fields.optional("tls", |at| walker.tag(at, &[("required", true), ("off", false)]));
    Some(DatabaseServer {
        host: host?,
        port: given?.and_then(|port| u16::try_from(port.value).ok()).unwrap_or(port),
        name: name?.map_or_else(|| "postkiln".to_owned(), |name| name.value),
        user: user?.map_or_else(|| "postkiln".to_owned(), |user| user.value),
        password: password?,
        tls: tls?.is_none_or(|tls| tls.value),
    })
}

fn mail(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<MailPlace>> {
    let inner = match &at.node.value {
        Value::Tag(tag, None) if tag == "local" => return Some(at.placed(MailPlace::Local)),
        Value::Tag(tag, Some(inner)) if tag == "shared" => walker.inside(at, inner),
        _ => {
            walker.mistyped(at, "'local or 'shared { path = … }", None);
            return None;
        }
    };
    let fields = walker.fields(&inner, "'shared", &["path"])?;
    let path = fields.required("path").and_then(|at| walker.parsed(&at, "a path", None, absolute));
    Some(at.placed(MailPlace::Shared { path: path? }))
}

fn host(text: &str) -> Result<DatabaseHost, AddressError> {
    text.parse()
        .map_or_else(|_| text.parse::<Domain>().map(DatabaseHost::Name), |address| Ok(DatabaseHost::Address(address)))
}

fn identifier(text: &str) -> Result<String, String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let fits = (1..=63).contains(&text.len()) && text.bytes().all(good);
    fits.then(|| text.to_owned())
        .ok_or_else(|| format!("{text:?} is not 1 to 63 letters, digits, hyphens, underscores"))
}

/// A path from the root, without steps up.
fn absolute(text: &str) -> Result<String, String> {
    let good = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control);
    match text.strip_prefix('/') {
        Some(rest) if rest.split('/').all(good) => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is not absolute and plain, as \"/mail\"")),
    }
}
