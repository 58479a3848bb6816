//! Every list has somebody who may post, and somebody who reads.

use postkiln_site::{Posting, Site};

use super::mail_domains;
use crate::codes;
use crate::findings::Findings;

/// Reports lists that are dead.
pub(super) fn check(site: &Site, findings: &mut Findings) {
    for (domain, mail) in mail_domains(site) {
        for (local, list) in &mail.lists {
            let name = format!("{local}@{domain}");
            match list.value.post.value {
                Posting::Moderators if list.value.moderators.is_empty() => {
                    findings
                        .add(
                            codes::NOBODY_POSTS,
                            &list.value.post.place,
                            format!("nobody may post to {name}: it has no moderators"),
                        )
                        .hint("add `moderators = [\"ada\"]`, or let members post with `post = 'members`");
                }
                Posting::Members if list.value.members.is_empty() => {
                    findings
                        .add(
                            codes::NOBODY_POSTS,
                            &list.value.post.place,
                            format!("nobody may post to {name}: it has no members"),
                        )
                        .hint("add members");
                }
                _ if list.value.members.is_empty() => {
                    findings
                        .add(codes::EMPTY_LIST, &list.place, format!("{name} has no members: posts reach nobody"))
                        .hint("add members");
                }
                _ => {}
            }
        }
    }
}
