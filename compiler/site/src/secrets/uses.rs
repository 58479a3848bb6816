//! The places where a site names its secrets, and the kind each must have there.

use postkiln_address::Domain;

use crate::{Certificate, Database, DomainEntry, MailDomain, Password, Place, Placed, Site};

/// A place that names a secret.
#[derive(Clone, Debug)]
pub struct SecretUse<'a> {
    /// The secret's name.
    pub name: &'a str,
    /// The place of the name.
    pub place: &'a Place,
    /// The kind that the secret must have.
    pub wanted: Wanted,
    /// The purpose that it has there.
    pub purpose: SecretPurpose,
    /// The use in words that continue a sentence: "the password of ada@example.org".
    pub what: String,
}

/// The purpose of a secret where it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretPurpose {
    /// A person logs in with it.
    Login,
    /// The node logs in at the smarthost.
    Smarthost,
    /// The node logs in at the user database.
    Database,
    /// The node signs mail.
    Dkim,
    /// The node has a certificate for it.
    Tls,
}

/// The kind that a secret must have where it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A password; a token will do as well.
    Password,
    /// Keys that sign mail.
    Dkim,
    /// A private key for TLS.
    TlsKey,
}

impl Site {
    /// Every place that names a secret.
    #[must_use]
    pub fn secret_uses(&self) -> Vec<SecretUse<'_>> {
        let mails = self.domains.iter().filter_map(|(domain, entry)| match &entry.value {
            DomainEntry::Mail(mail) => Some((domain, mail)),
            DomainEntry::AliasOf(_) => None,
        });
        let of_domains = mails.flat_map(|(domain, mail)| passwords(domain, mail).chain(dkim(domain, mail)));
        of_domains.chain(self.smarthost()).chain(self.tls_key()).chain(self.database()).collect()
    }

    fn smarthost(&self) -> Option<SecretUse<'_>> {
        let name = self.smtp.smarthost.as_ref()?.value.password.as_ref()?;
        Some(password(name, SecretPurpose::Smarthost, "the password at the smarthost"))
    }

    fn tls_key(&self) -> Option<SecretUse<'_>> {
        let Certificate::Own { secret, .. } = &self.tls.certificate.value else { return None };
        let what = "the key of the certificate".to_owned();
        Some(SecretUse {
            name: &secret.value,
            place: &secret.place,
            wanted: Wanted::TlsKey,
            purpose: SecretPurpose::Tls,
            what,
        })
    }

    fn database(&self) -> Option<SecretUse<'_>> {
        match &self.storage.database.value {
            Database::Sqlite => None,
            Database::Mariadb(server) | Database::Postgresql(server) => {
                Some(password(&server.password, SecretPurpose::Database, "the password at the database"))
            }
        }
    }
}

fn password<'a>(name: &'a Placed<String>, purpose: SecretPurpose, what: &str) -> SecretUse<'a> {
    SecretUse { name: &name.value, place: &name.place, wanted: Wanted::Password, purpose, what: what.to_owned() }
}

fn passwords<'a>(domain: &'a Domain, mail: &'a MailDomain) -> impl Iterator<Item = SecretUse<'a>> {
    mail.users.iter().filter_map(move |(local, user)| {
        let password = user.value.password.as_ref()?;
        let Password::Secret(name) = &password.value else { return None };
        let what = format!("the password of {local}@{domain}");
        Some(SecretUse { name, place: &password.place, wanted: Wanted::Password, purpose: SecretPurpose::Login, what })
    })
}

fn dkim<'a>(domain: &'a Domain, mail: &'a MailDomain) -> impl Iterator<Item = SecretUse<'a>> {
    mail.publishing.dkim.iter().map(move |dkim| {
        let what = format!("the DKIM key of {domain}");
        SecretUse {
            name: &dkim.value.secret,
            place: &dkim.place,
            wanted: Wanted::Dkim,
            purpose: SecretPurpose::Dkim,
            what,
        }
    })
}
