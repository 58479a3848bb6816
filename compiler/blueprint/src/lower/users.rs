//! Users, with the settings that their domain gives to all: a quota, denied permissions.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_site as site;
use postkiln_site::{Gap, Gaps, Placed};

use super::names::Names;
use super::password;
use super::placed::values;
use crate::findings::Findings;
use crate::model::{Forward, Permission, User};

/// A domain's users by local part.
pub(super) fn lower<'a>(
    mail: &'a site::MailDomain,
    gaps: &Gaps,
    names: &mut Names<'a>,
    findings: &mut Findings,
) -> BTreeMap<LocalPart, User> {
    let users = mail.users.iter().map(|(local, user)| {
        let file = user.value.forward.is_some();
        names.declare(local, &user.place, "a user", file, findings);
        let local = local.to_lower_case();
        let lowered = lower_user(mail, user);
        if gaps.is_empty() || is_whole(gaps, names.domain(), &local) {
            let has_mailbox = !lowered.disabled && lowered.forward.as_ref().is_none_or(|forward| forward.keep);
            let address = format_args!("{local}@{}", names.domain());
            password::warn(&lowered.password, has_mailbox, address, user, findings);
        }
        (local, lowered)
    });
    users.collect()
}

/// Whether everything is known that decides whether a user can log in.
fn is_whole(gaps: &Gaps, domain: &Domain, local: &LocalPart) -> bool {
    let (domain, local) = (domain.clone(), Some(local.clone()));
    !gaps.lack(&Gap::Person(domain.clone(), local.clone()))
        && !gaps.lack(&Gap::Person(domain.clone(), None))
        && !gaps.lack(&Gap::Way(domain, local))
}

fn lower_user(mail: &site::MailDomain, user: &Placed<site::User>) -> User {
    let site::User { name, quota, quota_messages, password, password_reset, forward, deny, admin, .. } = &user.value;
    let disabled = user.value.is_disabled();
    let forward = forward.as_ref().map(|Placed { value, .. }| Forward { to: values(&value.to), keep: value.keep });
    let password = password::lower(password.as_ref().map(|password| &password.value));
    let or_default = |own: &Option<Placed<u64>>, default: &Option<Placed<u64>>| {
        own.as_ref().or(default.as_ref()).map(|limit| limit.value)
    };
    User {
        name: name.as_ref().map(|name| name.value.clone()).unwrap_or_default(),
        quota: or_default(quota, &mail.limits.default_quota),
        quota_messages: or_default(quota_messages, &mail.limits.default_quota_messages),
        password,
        password_reset: password_reset.as_ref().map_or(0, |reset| reset.value),
        forward,
        deny: permissions(&mail.deny).chain(permissions(deny)).collect(),
        admin: admin.as_ref().is_some_and(|admin| admin.value),
        disabled,
    }
}

/// The denied permissions.
pub(super) fn permissions(denied: &[Placed<Permission>]) -> impl Iterator<Item = Permission> {
    denied.iter().map(|permission| permission.value)
}
