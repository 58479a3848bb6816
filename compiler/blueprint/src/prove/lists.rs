//! Lists: each has somebody who may post and somebody who reads, and nothing else is declared at its command addresses.

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_control::dot_qmail::MOST_TARGETS;
use postkiln_control::list::{List as Commands, MOST_MEMBERS, Members, Subscribe};
use postkiln_findings::suggest::nearest;
use postkiln_site::{Autoresponder, DomainEntry, Gap, List, MailDomain, Place, Placed, Posting, Section, Site};

use super::mail_domains;
use crate::codes;
use crate::findings::Findings;

/// Reports lists that are dead, and lists and replies that contradict themselves.
pub(super) fn check(site: &Site, findings: &mut Findings) {
    for (domain, mail) in mail_domains(site) {
        for (local, list) in &mail.lists {
            let name = Address::new(local.clone(), domain.clone());
            if is_known(site, &name) {
                posting(&name, list, findings);
                waiting(&name, &list.value, findings);
                sublist(site, &name, &list.value, findings);
            }
            contradictions(&name, &list.value, findings);
            numbers(&name, "members", list.value.members.len(), MOST_MEMBERS, &list.place, findings);
        }
        for (local, targets) in &mail.aliases {
            let name = Address::new(local.clone(), domain.clone());
            numbers(&name, "targets", targets.value.len(), MOST_TARGETS, &targets.place, findings);
        }
        commands(domain, mail, findings);
        for (local, responder) in &mail.autoresponders {
            reply_from(site, &format!("{local}@{domain}"), &responder.value, findings);
        }
    }
}

/// Whether all settings of a list could be read, its members among them.
fn is_known(site: &Site, list: &Address) -> bool {
    !site.gaps.lack(&Gap::Settings(list.domain().clone(), list.local().clone()))
}

/// No more than the node takes at once.
fn numbers(name: &Address, what: &str, number: usize, most: usize, place: &Place, findings: &mut Findings) {
    if number > most {
        let message = format!("{name} has {number} {what}; the node takes {most}");
        findings
            .add(codes::TOO_MANY_RECIPIENTS, place, message)
            .hint("divide it into several lists, and make a list of these");
    }
}

fn posting(name: &Address, list: &Placed<List>, findings: &mut Findings) {
    let List { members, moderators, allow, managed, post, .. } = &list.value;
    let is_empty = members.is_empty() && managed.value == Members::Declared;
    let may_nobody = match post.value {
        Posting::Moderators => moderators.is_empty() && allow.is_empty(),
        Posting::Members => is_empty && moderators.is_empty() && allow.is_empty(),
        Posting::Anyone | Posting::MembersElseModerated | Posting::Moderated => false,
    };
    if may_nobody {
        let (lack, hint) = match post.value {
            Posting::Moderators => {
                ("moderators", "add `moderators = [\"ada\"]`, or let members post with `post = 'members`")
            }
            _ => ("members", "add members"),
        };
        let message = format!("nobody may post to {name}: it has no {lack}");
        findings.add(codes::NOBODY_POSTS, &post.place, message).hint(hint);
    } else if is_empty {
        let message = format!("{name} has no members: posts reach nobody");
        findings.add(codes::EMPTY_LIST, &list.place, message).hint("add members");
    }
}

/// A list whose posts wait for moderators must have some.
fn waiting(name: &Address, list: &List, findings: &mut Findings) {
    if !list.moderators.is_empty() {
        return;
    }
    if matches!(list.post.value, Posting::Moderated | Posting::MembersElseModerated) {
        let message = format!("posts to {name} wait for its moderators, and it has none");
        findings.add(codes::NO_MODERATOR, &list.post.place, message).hint("add `moderators = [\"ada\"]`");
    }
    if list.managed.value == Members::Delegated && list.subscribe.value == Subscribe::Moderated {
        let message = format!("subscriptions to {name} wait for its moderators, and it has none");
        findings.add(codes::NO_MODERATOR, &list.subscribe.place, message).hint("add `moderators = [\"ada\"]`");
    }
}

