//! Sections that every site has once: TLS, the pages, the address book, storage, retention.

use postkiln_address::Domain;
use postkiln_site as site;
use postkiln_site::Site;

use crate::model::{Certificate, Database, DatabaseServer, Ldap, Retention, Storage, Tls, Web};

/// The section `tls`, with the chain as text; that the text is a chain is proved later.
pub(super) fn tls(site: &Site) -> Tls {
    let certificate = match &site.tls.certificate.value {
        site::Certificate::SelfSigned => Certificate::SelfSigned,
        site::Certificate::Acme { email, directory, .. } => {
            Certificate::Acme { email: email.value.clone(), directory: directory.clone() }
        }
        site::Certificate::Own { secret, pem, .. } => {
            Certificate::Own { secret: secret.value.clone(), chain: String::from_utf8_lossy(pem).into_owned() }
        }
    };
    Tls { certificate, minimum: site.tls.minimum.value }
}

pub(super) fn web(site: &Site) -> Web {
    let tag = |language: &site::Language| match language {
        site::Language::En => "en".to_owned(),
        site::Language::ZhCn => "zh-CN".to_owned(),
    };
    Web {
        webmail: site.web.webmail.value,
        administration: site.web.administration.value,
        languages: site.web.languages.value.iter().map(tag).collect(),
        name: site.web.name.as_ref().map_or_else(|| site.appliance.hostname.value.clone(), |name| name.value.clone()),
    }
}

/// The section `ldap`. `primary` is the domain whose labels become the base's parts when no base is given (RFC 2247).
pub(super) fn ldap(site: &Site, primary: &Domain) -> Ldap {
    let parts = || primary.as_str().split('.').map(|label| format!("dc={label}")).collect::<Vec<_>>().join(",");
    Ldap {
        enabled: site.ldap.enabled.value,
        base: site.ldap.base.as_ref().map_or_else(parts, |base| base.value.clone()),
        anonymous: site.ldap.anonymous.value,
    }
}

pub(super) fn storage(site: &Site) -> Storage {
    let database = match &site.storage.database.value {
        site::Database::Sqlite => Database::Sqlite,
        site::Database::Mariadb(given) => Database::Mariadb(server(given)),
        site::Database::Postgresql(given) => Database::Postgresql(server(given)),
    };
    let shared_mail = match &site.storage.mail.value {
        site::MailPlace::Local => None,
        site::MailPlace::Shared { path } => Some(path.value.clone()),
    };
    Storage { database, shared_mail }
}

fn server(given: &site::DatabaseServer) -> DatabaseServer {
    let host = match &given.host.value {
        site::DatabaseHost::Name(name) => name.to_string(),
        site::DatabaseHost::Address(address) => address.to_string(),
    };
    DatabaseServer {
        host,
        port: given.port,
        name: given.name.clone(),
        user: given.user.clone(),
        secret: given.password.value.clone(),
        tls: given.tls,
    }
}

pub(super) fn retention(site: &Site) -> Retention {
    let given = &site.retention;
    Retention {
        removed_mailboxes: given.removed_mailboxes.value,
        trash: given.trash.value,
        junk: given.junk.value,
        logs: given.logs.value,
        bundles: given.bundles.value,
    }
}
