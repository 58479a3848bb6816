//! Autoresponders stand where an answer is of use. They answer no list, no other answer and no bounce (RFC 3834 §2), so
//! no circle goes through them; but mail that ends at one is read by nobody.

use std::collections::BTreeMap;

use postkiln_site::{Gap, Site};

use super::sending::{Edge, Node, Role};
use crate::codes;
use crate::findings::Findings;
use crate::model::Blueprint;

/// Reports lists whose posts end at a robot, and catch-alls that answer mail to any name.
pub(super) fn check(site: &Site, blueprint: &Blueprint, edges: &[Edge<'_>], findings: &mut Findings) {
    // An alias that leads to a robot may lead to somebody else besides.
    if site.gaps.any(|gap| matches!(gap, Gap::Way(_, Some(_)))) {
        return;
    }
    let lone = lone_robots(blueprint, edges);
    for edge in edges {
        let Some(robot) = edge.node().and_then(|node| lone.get(&node).map(name)) else { continue };
        let who = edge.who();
        if edge.role == Role::Member {
            findings
                .add(
                    codes::ROBOT_MEMBER,
                    edge.place,
                    format!("{who} is the autoresponder {robot}, which answers no list"),
                )
                .hint("posts would end there unread: remove it, or name a person");
        }
        if edge.role == Role::CatchAll {
            findings
                .add(codes::ROBOT_CATCH_ALL, edge.place, format!("the catch-all leads to the autoresponder {robot}"))
                .hint("whatever is sent to made-up names would be answered, to forged senders too: use 'reject");
        }
    }
}

/// Addresses whose mail ends only at a robot: robots that are no user, and aliases of nothing else.
fn lone_robots<'a>(blueprint: &'a Blueprint, edges: &[Edge<'a>]) -> BTreeMap<Node<'a>, Node<'a>> {
    let mut lone = BTreeMap::new();
    for (domain, mail) in &blueprint.domains {
        for local in mail.responders.keys().filter(|local| !mail.users.contains_key(*local)) {
            let node = (domain, Some(local.clone()));
            lone.insert(node.clone(), node);
        }
    }
    let aliases = edges.iter().filter(|edge| edge.role == Role::Alias);
    let mut targets: BTreeMap<&Node<'a>, Vec<&Edge<'a>>> = BTreeMap::new();
    for edge in aliases {
        targets.entry(&edge.from).or_default().push(edge);
    }
    // One level of aliases is enough: a person who hides a robot behind two knows what that does.
    let mut hidden = Vec::new();
    for (from, targets) in targets {
        if let [only] = targets.as_slice()
            && let Some(robot) = only.node().and_then(|node| lone.get(&node))
        {
            hidden.push((from.clone(), robot.clone()));
        }
    }
    lone.extend(hidden);
    lone
}

fn name(node: &Node<'_>) -> String {
    match node {
        (domain, Some(local)) => format!("{local}@{domain}"),
        (domain, None) => domain.to_string(),
    }
}