fn contradictions(name: &Address, list: &List, findings: &mut Findings) {
    for denied in &list.deny {
        let same = |one: &&Placed<Address>| one.value.key() == denied.value.key();
        let moderator = list.moderators.iter().find(same).map(|one| (one, "a moderator here"));
        if let Some((other, what)) = moderator.or_else(|| list.allow.iter().find(same).map(|one| (one, "allowed here")))
        {
            let message = format!("{} may not post to {name}, and may post to it", denied.value);
            let finding = findings.add(codes::ALLOWED_AND_DENIED, &denied.place, message);
            finding.related.push((other.place.clone(), what.to_owned()));
            finding.hint("remove one of the two");
        }
    }
}

/// A main list of this site must send to its sublist.
fn sublist(site: &Site, name: &Address, list: &List, findings: &mut Findings) {
    let Some(main) = &list.sublist_of else { return };
    let problem = if main.value.key() == name.key() {
        Some(("it is that list itself", "name the main list, or remove `sublist_of`".to_owned()))
    } else {
        match site.domains.get(main.value.domain()).map(|entry| &entry.value) {
            // The list belongs to somebody else, or is reached through an alias domain.
            None | Some(DomainEntry::AliasOf(_)) => None,
            Some(DomainEntry::Mail(mail)) => match find(&mail.lists, main.value.local()) {
                None if site.gaps.hide_names(main.value.domain()) => None,
                Some(_) if !is_known(site, &main.value) => None,
                None => {
                    let near = nearest(main.value.local().as_str(), mail.lists.keys().map(LocalPart::as_str));
                    let hint = near.map_or_else(|| "declare it".to_owned(), |near| format!("did you mean {near:?}?"));
                    Some(("that is no list of this site", hint))
                }
                Some(of) if of.value.members.iter().any(|member| member.value.key() == name.key()) => None,
                Some(_) => {
                    let hint = format!("add {:?} to the members of {}", name.to_string(), main.value);
                    Some(("is not among the members of that list", hint))
                }
            },
        }
    };
    if let Some((problem, hint)) = problem {
        let message = format!("{name} passes on what {} sends, but {problem}", main.value);
        findings.add(codes::SUBLIST, &main.place, message).hint(hint);
    }
}

fn find<'a, T>(map: &'a std::collections::BTreeMap<LocalPart, T>, local: &LocalPart) -> Option<&'a T> {
    map.iter().find(|(name, _)| name.as_str().eq_ignore_ascii_case(local.as_str())).map(|(_, found)| found)
}

/// No other declared address may be one at which a list obeys commands.
fn commands(domain: &Domain, mail: &MailDomain, findings: &mut Findings) {
    for (local, place, what) in others(mail).filter(|_| !mail.lists.is_empty()) {
        let local = local.as_str();
        // These are the lists whose names the address begins with.
        let lists = local.match_indices('-').filter_map(|(at, _)| mail.lists.get_key_value(local.get(..at)?));
        for (list, declared) in lists {
            let is_owner = local.strip_prefix(list.as_str()) == Some("-owner");
            if is_owner || !Commands::is_command(list.as_str(), local) {
                continue;
            }
            let message = format!("{what} {local}@{domain} is an address at which the list {list} obeys commands");
            let finding = findings.add(codes::COMMAND_ADDRESS, place, message);
            finding.related.push((declared.place.clone(), "the list".to_owned()));
            finding.hint(format!("give it another name; {list}-owner may be declared"));
        }
    }
}

/// Every declared address of a domain that could be in a list's way.
fn others(mail: &MailDomain) -> impl Iterator<Item = (&LocalPart, &Place, &'static str)> {
    let users = mail.users.iter().map(|(local, user)| (local, &user.place, "the user"));
    let further = mail.users.values().flat_map(|user| &user.value.aliases);
    let further = further.map(|alias| (&alias.value, &alias.place, "the alias"));
    let aliases = mail.aliases.iter().map(|(local, alias)| (local, &alias.place, "the alias"));
    let lists = mail.lists.iter().map(|(local, list)| (local, &list.place, "the list"));
    let robots = mail.autoresponders.iter().map(|(local, robot)| (local, &robot.place, "the autoresponder"));
    users.chain(further).chain(aliases).chain(lists).chain(robots)
}

fn reply_from(site: &Site, name: &str, responder: &Autoresponder, findings: &mut Findings) {
    let Some(from) = &responder.from else { return };
    if !site.gaps.any_section(&[Section::Domains]) && !site.domains.contains_key(from.value.domain()) {
        let message = format!("the reply of {name} is from {}, which is no address of this site", from.value);
        findings.add(codes::REPLY_FROM, &from.place, message).hint("name an address of one of the site's domains");
    }
}
