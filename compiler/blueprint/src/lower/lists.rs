//! Mailing lists and automatic replies of a domain.

use std::collections::BTreeMap;

use postkiln_address::LocalPart;
use postkiln_site as site;

use super::names::Names;
use super::placed::{value, values};
use crate::findings::Findings;
use crate::model::{List, Responder};

/// The lists by local part.
pub(super) fn lower<'a>(
    mail: &'a site::MailDomain,
    names: &mut Names<'a>,
    findings: &mut Findings,
) -> BTreeMap<LocalPart, List> {
    let mut lists = BTreeMap::new();
    for (local, list) in &mail.lists {
        names.declare(local, &list.place, "a list", true, findings);
        lists.insert(local.to_lower_case(), lowered(&list.value));
    }
    lists
}

fn lowered(list: &site::List) -> List {
    List {
        members: values(&list.members),
        managed: list.managed.value,
        post: list.post.value,
        moderators: values(&list.moderators),
        owner: value(&list.owner),
        allow: values(&list.allow),
        deny: values(&list.deny),
        subscribe: list.subscribe.value,
        unsubscribe: list.unsubscribe.value,
        archive: list.archive.value,
        digest: value(&list.digest),
        prefix: value(&list.prefix),
        trailer: value(&list.trailer),
        reply_to: list.reply_to.value,
        message_size: value(&list.message_size).unwrap_or_default(),
        mime_remove: values(&list.mime_remove),
        mime_reject: values(&list.mime_reject),
        header_add: values(&list.header_add),
        header_remove: values(&list.header_remove),
        bounce_warnings: list.bounce_warnings.value,
        members_listed: list.members_listed.value,
        remote_administration: list.remote_administration.value,
        texts_editable: list.texts_editable.value,
        sublist_of: value(&list.sublist_of),
    }
}

/// The automatic replies by local part.
pub(super) fn responders<'a>(
    mail: &'a site::MailDomain,
    names: &mut Names<'a>,
    findings: &mut Findings,
) -> BTreeMap<LocalPart, Responder> {
    let mut responders = BTreeMap::new();
    for (local, responder) in &mail.autoresponders {
        names.respond(local, &responder.place, findings);
        let site::Autoresponder { subject, text, once_per, replies, from } = &responder.value;
        let responder = Responder {
            subject: subject.value.clone(),
            text: text.value.clone(),
            once_per: once_per.value,
            replies: u32::try_from(replies.value).unwrap_or(u32::MAX),
            from: value(from),
        };
        responders.insert(local.to_lower_case(), responder);
    }
    responders
}
