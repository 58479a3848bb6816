//! The cost of changes: one row for each field of the blueprint, beside which nothing compiles, with the place
//! where the field was written. `schemas/manual/impact.md` is printed from here; `compiler/plan` compares by it.
//! Start at [`Object`].
//!
//! To add a field to a struct of `model.rs`:
//! 1. the compiler says that a pattern in this file lacks it: add `field: class(&[Role, …]) => place,` to the struct's
//!    block;
//! 2. the class is what the node really does (see [`Class`]); the roles are those that read the files it ends in;
//!    the place is found in the part of the site that the block names (`of`), or `whole`;
//! 3. `.sensitive()` when its value must not be shown, `.outside("what a person does elsewhere")` when that is needed;
//! 4. a map of further things is `objects()`: its element gets a block of its own, a [`Kind`], and a line in
//!    `compiler/plan/src/walk.rs` (which does not compile without either);
//! 5. `UPDATE=1 cargo test -p postkiln-plan` prints the table anew.

use std::collections::BTreeSet;

use postkiln_bundle::Role::{self, Clamd, Controld, Directoryd, Freshclam, Keyd, Local, Queued, Remote, Smtpd};
use postkiln_bundle::{Listener, Provision, Service};
use postkiln_findings::Place;
use postkiln_site as site;
use postkiln_site::{SecretVersion, Site};
use serde::Serialize;
use serde_json::Value;

use crate::Kind;
use crate::model::{Antivirus, Blueprint, Ldap, List, MailDomain, Responder, Retention, Storage, Tls, User, Web, Zone};
use crate::place::{address, any, first, limits, one, whole, written};

/// The node's reaction to a change, from nothing to the most disturbing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Nothing happens: the machine does not notice.
    None,
    /// Rows of the user database, in one transaction; readers see them at the next look-up.
    Data,
    /// A role takes new settings (a reload); sessions go on with the old ones, new ones see the new.
    Swap,
    /// A listening socket is added, removed or moved; its sessions end in their time.
    Rebind,
    /// A role's process is replaced; what it was doing is tried again.
    Restart,
    /// Stored data changes its form or place.
    Migrate,
    /// The machine starts anew.
    Reboot,
    /// Nothing on the node; people do something elsewhere (DNS).
    Outside,
}

impl Class {
    /// The word for the class in plans.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Data => "data",
            Self::Swap => "reload",
            Self::Rebind => "rebind",
            Self::Restart => "restart",
            Self::Migrate => "migrate",
            Self::Reboot => "reboot",
            Self::Outside => "outside",
        }
    }
}

/// The roles that follow a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Exactly these roles.
    These(&'static [Role]),
    /// The role that the object belongs to: a listener's, a service's own.
    Owner,
    /// The readers that the registry of control files names.
    Readers,
}

/// The kinds of values of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A value to compare and to show.
    Value,
    /// A value to compare; plans only say that it changed.
    Sensitive,
    /// Things with ids and rows of their own.
    Objects,
}

/// A row of the table: one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name in `blueprint.json`.
    pub name: &'static str,
    /// The class of a change of the field.
    pub class: Class,
    /// The roles concerned.
    pub units: Units,
    /// The kind of value.
    pub holds: Holds,
    /// Work that people have to do elsewhere besides.
    pub outside: Option<&'static str>,
}

impl Field {
    const fn new(class: Class, units: Units) -> Self {
        Self { name: "", class, units, holds: Holds::Value, outside: None }
    }

    const fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    const fn sensitive(self) -> Self {
        Self { holds: Holds::Sensitive, ..self }
    }

    const fn outside(self, what: &'static str) -> Self {
        Self { outside: Some(what), ..self }
    }
}

const fn none() -> Field {
    Field::new(Class::None, Units::These(&[]))
}

const fn data(units: &'static [Role]) -> Field {
    Field::new(Class::Data, Units::These(units))
}

const fn swap(units: &'static [Role]) -> Field {
    Field::new(Class::Swap, Units::These(units))
}

const fn restart(units: &'static [Role]) -> Field {
    Field::new(Class::Restart, Units::These(units))
}

const fn elsewhere(what: &'static str) -> Field {
    Field::new(Class::Outside, Units::These(&[])).outside(what)
}

const fn owner(class: Class) -> Field {
    Field::new(class, Units::Owner)
}

const fn objects() -> Field {
    Field { holds: Holds::Objects, ..none() }
}

