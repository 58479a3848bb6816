//! A mailbox can hold the largest message we accept for it.

use postkiln_control::Databytes;
use postkiln_site::Site;

use super::mail_domains;
use crate::codes;
use crate::findings::Findings;
use crate::model::Blueprint;

/// Reports quotas that an accepted message alone could be over.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let Databytes(usual) = blueprint.control_file().unwrap_or_default();
    // Some networks may send more than others; 0 is no limit.
    let of_networks =
        site.smtp.networks.iter().filter_map(|network| network.value.size.as_ref().map(|size| size.value));
    let limit = of_networks.fold(usual, |one, other| if one == 0 || other == 0 { 0 } else { one.max(other) });
    for (domain, mail) in mail_domains(site) {
        for (local, user) in &mail.users {
            let Some(quota) = &user.value.quota else { continue };
            if limit != 0 && quota.value >= limit {
                continue;
            }
            let largest = if limit == 0 { "of any size".to_owned() } else { format!("of up to {limit} octets") };
            let message =
                format!("{local}@{domain} may hold {} octets, and messages {largest} are accepted", quota.value);
            findings
                .add(codes::QUOTA, &quota.place, message)
                .hint("raise the quota, or lower the limit with `smtp.size`");
        }
    }
}
