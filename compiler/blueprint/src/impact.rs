//! The cost of changes: one row for each field of the blueprint, beside which nothing compiles.
//! `schemas/manual/impact.md` is
//! printed from here; `compiler/plan` compares by it. Start at [`Object`].
//!
//! To add a field to a struct of `model.rs`:
//! 1. the compiler says that a pattern in this file lacks it: add `field: class(&[Role, …]),` to the struct's block;
//! 2. the class is what the node really does (see [`Class`]); the roles are those that read the files it ends in;
//! 3. `.sensitive()` when its value must not be shown, `.outside("what a person does elsewhere")` when that is needed;
//! 4. a map of further things is `objects()`: its element gets a block of its own, a [`Kind`], and a line in
//!    `compiler/plan/src/walk.rs` (which does not compile without either);
//! 5. `UPDATE=1 cargo test -p postkiln-plan` prints the table anew.

use std::collections::BTreeSet;

use postkiln_bundle::Role::{self, Clamd, Controld, Directoryd, Freshclam, Keyd, Local, Queued, Remote, Smtpd};
use postkiln_bundle::{Listener, Provision, Service};
use postkiln_site::SecretVersion;
use serde::Serialize;
use serde_json::Value;

use crate::Kind;
use crate::model::{Antivirus, Blueprint, Ldap, List, MailDomain, Responder, Retention, Storage, Tls, User, Web, Zone};

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

macro_rules! table {
    ($($type:ident as $kind:ident { $($field:ident: $row:expr),* $(,)? })*) => {$(
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
    )*

        /// Kind and fields of every object that has several, in the order of this file.
        pub const TABLES: &[(Kind, &[Field])] = &[$((Kind::$kind, $type::TABLE)),*];
    };
}

table! {
    Blueprint as Appliance {
        version: none(),
        generation: data(&[Directoryd]),
        hostname: swap(&[Keyd, Queued, Remote, Local, Smtpd]).outside("PTR record of the machine's address"),
        addresses: none().outside("PTR record of each address"),
        operators: swap(&[Controld]),
        control: objects(),
        domains: objects(),
        alias_domains: objects(),
        moved: none(), // What it explains is compared; applying it is part of the seed.
        tcp: objects(),
        zones: objects(),
        tls: objects(),
        antivirus: objects(),
        web: objects(),
        ldap: objects(),
        storage: objects(),
        retention: objects(),
        services: objects(),
        secrets: objects(),
    }

    SecretVersion as Secret {
        version: swap(&[Keyd, Directoryd]),
        kind: swap(&[Keyd]),
    }

    // On what is `none` here and below the node does not act yet: see not_yet.rs.
    Tls as Tls {
        certificate: swap(&[Keyd]),
        minimum: none(),
    }

    Web as Web {
        webmail: none(),
        administration: none(),
        languages: none(),
        name: none(),
    }

    Ldap as Ldap {
        enabled: none(),
        base: none(),
        anonymous: none(),
    }

    Storage as Storage {
        database: none(),
        shared_mail: none(),
    }

    Retention as Retention {
        removed_mailboxes: none(),
        trash: none(),
        junk: none(),
        logs: none(),
        bundles: none(),
    }

    MailDomain as Domain {
        postmaster: none(), // An alias of its own says where the mail goes.
        users: objects(),
        aliases: objects(),
        catch_all: swap(&[Directoryd]),
        subaddress: swap(&[Directoryd]),
        lists: objects(),
        responders: objects(),
        managed: none(), // Nobody can add anything on the node yet.
        limits: none(),  // As `managed`: declared things are counted by the compiler.
        deny: none(),    // Each user's own says it.
        dkim: swap(&[Keyd]),
    }

    User as User {
        name: data(&[Directoryd]),
        quota: data(&[Directoryd]),
        quota_messages: data(&[Directoryd]),
        password: data(&[Directoryd]).sensitive(),
        password_reset: data(&[Directoryd]),
        forward: swap(&[Directoryd]),
        deny: data(&[Directoryd]),
        admin: data(&[Directoryd]),
        disabled: data(&[Directoryd]),
    }

    List as List {
        members: swap(&[Local]),
        managed: swap(&[Local]),
        post: swap(&[Local]),
        moderators: swap(&[Local]),
        owner: swap(&[Local]),
        allow: swap(&[Local]),
        deny: swap(&[Local]),
        subscribe: swap(&[Local]),
        unsubscribe: swap(&[Local]),
        archive: swap(&[Local]),
        digest: swap(&[Local]),
        prefix: swap(&[Local]),
        trailer: swap(&[Local]),
        reply_to: swap(&[Local]),
        message_size: swap(&[Local]),
        mime_remove: swap(&[Local]),
        mime_reject: swap(&[Local]),
        header_add: swap(&[Local]),
        header_remove: swap(&[Local]),
        bounce_warnings: swap(&[Local]),
        members_listed: swap(&[Local]),
        remote_administration: swap(&[Local]),
        texts_editable: swap(&[Local]),
        sublist_of: swap(&[Local]),
    }

    Responder as Autoresponder {
        subject: swap(&[Local]),
        text: swap(&[Local]),
        once_per: swap(&[Directoryd]),
        replies: swap(&[Directoryd]),
        from: swap(&[Local]),
    }

    Zone as Zone {
        ttl: elsewhere("publish the zone"),
        publish: none(),
        records: objects(),
        mta_sts: none(),
        client: none(),
    }

    Antivirus as Antivirus {
        clamav: restart(&[Clamd, Freshclam, Smtpd]),
        stream_limit: restart(&[Clamd]),
        threads: restart(&[Clamd]),
        reload_beside: restart(&[Clamd]),
        checks_per_day: restart(&[Freshclam]),
        mirror: restart(&[Freshclam]),
        signatures: restart(&[Clamd]),
    }

    Listener as Listener {
        name: none(),
        port: owner(Class::Rebind),
        tls: owner(Class::Restart),
    }

    Service as Service {
        role: none(),
        user: owner(Class::Restart),
        program: owner(Class::Restart),
        listeners: objects(),
        sockets: owner(Class::Restart),
        doors: owner(Class::Restart),
        directories: owner(Class::Restart),
        reads: owner(Class::Restart),
        provisions: owner(Class::Restart),
        takes_secrets: owner(Class::Restart),
        capabilities: owner(Class::Restart),
        machine_only: owner(Class::Restart),
        prerequisite: owner(Class::Restart),
        readiness: owner(Class::Restart),
        essential: owner(Class::Restart),
        without: owner(Class::Restart),
        pauses: owner(Class::Restart),
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
        let services = crate::services::services(true);
        for entry in postkiln_control::REGISTRY {
            let readers = readers(&format!("control/{}", entry.name), &services);
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