/// A thing with fields that a plan compares one by one.
pub trait Object: Serialize {
    /// The kind in the thing's id.
    const KIND: Kind;
    /// All fields, as rows of the table.
    const TABLE: &'static [Field];

    /// The fields that are values, in the table's order.
    fn values(&self) -> Vec<(&'static Field, Value)>;

    /// Whether those fields are equal; this is far cheaper than asking for the values.
    fn agrees(&self, other: &Self) -> bool;
}

/// The places where a thing's fields were written.
pub(crate) trait Written {
    /// The part of a site that the thing is made of.
    type Site;

    /// The place of a field; `None` where it has none of its own, or nobody wrote it.
    fn place<'a>(written: &'a Self::Site, field: &str) -> Option<&'a Place>;
}

macro_rules! table {
    ($($type:ident as $kind:ident of $site:ty { $($field:ident: $row:expr => $place:expr),* $(,)? })*) => {$(
        impl Object for $type {
            const KIND: Kind = Kind::$kind;
            const TABLE: &'static [Field] = &[$($row.called(stringify!($field))),*];

            fn values(&self) -> Vec<(&'static Field, Value)> {
                // A field without a row does not compile, because it is missing in this pattern.
                let Self { $($field),* } = self;
                let mut rows = Self::TABLE.iter();
                let mut values = Vec::new();
                $(if let Some(row) = rows.next() && row.holds != Holds::Objects {
                    values.push((row, serde_json::to_value($field).unwrap_or_default()));
                })*
                values
            }

            fn agrees(&self, other: &Self) -> bool {
                let mut rows = Self::TABLE.iter();
                $((rows.next().is_some_and(|row| row.holds == Holds::Objects) || self.$field == other.$field) &&)* true
            }
        }

        impl Written for $type {
            type Site = $site;

            fn place<'a>(written: &'a $site, field: &str) -> Option<&'a Place> {
                let place: fn(&$site) -> Option<&Place> = match field {
                    $(stringify!($field) => $place,)*
                    _ => whole,
                };
                place(written)
            }
        }
    )*

        /// Kind and fields of every object that has several, in the order of this file.
        pub const TABLES: &[(Kind, &[Field])] = &[$((Kind::$kind, $type::TABLE)),*];
    };
}

