//! The secrets that a site names exist and have the right kind. Asks `secrets.lock` alone: no value is known here.

use std::collections::BTreeSet;

use postkiln_findings::codes;
use postkiln_site::{
    DkimAlgorithm, DkimKeyType, DkimState, Gap, SECRETS_LOCK, SecretKind, SecretPurpose, SecretUse, SecretVersion,
    Site, Wanted,
};

use super::mail_domains;
use crate::findings::Findings;

/// Compares the secrets that the site names with those of the lock.
pub(super) fn check(site: &Site, findings: &mut Findings) {
    let uses = site.secret_uses();
    for used in &uses {
        match site.secrets.secrets.get(used.name) {
            None => missing(site, used, findings),
            Some(secret) if !serves(&secret.value, used.wanted) => {
                let is = described(&secret.value.kind);
                let message = format!("{} cannot be the secret {:?}, which is {is}", used.what, used.name);
                let hint = format!(
                    "it must be {}: name another secret, or remove this one (`postkiln secret remove SITE {} --force`) and set it anew",
                    wanted(used.wanted),
                    used.name
                );
                findings
                    .add(codes::WRONG_SECRET, used.place, message)
                    .hint(hint)
                    .related(&secret.place, "declared here");
            }
            Some(_) => undelivered(used, findings),
        }
    }
    algorithms(site, findings);
    // A part that could not be read may name a secret.
    if site.gaps.any(|gap| matches!(gap, Gap::Person(..) | Gap::Publishing(_))) {
        return;
    }
    let names: BTreeSet<&str> = uses.iter().map(|used| used.name).collect();
    for (name, secret) in site.secrets.secrets.iter().filter(|(name, _)| !names.contains(name.as_str())) {
        findings
            .add(codes::UNUSED_SECRET, &secret.place, format!("nothing in the site uses the secret {name:?}"))
            .hint(format!("remove it with `postkiln secret remove SITE {name}`"));
    }
}

/// Reports a signing key whose algorithm differs from the site's for good; during a rotation it may differ.
fn algorithms(site: &Site, findings: &mut Findings) {
    for (domain, mail) in mail_domains(site) {
        let Some(dkim) = &mail.publishing.dkim else { continue };
        let Some(secret) = site.secrets.secrets.get(&dkim.value.secret) else { continue };
        let wanted = match dkim.value.algorithm {
            DkimKeyType::Rsa2048 => DkimAlgorithm::Rsa,
            DkimKeyType::Ed25519 => DkimAlgorithm::Ed25519,
        };
        let Some(signing) = secret.value.signing().filter(|key| key.algorithm != wanted) else { continue };
        if secret.value.dkim_keys().iter().any(|key| key.algorithm == wanted && key.state == DkimState::Published) {
            continue;
        }
        let message = format!("{domain} is to sign with {wanted}, and the key that signs is {}", signing.algorithm);
        findings
            .add(codes::OTHER_ALGORITHM, &dkim.place, message)
            .hint(format!("`postkiln secret rotate SITE {} --algorithm {wanted}`", dkim.value.secret))
            .related(&secret.place, "the keys are declared here");
    }
}

/// Warns of what an appliance cannot do without the secret; of people who cannot log in, their lowering warns. The
/// other purposes are not acted on anywhere yet.
fn undelivered(used: &SecretUse<'_>, findings: &mut Findings) {
    let (effect, hint) = match used.purpose {
        SecretPurpose::Smarthost => {
            ("mail for others waits on an appliance", "for now, take a relay that asks for no login")
        }
        SecretPurpose::Tls => {
            ("an appliance shows clients a certificate of its own making", "`postkiln run` is given the key")
        }
        SecretPurpose::Login | SecretPurpose::Database | SecretPurpose::Dkim => return,
    };
    let message = format!("{effect}: the secret {:?} is not delivered there yet", used.name);
    findings.add(codes::UNDELIVERED, used.place, message).hint(hint);
}

fn missing(site: &Site, used: &SecretUse<'_>, findings: &mut Findings) {
    // Without its public half a key cannot be published, so that is an error; a missing password concerns the node
    // alone.
    let (code, kind) = match used.wanted {
        Wanted::Password => (codes::MISSING_SECRET, ""),
        Wanted::Dkim => (codes::MISSING_KEY, " --generate"),
        Wanted::TlsKey => (codes::MISSING_KEY, " --kind tls-key"),
    };
    let message = format!("{} is the secret {:?}, which is not in {SECRETS_LOCK}", used.what, used.name);
    let hint = site.secrets.nearest(used.name).map_or_else(
        || format!("make it with `postkiln secret set SITE {}{kind}`", used.name),
        |near| format!("did you mean {near:?}?"),
    );
    findings.add(code, used.place, message).hint(hint);
}

const fn serves(secret: &SecretVersion, wanted: Wanted) -> bool {
    matches!(
        (&secret.kind, wanted),
        (SecretKind::Password | SecretKind::Token, Wanted::Password)
            | (SecretKind::Dkim { .. }, Wanted::Dkim)
            | (SecretKind::TlsKey { .. }, Wanted::TlsKey)
    )
}

const fn described(kind: &SecretKind) -> &'static str {
    match kind {
        SecretKind::Password => "a password",
        SecretKind::Token => "a token",
        SecretKind::TlsKey { .. } => "a key for TLS",
        SecretKind::Dkim { .. } => "a key for DKIM",
    }
}

const fn wanted(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Password => "a password or a token",
        Wanted::Dkim => "a key for DKIM",
        Wanted::TlsKey => "a key for TLS",
    }
}
