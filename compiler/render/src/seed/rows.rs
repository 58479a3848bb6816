//! The rows of each table as the site decides them: one line for each column. Knows nothing about SQL.

use std::collections::BTreeSet;

use postkiln_address::LocalPart;
use postkiln_blueprint::{
    Blueprint, CatchAll, Cause, Kind, MailDomain, Managed, ObjectId, Own, Password, Permission, User,
};

use super::dialect::Value::{self, Null, Number, Text};

/// A row of a table that the site fills.
pub(super) trait Row: Sized {
    /// The table's name; the temporary table beside it is `seed_<table>`.
    const TABLE: &'static str;
    /// The number of columns, counted from the first, that tell rows apart.
    const KEY: usize;

    /// The columns with their values.
    fn columns() -> Vec<Column<Self>>;

    /// The thing that the row is about.
    fn cause(&self) -> Cause;
}

/// A column's name, and its value in a row.
pub(super) type Column<R> = (&'static str, fn(&R) -> Value<'_>);

/// A mail domain of the site.
pub(super) struct Domain<'a> {
    name: &'a str,
    catch_all: String,
    mail: &'a MailDomain,
}

impl Row for Domain<'_> {
    const TABLE: &'static str = "domains";
    const KEY: usize = 1;

    fn columns() -> Vec<Column<Self>> {
        vec![
            ("domain", |row| Text(row.name)),
            ("postmaster", |row| Text(row.mail.postmaster.as_str())),
            ("managed", |row| match row.mail.managed {
                Managed::Declared => Text("declared"),
                Managed::Delegated => Text("delegated"),
            }),
            ("catch_all", |row| Text(&row.catch_all)),
            ("max_users", |row| limit(row.mail.limits.users)),
            ("max_aliases", |row| limit(row.mail.limits.aliases)),
            ("max_forwards", |row| limit(row.mail.limits.forwards)),
            ("max_autoresponders", |row| limit(row.mail.limits.autoresponders)),
            ("max_lists", |row| limit(row.mail.limits.lists)),
            ("quota", |row| limit(row.mail.limits.quota)),
            ("default_quota", |row| limit(row.mail.limits.default_quota)),
            ("default_quota_messages", |row| limit(row.mail.limits.default_quota_messages)),
            ("deny_pop3", |row| denied(&row.mail.deny, Permission::Pop3)),
            ("deny_imap", |row| denied(&row.mail.deny, Permission::Imap)),
            ("deny_webmail", |row| denied(&row.mail.deny, Permission::Webmail)),
            ("deny_submission", |row| denied(&row.mail.deny, Permission::Submission)),
            ("deny_password_change", |row| denied(&row.mail.deny, Permission::PasswordChange)),
        ]
    }

    fn cause(&self) -> Cause {
        Cause::of(Kind::Domain, self.name)
    }
}

/// An alias domain.
pub(super) struct AliasDomain<'a> {
    alias: &'a str,
    domain: &'a str,
}

impl Row for AliasDomain<'_> {
    const TABLE: &'static str = "alias_domains";
    const KEY: usize = 1;

    fn columns() -> Vec<Column<Self>> {
        vec![("alias", |row| Text(row.alias)), ("domain", |row| Text(row.domain))]
    }

    fn cause(&self) -> Cause {
        Cause::of(Kind::Domain, self.alias)
    }
}

/// A user of the site.
pub(super) struct Account<'a> {
    domain: &'a str,
    local: &'a str,
    user: &'a User,
}

impl Row for Account<'_> {
    const TABLE: &'static str = "accounts";
    const KEY: usize = 2;

    fn columns() -> Vec<Column<Self>> {
        vec![
            ("domain", |row| Text(row.domain)),
            ("local", |row| Text(row.local)),
            ("password", |row| match &row.user.password {
                Password::Hash { hash, .. } => Text(hash),
                Password::None | Password::Secret(_) => Null,
            }),
            ("password_reset", |row| Number(row.user.password_reset.into())),
            ("name", |row| Text(&row.user.name)),
            ("quota", |row| limit(row.user.quota)),
            ("quota_messages", |row| limit(row.user.quota_messages)),
            ("deny_pop3", |row| denied(&row.user.deny, Permission::Pop3)),
            ("deny_imap", |row| denied(&row.user.deny, Permission::Imap)),
            ("deny_webmail", |row| denied(&row.user.deny, Permission::Webmail)),
            ("deny_submission", |row| denied(&row.user.deny, Permission::Submission)),
            ("deny_password_change", |row| denied(&row.user.deny, Permission::PasswordChange)),
            ("admin", |row| Number(row.user.admin.into())),
            ("disabled", |row| Number(row.user.disabled.into())),
        ]
    }

    fn cause(&self) -> Cause {
        Cause::within(Kind::User, self.local, self.domain)
    }
}

