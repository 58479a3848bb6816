//! Random sites that nobody would write, made as text, so that the language decides what a site may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;

use super::{Sample, Style, apply, json, planned, text};

/// The fields of a domain. Users are `u0`…, aliases `a0`…, lists `l0`…, autoresponders `r0`…; `u0` is always there.
#[derive(Clone, Debug)]
struct Inside {
    users: BTreeMap<u8, User>,
    aliases: BTreeMap<u8, BTreeSet<u8>>,
    lists: BTreeMap<u8, (BTreeSet<u8>, bool)>,
    responders: BTreeMap<u8, u8>,
    catch_all: u8,
    records: BTreeMap<u8, u8>,
}

#[derive(Clone, Debug)]
struct User {
    quota: u8,
    hash: u8,
    forward: Option<(u8, bool)>,
    flags: u8,
}

type World = BTreeMap<u8, Inside>;

fn user() -> impl Strategy<Value = User> {
    (0_u8..4, 0_u8..3, proptest::option::of((0_u8..4, any::<bool>())), 0_u8..8)
        .prop_map(|(quota, hash, forward, flags)| User { quota, hash, forward, flags })
}

fn inside() -> impl Strategy<Value = Inside> {
    let targets = || btree_set(0_u8..6, 1..4);
    let parts = (
        btree_map(0_u8..6, user(), 0..5),
        btree_map(0_u8..4, targets(), 0..3),
        btree_map(0_u8..3, (targets(), any::<bool>()), 0..3),
        btree_map(0_u8..3, 1_u8..4, 0..2),
        0_u8..3,
        btree_map(0_u8..3, 1_u8..9, 0..3),
    );
    (parts, user()).prop_map(|((mut users, aliases, lists, responders, catch_all, records), first)| {
        users.insert(0, User { flags: 0, forward: None, ..first });
        Inside { users, aliases, lists, responders, catch_all, records }
    })
}

fn world() -> impl Strategy<Value = (World, u8)> {
    (btree_map(0_u8..3, inside(), 1..3), 0_u8..4)
}

/// The site's text. With `backwards`, every set and map is in the other order and a default is written out.
fn written((world, control): &(World, u8), moved: &[(String, String)], backwards: bool) -> String {
    let ordered = |mut items: Vec<String>| {
        if backwards {
            items.reverse();
        }
        items.join(", ")
    };
    let domains = world.iter().map(|(number, inside)| {
        format!("\"d{number}.example\" = {{ {} }}", ordered(fields(inside, &ordered, backwards)))
    });
    let records = world.iter().filter(|(_, inside)| !inside.records.is_empty()).map(|(number, inside)| {
        let each = inside
            .records
            .iter()
            .map(|(name, last)| format!("{{ name = \"h{name}\", type = 'A, value = \"192.0.2.{last}\" }}"));
        format!("\"d{number}.example\" = [{}]", ordered(each.collect()))
    });
    let moved = moved.iter().map(|(from, to)| format!("{{ from = \"{from}\", to = \"{to}\" }}"));
    let mut parts = vec![
        "appliance = { hostname = \"mail.d0.example\", network = { address = \"192.0.2.10/24\", gateway = \"192.0.2.1\", resolvers = [\"192.0.2.53\"] } }".to_owned(),
        format!("domains = {{ {} }}", ordered(domains.collect())),
        format!("dns.records = {{ {} }}", ordered(records.collect())),
        format!("moved = [{}]", moved.collect::<Vec<_>>().join(", ")),
    ];
    if *control > 0 {
        parts.push(format!("control.concurrencyremote = {control}"));
    }
    let mut text = String::from("let pk = import \"postkiln/site.ncl\" in\n");
    if backwards {
        parts.push("antivirus.engine = 'none".to_owned());
        text.push_str("# Another hand.\n\n");
    }
    writeln!(text, "{{ {} }} | pk.Site", ordered(parts)).unwrap();
    text
}

