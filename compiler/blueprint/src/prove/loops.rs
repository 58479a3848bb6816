//! Loops: no address leads back to itself.

use std::collections::BTreeMap;

use postkiln_site::Place;

use super::sending::{Edge, Node};
use crate::codes;
use crate::findings::Findings;

/// Addresses that send mail on, with their targets and the places of those.
#[derive(Default)]
struct Graph<'a> {
    numbers: BTreeMap<Node<'a>, usize>,
    targets: Vec<(Vec<Node<'a>>, &'a Place)>,
}

/// The state of a node in the search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    OnPath,
    Done,
}

/// Reports each circle once.
pub(super) fn check(edges: &[Edge<'_>], findings: &mut Findings) {
    let graph = graph(edges);
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
    let place = |number: &usize| graph.targets.get(*number).map(|(_, place)| *place);
    let Some(first) = circle.first().and_then(place) else { return };
    let names: Vec<String> = circle.iter().chain(circle.first()).filter_map(name).collect();
    let finding = findings
        .add(codes::LOOP, first, format!("mail would go in a circle: {}", names.join(" → ")))
        .hint("let one of these addresses lead somewhere else");
    for (number, name) in circle.iter().zip(&names).skip(1).take(MOST_PLACES) {
        if let Some(place) = place(number).filter(|place| *place != first) {
            finding.related(place, &format!("{name} sends on"));
        }
    }
}

/// The number of further places that are shown for one circle.
const MOST_PLACES: usize = 5;

fn name(node: &Node<'_>) -> String {
    match node {
        (domain, Some(local)) => format!("{local}@{domain}"),
        (domain, None) => format!("the catch-all of {domain}"),
    }
}

fn graph<'a>(edges: &[Edge<'a>]) -> Graph<'a> {
    let mut graph = Graph::default();
    for edge in edges.iter().filter(|edge| edge.role.carries()) {
        let Some(to) = edge.node() else { continue };
        let next = graph.targets.len();
        let number = *graph.numbers.entry(edge.from.clone()).or_insert(next);
        match graph.targets.get_mut(number) {
            Some((targets, _)) => targets.push(to),
            None => graph.targets.push((vec![to], edge.sender)),
        }
    }
    graph
}
