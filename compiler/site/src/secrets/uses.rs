//! Where a site names its secrets, and what each must be there.

use postkiln_address::Domain;

use crate::{DomainEntry, MailDomain, Password, Place, Site};

/// A place that names a secret.
#[derive(Clone, Debug)]
pub struct SecretUse<'a> {
    /// The secret's name.
    pub name: &'a str,
    /// Where it is named.
    pub place: &'a Place,
    /// What it must be.
    pub wanted: Wanted,
    /// What it is there, as a sentence goes on: "the password of ada@example.org".
    pub what: String,
}

/// What a secret must be where it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A password; a token does as well.
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
        mails.flat_map(|(domain, mail)| passwords(domain, mail).chain(dkim(domain, mail))).collect()
    }
}

fn passwords<'a>(domain: &'a Domain, mail: &'a MailDomain) -> impl Iterator<Item = SecretUse<'a>> {
    mail.users.iter().filter_map(move |(local, user)| {
        let password = user.value.password.as_ref()?;
        let Password::Secret(name) = &password.value else { return None };
        let what = format!("the password of {local}@{domain}");
        Some(SecretUse { name, place: &password.place, wanted: Wanted::Password, what })
    })
}

fn dkim<'a>(domain: &'a Domain, mail: &'a MailDomain) -> impl Iterator<Item = SecretUse<'a>> {
    mail.publishing.dkim.iter().map(move |dkim| {
        let what = format!("the DKIM key of {domain}");
        SecretUse { name: &dkim.value.secret, place: &dkim.place, wanted: Wanted::Dkim, what }
    })
}
