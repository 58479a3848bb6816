//! Users, with the settings that their domain gives to all: a quota, denied permissions.

use std::collections::BTreeMap;

use postkiln_address::LocalPart;
use postkiln_site as site;
use postkiln_site::Placed;

use super::domains::{lower_case, values};
use super::names::Names;
use super::password;
use crate::findings::Findings;
use crate::model::{Forward, Permission, User};

/// A domain's users by local part.
pub(super) fn lower<'a>(
    mail: &'a site::MailDomain,
    names: &mut Names<'a>,
    findings: &mut Findings,
) -> BTreeMap<LocalPart, User> {
    let users = mail.users.iter().map(|(local, user)| {
        let file = user.value.forward.is_some();
        names.declare(local, &user.place, "a user", file, findings);
        let local = lower_case(local);
        let lowered = lower_user(mail, &local, user, names, findings);
        (local, lowered)
    });
    users.collect()
}

fn lower_user(
    mail: &site::MailDomain,
    local: &LocalPart,
    user: &Placed<site::User>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> User {
    let site::User { name, quota, quota_messages, password, password_reset, forward, deny, admin, .. } = &user.value;
    let disabled = user.value.is_disabled();
    let forward = forward.as_ref().map(|Placed { value, .. }| Forward { to: values(&value.to), keep: value.keep });
    let password = password::lower(password.as_ref().map(|password| &password.value));
    let has_mailbox = !disabled && forward.as_ref().is_none_or(|forward| forward.keep);
    password::warn(&password, has_mailbox, format_args!("{local}@{}", names.domain()), user, findings);
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
pub(super) fn permissions(denied: &[Placed<site::Permission>]) -> impl Iterator<Item = Permission> {
    denied.iter().map(|permission| match permission.value {
        site::Permission::Pop3 => Permission::Pop3,
        site::Permission::Imap => Permission::Imap,
        site::Permission::Webmail => Permission::Webmail,
        site::Permission::Submission => Permission::Submission,
        site::Permission::PasswordChange => Permission::PasswordChange,
    })
}