table! {
    Blueprint as Appliance of Site {
        version: none() => whole,
        generation: data(&[Directoryd]) => whole,
        hostname: swap(&[Keyd, Queued, Remote, Local, Smtpd]).outside("PTR record of the machine's address")
            => |site| one(&site.appliance.hostname),
        addresses: none().outside("PTR record of each address") => |site| Some(address(site, "")),
        operators: swap(&[Controld]) => |site| first(&site.appliance.operators),
        control: objects() => whole,
        domains: objects() => whole,
        alias_domains: objects() => whole,
        moved: none() => whole, // What it explains is compared; applying it is part of the seed.
        tcp: objects() => whole,
        zones: objects() => whole,
        tls: objects() => whole,
        antivirus: objects() => whole,
        web: objects() => whole,
        ldap: objects() => whole,
        storage: objects() => whole,
        retention: objects() => whole,
        services: objects() => whole,
        secrets: objects() => whole,
    }

    SecretVersion as Secret of SecretVersion {
        version: swap(&[Keyd, Directoryd]) => whole,
        kind: swap(&[Keyd]) => whole,
    }

    // On what is `none` here and below the node does not act yet: see not_yet.rs.
    Tls as Tls of site::Tls {
        certificate: swap(&[Keyd]) => |tls| one(&tls.certificate),
        minimum: none() => |tls| one(&tls.minimum),
    }

    Web as Web of site::Web {
        webmail: none() => |web| one(&web.webmail),
        administration: none() => |web| one(&web.administration),
        languages: none() => |web| one(&web.languages),
        name: none() => |web| any(&web.name),
    }

    Ldap as Ldap of site::Ldap {
        enabled: none() => |ldap| one(&ldap.enabled),
        base: none() => |ldap| any(&ldap.base),
        anonymous: none() => |ldap| one(&ldap.anonymous),
    }

    Storage as Storage of site::Storage {
        database: none() => |storage| one(&storage.database),
        shared_mail: none() => |storage| one(&storage.mail),
    }

    Retention as Retention of site::Retention {
        removed_mailboxes: none() => |retention| one(&retention.removed_mailboxes),
        trash: none() => |retention| one(&retention.trash),
        junk: none() => |retention| one(&retention.junk),
        logs: none() => |retention| one(&retention.logs),
        bundles: none() => |retention| one(&retention.bundles),
    }

    MailDomain as Domain of site::MailDomain {
        postmaster: none() => |mail| one(&mail.postmaster), // An alias of its own says where the mail goes.
        users: objects() => whole,
        aliases: objects() => whole,
        catch_all: swap(&[Directoryd]) => |mail| written(mail, &mail.catch_all.place),
        subaddress: swap(&[Directoryd]) => |mail| written(mail, &mail.subaddress.place),
        lists: objects() => whole,
        responders: objects() => whole,
        managed: none() => |mail| written(mail, &mail.managed.place), // Nobody can add anything on the node yet.
        limits: none() => |mail| limits(&mail.limits),  // As `managed`: declared things are counted by the compiler.
        deny: none() => |mail| first(&mail.deny),    // Each user's own says it.
        dkim: swap(&[Keyd]) => |mail| any(&mail.publishing.dkim),
    }

    User as User of site::User {
        name: data(&[Directoryd]) => |user| any(&user.name),
        quota: data(&[Directoryd]) => |user| any(&user.quota),
        quota_messages: data(&[Directoryd]) => |user| any(&user.quota_messages),
        password: data(&[Directoryd]).sensitive() => |user| any(&user.password),
        password_reset: data(&[Directoryd]) => |user| any(&user.password_reset),
        forward: swap(&[Directoryd]) => |user| any(&user.forward),
        deny: data(&[Directoryd]) => |user| first(&user.deny),
        admin: data(&[Directoryd]) => |user| any(&user.admin),
        disabled: data(&[Directoryd]) => |user| any(&user.disabled),
    }

    List as List of site::List {
        members: swap(&[Local]) => |list| first(&list.members),
        managed: swap(&[Local]) => |list| one(&list.managed),
        post: swap(&[Local]) => |list| one(&list.post),
        moderators: swap(&[Local]) => |list| first(&list.moderators),
        owner: swap(&[Local]) => |list| any(&list.owner),
        allow: swap(&[Local]) => |list| first(&list.allow),
        deny: swap(&[Local]) => |list| first(&list.deny),
        subscribe: swap(&[Local]) => |list| one(&list.subscribe),
        unsubscribe: swap(&[Local]) => |list| one(&list.unsubscribe),
        archive: swap(&[Local]) => |list| one(&list.archive),
        digest: swap(&[Local]) => |list| any(&list.digest),
        prefix: swap(&[Local]) => |list| any(&list.prefix),
        trailer: swap(&[Local]) => |list| any(&list.trailer),
        reply_to: swap(&[Local]) => |list| one(&list.reply_to),
        message_size: swap(&[Local]) => |list| any(&list.message_size),
        mime_remove: swap(&[Local]) => |list| first(&list.mime_remove),
        mime_reject: swap(&[Local]) => |list| first(&list.mime_reject),
        header_add: swap(&[Local]) => |list| first(&list.header_add),
        header_remove: swap(&[Local]) => |list| first(&list.header_remove),
        bounce_warnings: swap(&[Local]) => |list| one(&list.bounce_warnings),
        members_listed: swap(&[Local]) => |list| one(&list.members_listed),
        remote_administration: swap(&[Local]) => |list| one(&list.remote_administration),
        texts_editable: swap(&[Local]) => |list| one(&list.texts_editable),
        sublist_of: swap(&[Local]) => |list| any(&list.sublist_of),
    }

    Responder as Autoresponder of site::Autoresponder {
        subject: swap(&[Local]) => |robot| one(&robot.subject),
        text: swap(&[Local]) => |robot| one(&robot.text),
        once_per: swap(&[Directoryd]) => |robot| one(&robot.once_per),
        replies: swap(&[Directoryd]) => |robot| one(&robot.replies),
        from: swap(&[Local]) => |robot| any(&robot.from),
    }

    Zone as Zone of Site {
        ttl: elsewhere("publish the zone") => |site| one(&site.dns.ttl),
        publish: none() => whole,
        records: objects() => whole,
        mta_sts: none() => whole,
        client: none() => whole,
    }

    Antivirus as Antivirus of Site {
        clamav: restart(&[Clamd, Freshclam, Smtpd]) => |site| one(&site.antivirus.engine),
        stream_limit: restart(&[Clamd]) => |site| one(&site.smtp.size),
        threads: restart(&[Clamd]) => |site| one(&site.antivirus.threads),
        reload_beside: restart(&[Clamd]) => |site| one(&site.antivirus.reload),
        checks_per_day: restart(&[Freshclam]) => |site| one(&site.antivirus.checks_per_day),
        mirror: restart(&[Freshclam]) => |site| one(&site.antivirus.mirror),
        signatures: restart(&[Clamd]) => |site| first(&site.antivirus.signatures),
    }

    Listener as Listener of Site {
        name: none() => whole,
        port: owner(Class::Rebind) => whole,
        tls: owner(Class::Restart) => whole,
    }

    Service as Service of Site {
        role: none() => whole,
        user: owner(Class::Restart) => whole,
        program: owner(Class::Restart) => whole,
        listeners: objects() => whole,
        sockets: owner(Class::Restart) => whole,
        doors: owner(Class::Restart) => whole,
        directories: owner(Class::Restart) => whole,
        reads: owner(Class::Restart) => whole,
        calls: owner(Class::Restart) => whole,
        memory: owner(Class::Restart) => whole,
        provisions: owner(Class::Restart) => whole,
        takes_secrets: owner(Class::Restart) => whole,
        capabilities: owner(Class::Restart) => whole,
        machine_only: owner(Class::Restart) => whole,
        prerequisite: owner(Class::Restart) => whole,
        readiness: owner(Class::Restart) => whole,
        essential: owner(Class::Restart) => whole,
        without: owner(Class::Restart) => whole,
        pauses: owner(Class::Restart) => whole,
    }
}

