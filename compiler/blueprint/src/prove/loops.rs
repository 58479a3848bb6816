//! No address leads back to itself.

use std::collections::BTreeMap;

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_site::{CatchAll, Place, Site};

use super::mail_domains;
use crate::codes;
use crate::findings::Findings;
use crate::lower::lower_case;
use crate::model::Blueprint;

/// An address of ours, or the catch-all of a domain (no local part).
type Node<'a> = (&'a Domain, Option<LocalPart>);

/// Who sends mail on, where to, and where that is written.
#[derive(Default)]
struct Graph<'a> {
    numbers: BTreeMap<Node<'a>, usize>,
    targets: Vec<(Vec<Node<'a>>, &'a Place)>,
}

/// How far the search has come with a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    OnPath,
    Done,
}

/// Reports each circle once.
pub(super) fn check(site: &Site, blueprint: &Blueprint, findings: &mut Findings) {
    let graph = graph(site, blueprint);
    let number = |node: &Node<'_>| graph.numbers.get(node).copied();
    // An address that sends nothing on is in no circle.
    let edges: Vec<Vec<usize>> =
        graph.targets.iter().map(|(targets, _)| targets.iter().filter_map(number).collect()).collect();
    let mut states = vec![State::New; edges.len()];
    for start in graph.numbers.values() {
        // Depth first, on a list instead of the stack: a chain may be as long as the site.
        let mut path = vec![(*start, 0)];
        while let Some((node, next)) = path.last_mut() {
            let target = edges.get(*node).and_then(|targets| targets.get(*next)).copied();
            let state = states.get_mut(*node).map(|state| std::mem::replace(state, State::OnPath));
            *next += 1;
            match (state, target) {
                (Some(State::Done) | None, _) | (_, None) => {
                    if let Some(state) = states.get_mut(*node) {
                        *state = State::Done;
                    }
                    path.pop();
                }
                (_, Some(target)) => match states.get(target) {
                    Some(State::New) => path.push((target, 0)),
                    Some(State::OnPath) => {
                        let circle = path.iter().map(|(node, _)| *node).skip_while(|node| *node != target);
                        report(&graph, &circle.collect::<Vec<_>>(), findings);
                    }
                    Some(State::Done) | None => {}
                },
            }
        }
    }
}

fn report(graph: &Graph<'_>, circle: &[usize], findings: &mut Findings) {
    let name = |number: &usize| graph.numbers.iter().find(|(_, other)| *other == number).map(|(node, _)| name(node));
    let place = circle.first().and_then(|first| graph.targets.get(*first)).map(|(_, place)| place);
    let Some(place) = place else { return };
    let names: Vec<String> = circle.iter().chain(circle.first()).filter_map(name).collect();
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
    let mut graph = Graph::default();
    for (domain, mail) in mail_domains(site) {
        let Some((domain, lowered)) = blueprint.domains.get_key_value(domain) else { continue };
        let mut add = |local: Option<&LocalPart>, targets: &[Address], place: &'a Place| {
            let targets = targets.iter().filter_map(|target| node(blueprint, target)).collect();
            graph.numbers.insert((domain, local.map(lower_case)), graph.targets.len());
            graph.targets.push((targets, place));
        };
        for (local, targets) in &mail.aliases {
            let own: Vec<Address> = targets.value.iter().map(|target| target.value.clone()).collect();
            add(Some(local), &own, &targets.place);
        }
        for (local, user) in &mail.users {
            let Some(forward) = &user.value.forward else { continue };
            let own: Vec<Address> = forward.value.to.iter().map(|target| target.value.clone()).collect();
            add(Some(local), &own, &user.place);
            // A user's aliases lead to the user, so they are in a circle only when the user sends mail on.
            let target = Address::new(local.clone(), domain.clone());
            for alias in &user.value.aliases {
                add(Some(&alias.value), std::slice::from_ref(&target), &alias.place);
            }
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
