//! `limits` of a domain: numbers of users, aliases, lists and the like, and quotas.

use crate::Limits;
use crate::decode::quantity;
use crate::decode::walker::{At, Walker};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Limits> {
    let fields = walker.fields(at, "limits", FIELDS)?;
    let count = |name: &'static str| fields.optional(name, |at| quantity::count(walker, at, name, 0));
    let octets = |name| fields.optional(name, |at| quantity::octets(walker, at));
    let messages = fields.optional("default_quota_messages", |at| quantity::count(walker, at, "messages", 1));
    let (users, aliases, forwards) = (count("users"), count("aliases"), count("forwards"));
    let (autoresponders, lists) = (count("autoresponders"), count("lists"));
    let overcommit = fields.optional("overcommit", |at| walker.boolean(at));
    let (quota, default_quota) = (octets("quota"), octets("default_quota"));
    Some(Limits {
        users: users?,
        aliases: aliases?,
        forwards: forwards?,
        autoresponders: autoresponders?,
        lists: lists?,
        quota: quota?,
        overcommit: overcommit?.unwrap_or(false),
        default_quota: default_quota?,
        default_quota_messages: messages?,
    })
}

const FIELDS: &[&str] = &[
    "users",
    "aliases",
    "forwards",
    "autoresponders",
    "lists",
    "quota",
    "overcommit",
    "default_quota",
    "default_quota_messages",
];