fn fields(inside: &Inside, ordered: &impl Fn(Vec<String>) -> String, backwards: bool) -> Vec<String> {
    let known = |targets: &BTreeSet<u8>| {
        let there = targets.iter().filter(|target| inside.users.contains_key(target));
        let names: BTreeSet<String> =
            there.map(|target| format!("\"u{target}\"")).chain(["\"u0\"".to_owned()]).collect();
        ordered(names.into_iter().collect())
    };
    let users = inside.users.iter().map(|(number, user)| format!("u{number} = {{ {} }}", ordered(person(user))));
    let aliases = inside.aliases.iter().map(|(number, to)| format!("a{number} = [{}]", known(to)));
    let lists = inside.lists.iter().map(|(number, (members, open))| {
        let post = if *open { "'anyone" } else { "'members" };
        format!("l{number} = {{ members = [{}], post = {post} }}", known(members))
    });
    let responders = inside.responders.iter().map(|(number, days)| {
        format!("r{number} = {{ subject = \"s{days}\", text = \"away\", once_per = \"{days} days\" }}")
    });
    let mut fields = vec![
        "postmaster = \"u0\"".to_owned(),
        format!("users = {{ {} }}", ordered(users.collect())),
        format!("aliases = {{ {} }}", ordered(aliases.collect())),
        format!("lists = {{ {} }}", ordered(lists.collect())),
        format!("autoresponders = {{ {} }}", ordered(responders.collect())),
    ];
    match inside.catch_all {
        0 if backwards => fields.push("catch_all = 'reject".to_owned()),
        0 => {}
        1 => fields.push("catch_all = 'discard".to_owned()),
        _ => fields.push("catch_all = 'deliver_to \"u0\"".to_owned()),
    }
    fields
}

fn person(user: &User) -> Vec<String> {
    let hash = ["a", "b", "c"][usize::from(user.hash)].repeat(86);
    let mut fields = vec![format!("password.hash = \"$6$salt${hash}\"")];
    if user.quota > 0 {
        fields.push(format!("quota = \"{} GiB\"", user.quota));
    }
    if let Some((to, keep)) = user.forward {
        fields.push(format!("forward = {{ to = [\"x{to}@elsewhere.example\"], keep = {keep} }}"));
    }
    for (bit, field) in [(1, "admin = true"), (2, "deny = ['pop3, 'imap]"), (4, "name = \"A name\"")] {
        if user.flags & bit > 0 {
            fields.push(field.to_owned());
        }
    }
    fields
}

/// Possible renames of users: each user who goes, paired with one who comes.
fn renames(base: &World, new: &World) -> Vec<(String, String)> {
    let names = |world: &World| -> BTreeSet<String> {
        let all = world.iter().flat_map(|(domain, inside)| inside.users.keys().map(move |user| (user, domain)));
        all.map(|(user, domain)| format!("user/u{user}@d{domain}.example")).collect()
    };
    let (base, new) = (names(base), names(new));
    base.difference(&new).cloned().zip(new.difference(&base).cloned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Compared with itself, or with itself in another order, a site has not changed.
    #[test]
    fn a_site_differs_from_itself_in_nothing(world in world()) {
        let one = Sample::new(&written(&world, &[], false));
        let two = Sample::new(&written(&world, &[], true));
        for (base, new) in [(&one, &one), (&one, &two)] {
            let plan = planned(base, new);
            prop_assert!(plan.is_empty() && plan.changes.is_empty(), "{}", text(&plan, Style::default()));
            prop_assert_eq!(&base.blueprint, &new.blueprint);
        }
    }

    /// The operations of a plan turn the base's blueprint into the new one, renames included, in both directions. A
    /// plan is empty only when there is nothing to do.
    #[test]
    fn a_plan_does_what_it_says(base in world(), new in world(), renamed in any::<bool>()) {
        let moved = if renamed { renames(&base.0, &new.0) } else { Vec::new() };
        let one = Sample::new(&written(&base, &[], false));
        let two = Sample::new(&written(&new, &moved, false));
        for (base, new) in [(&one, &two), (&two, &one)] {
            let plan = planned(base, new);
            prop_assert_eq!(&apply(&base.blueprint, &plan.operations).unwrap(), &new.blueprint);
            prop_assert_eq!(plan.is_empty(), base.blueprint == new.blueprint);
            // Every user who goes is named in the plan.
            let shown = json(&plan).to_string();
            for (name, mail) in &base.blueprint.domains {
                let kept = new.blueprint.domains.get(name);
                for local in mail.users.keys().filter(|local| !kept.is_some_and(|kept| kept.users.contains_key(*local))) {
                    prop_assert!(shown.contains(&format!("user/{}@{name}", local.as_str())), "{shown}");
                }
            }
            prop_assert!(!shown.contains("$6$") && !shown.contains("fingerprint"));
        }
    }
}
