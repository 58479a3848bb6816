//! No address leads back to itself.

use std::collections::{BTreeMap, BTreeSet};

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_site::{CatchAll, Place, Site};

use super::mail_domains;
use crate::codes;
use crate::findings::{Findings, Hint};
use crate::model::Blueprint;

/// An address of ours that sends mail on, or the catch-all of a domain (no local part).
type Node<'a> = (&'a Domain, Option<LocalPart>);
/// Where each sends it, and where that is written.
type Graph<'a> = BTreeMap<Node<'a>, (Vec<Node<'a>>, &'a Place)>;

/// Reports each circle once.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let graph = graph(site, blueprint);
    let mut done: BTreeSet<&Node<'_>> = BTreeSet::new();
    for start in graph.keys() {
        // Depth first, on a list instead of the stack: a chain may be as long as the site.
        let mut path: Vec<(&Node<'_>, usize)> = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            let node: &Node<'_> = node;
            let target = graph.get(node).and_then(|(targets, _)| targets.get(*next));
            *next += 1;
            match target {
                _ if done.contains(node) => {
                    path.pop();
                }
                None => {
                    done.insert(node);
                    path.pop();
                }
                Some(target) => match path.iter().position(|(passed, _)| *passed == target) {
                    Some(first) => {
                        let circle: Vec<&Node<'_>> = path.iter().skip(first).map(|(node, _)| *node).collect();
                        report(&graph, &circle, findings);
                    }
                    None => path.push((target, 0)),
                },
            }
        }
    }
}

fn report(graph: &Graph<'_>, circle: &[&Node<'_>], findings: &mut Findings) {
    let Some((start, (_, place))) = circle.first().and_then(|node| graph.get_key_value(*node)) else { return };
    let names: Vec<String> = circle.iter().copied().chain([start]).map(name).collect();
    findings
        .add(codes::LOOP, place, format!("mail would go in a circle: {}", names.join(" → ")))
        .hint("let one of these addresses lead somewhere else");
}

fn name(node: &Node<'_>) -> String {
    match node {
        (domain, Some(local)) => format!("{local}@{domain}"),
        (domain, None) => format!("the catch-all of {domain}"),
    }
}

fn graph<'a>(site: &'a Site, blueprint: &'a Blueprint) -> Graph<'a> {
    let mut graph = Graph::new();
    for (domain, mail) in mail_domains(site) {
        let Some(lowered) = blueprint.domains.get_key_value(domain) else { continue };
        let (domain, lowered) = lowered;
        let mut add = |local: Option<&LocalPart>, targets: &[Address], place: &'a Place| {
            let local = local.and_then(|local| LocalPart::new(&local.as_str().to_ascii_lowercase()).ok());
            let targets = targets.iter().filter_map(|target| node(blueprint, target)).collect();
            graph.insert((domain, local), (targets, place));
        };
        for (local, targets) in &mail.aliases {
            let own: Vec<Address> = targets.value.iter().map(|target| target.value.clone()).collect();
            add(Some(local), &own, &targets.place);
        }
        for (local, user) in &mail.users {
            let target = Address::new(local.clone(), domain.clone());
            for alias in &user.value.aliases {
                add(Some(&alias.value), std::slice::from_ref(&target), &alias.place);
            }
            let forwards = user.value.forward.iter().flat_map(|forward| &forward.value.to);
            let own: Vec<Address> = forwards.map(|target| target.value.clone()).collect();
            add(Some(local), &own, &user.place);
        }
        for (local, list) in &mail.lists {
            let members: Vec<Address> = list.value.members.iter().map(|member| member.value.clone()).collect();
            add(Some(local), &members, &list.place);
        }
        if let Ok(postmaster) = LocalPart::new("postmaster")
            && let (false, Some(targets)) = (is_written(mail, &postmaster), lowered.aliases.get(&postmaster))
        {
            add(Some(&postmaster), targets, &mail.postmaster.place);
        }
        if let CatchAll::Deliver(target) = &mail.catch_all.value {
            add(None, std::slice::from_ref(target), &mail.catch_all.place);
        }
    }
    graph
}

/// Whether the site itself declares the alias.
fn is_written(mail: &postkiln_site::MailDomain, local: &LocalPart) -> bool {
    let same = |other: &LocalPart| other.as_str().eq_ignore_ascii_case(local.as_str());
    mail.aliases.keys().any(same)
        || mail.users.values().any(|user| user.value.aliases.iter().any(|alias| same(&alias.value)))
}

/// The node a target is, when it is ours.
fn node<'a>(blueprint: &'a Blueprint, target: &Address) -> Option<Node<'a>> {
    let (domain, local) = blueprint.own_address(target)?;
    let mail = blueprint.domains.get(domain)?;
    let declared = mail.users.contains_key(&local)
        || mail.aliases.contains_key(&local)
        || mail.lists.contains_key(&local)
        || mail.responders.contains_key(&local);
    Some((domain, declared.then_some(local)))
}