/// One instruction for mail to an address.
pub(super) struct Alias<'a> {
    domain: &'a str,
    local: &'a LocalPart,
    own: Own<'a>,
    position: u64,
    line: String,
}

impl Row for Alias<'_> {
    const TABLE: &'static str = "aliases";
    const KEY: usize = 3;

    fn columns() -> Vec<Column<Self>> {
        vec![
            ("domain", |row| Text(row.domain)),
            ("local", |row| Text(row.local.as_str())),
            ("position", |row| Number(row.position)),
            ("line", |row| Text(&row.line)),
        ]
    }

    fn cause(&self) -> Cause {
        self.own.cause(self.local, self.domain)
    }
}

fn limit(limit: Option<u64>) -> Value<'static> {
    limit.map_or(Null, Number)
}

fn denied(deny: &BTreeSet<Permission>, permission: Permission) -> Value<'static> {
    Number(deny.contains(&permission).into())
}

pub(super) fn domains(blueprint: &Blueprint) -> impl Iterator<Item = Domain<'_>> {
    blueprint.domains.iter().map(|(name, mail)| Domain { name: name.as_str(), catch_all: catch_all(mail), mail })
}

fn catch_all(mail: &MailDomain) -> String {
    match &mail.catch_all {
        CatchAll::Reject => "bounce-no-mailbox".to_owned(),
        CatchAll::Discard => "delete".to_owned(),
        CatchAll::Deliver(address) => address.to_string(),
    }
}

pub(super) fn alias_domains(blueprint: &Blueprint) -> impl Iterator<Item = AliasDomain<'_>> {
    blueprint.alias_domains.iter().map(|(alias, domain)| AliasDomain { alias: alias.as_str(), domain: domain.as_str() })
}

pub(super) fn accounts(blueprint: &Blueprint) -> impl Iterator<Item = Account<'_>> {
    blueprint.domains.iter().flat_map(|(domain, mail)| {
        let domain = domain.as_str();
        mail.users.iter().map(move |(local, user)| Account { domain, local: local.as_str(), user })
    })
}

/// The instructions of every address that has its own; what stands for the others is the domain's `catch_all`.
pub(super) fn aliases(blueprint: &Blueprint) -> impl Iterator<Item = Alias<'_>> {
    blueprint.deliveries().into_iter().flat_map(|(domain, delivery)| {
        delivery.addresses().into_iter().flat_map(move |(local, own)| {
            let lines = (1..).zip(delivery.instructions(local, own));
            lines.map(move |(position, line)| Alias { domain, local, own, position, line: line.to_string() })
        })
    })
}

/// A rename of a user: domain and local part before and now.
pub(super) type Renamed<'a> = ((&'a str, &'a str), (&'a str, &'a str));

/// Users whose address has changed.
pub(super) fn moved_users(blueprint: &Blueprint) -> impl Iterator<Item = Renamed<'_>> {
    let users = blueprint.moved.iter().filter(|moved| moved.from.kind() == Kind::User);
    users.filter_map(|moved| Some((parts(&moved.from)?, parts(&moved.to)?)))
}

/// Domains whose name has changed.
pub(super) fn moved_domains(blueprint: &Blueprint) -> impl Iterator<Item = (&str, &str)> {
    let domains = blueprint.moved.iter().filter(|moved| moved.from.kind() == Kind::Domain);
    domains.map(|moved| (moved.from.name(), moved.to.name()))
}

fn parts(id: &ObjectId) -> Option<(&str, &str)> {
    id.name().rsplit_once('@').map(|(local, domain)| (domain, local))
}