/// The targets of an alias.
pub const ALIAS: Field = swap(&[Directoryd]).called("targets");

/// The domain that an alias domain stands for.
pub const ALIAS_DOMAIN: Field = swap(&[Directoryd]).called("alias_of");

/// A listener's tcprules.
pub const RULES: Field = owner(Class::Swap).called("rules");

/// A control file's content. A changed `network` does more than load new settings.
#[must_use]
pub fn control(name: &str) -> Field {
    let class = if name == "network" { Class::Rebind } else { Class::Swap };
    Field::new(class, Units::Readers).called("content")
}

/// The roles that read a file of the bundle, or are provided with it; none when only people or later plans read it.
#[must_use]
pub fn readers(path: &str, services: &[Service]) -> Vec<Role> {
    let provided = |service: &Service| {
        service.provisions.iter().any(|provision| match provision {
            Provision::Configuration { from, .. } => from == path,
            Provision::Folder { from, .. } => path.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')),
        })
    };
    // Bundles of before do not say what their services read; their readers are those of today.
    let says = |service: &Service| service.reads.iter().all(|own| own != "/");
    let own = services.iter().filter(|service| (says(service) && service.may_read(path)) || provided(service));
    // The tables of two bundles may stand behind each other.
    own.map(|service| service.role).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_of_control_files_are_roles_that_read_them() {
        let services = crate::services::services(crate::services::Needs {
            clamav: true,
            login: true,
            load: crate::memory::Load::default(),
        });
        for entry in postkiln_control::REGISTRY {
            let readers = readers(&postkiln_bundle::paths::control(entry.name), &services);
            assert_eq!(readers.len(), entry.readers.len(), "{}: {:?}", entry.name, entry.readers);
            assert!(readers.iter().all(|role| entry.readers.contains(&role.name())), "{}", entry.name);
        }
        assert_eq!(readers("clamav/signatures/own.ndb", &services), [Role::Clamd]);
        assert_eq!(readers("clamav/clamd.conf", &services), [Role::Clamd, Role::Smtpd]);
        assert_eq!(readers("seeds/sqlite.sql", &services), [Role::Directoryd]);
        assert_eq!(readers("source/site.ncl", &services), []);
    }

    #[test]
    fn names_are_those_of_the_json_form() {
        let zone = Zone { ttl: 5, publish: true, records: Vec::new(), mta_sts: None, client: Vec::new() };
        let Value::Object(json) = serde_json::to_value(&zone).unwrap() else { panic!("an object") };
        assert_eq!(json.keys().collect::<Vec<_>>(), Zone::TABLE.iter().map(|row| row.name).collect::<Vec<_>>());
        assert_eq!(zone.values()[0], (&Zone::TABLE[0], Value::from(5)));
        assert!(zone.agrees(&zone.clone()) && !zone.agrees(&Zone { ttl: 6, ..zone.clone() }));
    }
}
