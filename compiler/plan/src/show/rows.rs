//! A plan as sections of rows, which text and Markdown have in common.

use std::collections::BTreeMap;

use postkiln_blueprint::Kind;
use postkiln_blueprint::impact::Class;
use postkiln_findings::Place;

use super::value::{difference, quoted, summary, when};
use crate::change::{Action, Attribute, Change};
use crate::units::Unit;
use crate::words::{counted, some};
use crate::{DnsChange, Plan, Style};

/// Rows under a title.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    /// A line about things that are only counted.
    pub(super) note: Option<String>,
}

/// One line of a section.
pub(super) struct Row {
    /// The mark at the beginning: `+`, `-`, `~`, `!` or a blank.
    pub(super) mark: char,
    pub(super) thing: String,
    pub(super) what: String,
    /// The place, or advice, at the end of the line.
    pub(super) aside: String,
}

impl Section {
    fn new(title: impl Into<String>, rows: Vec<Row>) -> Self {
        Self { title: title.into(), rows, note: None }
    }
}

/// The sections: the appliance, each domain, secrets, records, keys, guards. Empty sections are left out.
pub(super) fn sections(plan: &Plan, style: Style) -> Vec<Section> {
    let mut groups: BTreeMap<Option<&str>, Vec<&Change>> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| change.id.kind() != Kind::Secret) {
        groups.entry(change.id.domain()).or_default().push(change);
    }
    let mut sections: Vec<Section> = Vec::new();
    let mut others: BTreeMap<(Action, Kind), usize> = BTreeMap::new();
    let mut domains = 0;
    for (domain, changes) in &groups {
        domains += usize::from(domain.is_some());
        if domains <= MOST_DOMAINS || style.full {
            sections.push(group(plan, *domain, changes, style));
        } else {
            changes.iter().for_each(|change| *others.entry((change.action, change.id.kind())).or_default() += 1);
        }
    }
    if !others.is_empty() {
        let rows =
            others.into_iter().map(|((action, kind), count)| unlisted(mark(action), &counted(count, kind.name())));
        sections.push(Section::new(format!("… {} more domains", domains - MOST_DOMAINS), rows.collect()));
    }
    let secrets = plan.changes.iter().filter(|change| change.id.kind() == Kind::Secret);
    let secrets = secrets.flat_map(|change| rows(change, style)).collect();
    sections.push(Section::new("secrets", cut(secrets, "more secrets", style)));
    let records = plan.dns.iter().map(|record| dns(plan, record, style)).collect();
    sections.push(Section::new("dns (to publish)", cut(records, "more records", style)));
    let steps = plan.rotations.iter().map(|one| Row {
        mark: '~',
        thing: one.domain.clone(),
        what: one.words(),
        aside: one.place.as_ref().map_or_else(String::new, position),
    });
    sections.push(Section::new("dkim", cut(steps.collect(), "more keys", style)));
    sections.push(Section::new("guards", guards(plan)));
    sections.retain(|section| !section.rows.is_empty());
    sections
}

fn group(plan: &Plan, domain: Option<&str>, changes: &[&Change], style: Style) -> Section {
    let mut shown: BTreeMap<(Action, Kind), usize> = BTreeMap::new();
    let (mut lines, mut follow) = (Vec::new(), Vec::new());
    for change in changes {
        if change.follows() && !style.full {
            follow.push(change.id.to_string());
            continue;
        }
        let count = shown.entry((change.action, change.id.kind())).or_default();
        *count += 1;
        if *count <= MOST_ROWS || style.full {
            lines.extend(rows(change, style));
        }
    }
    for ((action, kind), count) in shown {
        if count > MOST_ROWS && !style.full {
            lines.push(unlisted(mark(action), &format!("… {} more {}", count - MOST_ROWS, kind.plural())));
        }
    }
    if !follow.is_empty() {
        let what = follow.join(", ");
        lines.push(Row { mark: '~', thing: "what follows".to_owned(), what, aside: String::new() });
    }
    // Kinds that a person counts; files and services are many and always the same.
    let counts = |kind| matches!(kind, Kind::User | Kind::Alias | Kind::List | Kind::Autoresponder);
    let equal = plan.unchanged.iter().filter(|((of, kind), _)| of.as_deref() == domain && counts(*kind));
    let equal: Vec<String> = equal.map(|((_, kind), count)| counted(*count, kind.name())).collect();
    let note = (!equal.is_empty()).then(|| format!("({} unchanged)", equal.join(", ")));
    Section { note, ..Section::new(domain.unwrap_or("appliance"), lines) }
}

/// The first rows of a list, and the number of further ones for each mark.
fn cut(mut rows: Vec<Row>, more: &str, style: Style) -> Vec<Row> {
    if style.full || rows.len() <= MOST_RECORDS {
        return rows;
    }
    let mut left: BTreeMap<char, usize> = BTreeMap::new();
    rows.split_off(MOST_RECORDS).iter().for_each(|row| *left.entry(row.mark).or_default() += 1);
    rows.extend(left.into_iter().map(|(mark, count)| unlisted(mark, &format!("… {count} {more}"))));
    rows
}

/// A row for things that are only counted.
fn unlisted(mark: char, what: &str) -> Row {
    Row { mark, thing: what.to_owned(), what: String::new(), aside: "--full lists them".to_owned() }
}

/// A row for the thing, and one for each further field.
fn rows(change: &Change, style: Style) -> Vec<Row> {
    let thing = match (change.id.kind(), change.id.local()) {
        (Kind::User | Kind::Alias | Kind::List | Kind::Autoresponder, Some(local)) => {
            format!("{}/{local}", change.id.kind().name())
        }
        _ => change.id.to_string(),
    };
    let aside = |place: &Option<Place>| place.as_ref().map_or_else(String::new, position);
    let mark = mark(change.action);
    if change.action != Action::Change {
        return vec![Row { mark, thing, what: summary(change, style.full), aside: aside(&change.place) }];
    }
    let renamed = change.from.iter().map(|from| (format!("was {from}"), aside(&change.place)));
    // The version of a secret says all; the public halves of keys are in the zones.
    let told = |one: &&Attribute| change.id.kind() != Kind::Secret || one.field.name == "version" || style.full;
    let fields = change.attributes.iter().filter(told).map(|one| (difference(one, style.full), aside(&one.place)));
    let mut rows: Vec<Row> =
        renamed.chain(fields).map(|(what, aside)| Row { mark, thing: String::new(), what, aside }).collect();
    if let Some(first) = rows.first_mut() {
        first.thing = thing;
    }
    rows
}

fn dns(plan: &Plan, record: &DnsChange, style: Style) -> Row {
    let data = |value: &str| if record.kind == "TXT" { quoted(value, style.full) } else { value.to_owned() };
    let what = match (&record.before, record.action) {
        (Some(before), _) => format!("{} {} -> {}", record.kind, data(before), data(&record.value)),
        (None, Action::Remove) => format!("{} {}", record.kind, data(&record.value)),
        _ => format!("{} {} ttl {}", record.kind, data(&record.value), record.ttl),
    };
    Row { mark: mark(record.action), thing: record.name.clone(), what, aside: when(record, plan.queue_lifetime) }
}

fn guards(plan: &Plan) -> Vec<Row> {
    let row = |guard: &crate::Guard| {
        let state = if guard.allowed { "allowed".to_owned() } else { format!("needs --allow {}", guard.name) };
        let place = guard.place.as_ref().map_or_else(String::new, |place| format!("  {}", position(place)));
        Row { mark: '!', thing: guard.name.to_string(), what: guard.message.clone(), aside: format!("{state}{place}") }
    };
    plan.guards.iter().map(row).collect()
}

/// The section about the node's reaction.
pub(super) fn impact(plan: &Plan) -> Section {
    let mut rows = vec![data_only(plan)];
    for (class, always) in [
        (Class::Swap, true),
        (Class::Rebind, false),
        (Class::Restart, true),
        (Class::Migrate, false),
        (Class::Reboot, true),
    ] {
        let units: Vec<&Unit> = plan.impact.units.iter().filter(|unit| unit.class == class).collect();
        if units.is_empty() && !always {
            continue;
        }
        let mut names: Vec<&str> = units.iter().map(|unit| unit.role.name()).collect();
        if names.is_empty() {
            names.push("-");
        }
        rows.push(Row { mark: ' ', thing: class.name().to_owned(), what: names.join(", "), aside: because(&units) });
    }
    rows.extend(elsewhere(plan));
    let note = format!("estimated interruption: {}", interruption(plan));
    Section { note: Some(note), ..Section::new("impact", rows) }
}

/// A row that counts the things whose changes are only rows of the user database.
fn data_only(plan: &Plan) -> Row {
    let is_data = |change: &&Change| {
        // A renamed user is one row with another name.
        let renamed = change.from.is_some().then_some(Class::Data);
        let classes = change.attributes.iter().map(|attribute| attribute.field.class).chain(renamed);
        classes.max() == Some(Class::Data) && (renamed.is_none() || change.id.kind() == Kind::User)
    };
    let things: Vec<String> = plan.changes.iter().filter(is_data).map(|change| change.id.to_string()).collect();
    let things: Vec<&str> = things.iter().map(String::as_str).collect();
    let (what, aside) = match things.len() {
        0 => ("-".to_owned(), String::new()),
        _ => (some(&things), sessions(plan)),
    };
    Row { mark: ' ', thing: "data only".to_owned(), what, aside }
}

/// The effect on sessions: changed rows touch none, so a person who is removed stays logged in until the session ends.
fn sessions(plan: &Plan) -> String {
    let goes = |change: &Change| {
        let closes = |one: &Attribute| one.field.name == "disabled" && one.after == Some(true.into());
        change.id.kind() == Kind::User && (change.action == Action::Remove || change.attributes.iter().any(closes))
    };
    let also = if plan.changes.iter().any(goes) { "; those of users who go last until they log out" } else { "" };
    format!("0 sessions touched{also}")
}

fn because(units: &[&Unit]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in units.iter().flat_map(|unit| &unit.because) {
        if !reasons.contains(&reason.as_str()) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() { String::new() } else { format!("because {}", some(&reasons)) }
}

/// Rows of actions that people take outside the node and outside the zones.
fn elsewhere(plan: &Plan) -> Vec<Row> {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for change in &plan.changes {
        for attribute in &change.attributes {
            if let Some(what) = attribute.field.outside {
                reasons.entry(what).or_default().push(format!("{}:{}", change.id, attribute.dotted()));
            }
        }
    }
    let row = |(what, because): (&str, Vec<String>)| {
        let aside = format!("because {}", some(&because));
        Row { mark: ' ', thing: "elsewhere".to_owned(), what: what.to_owned(), aside }
    };
    reasons.into_iter().map(row).collect()
}

fn interruption(plan: &Plan) -> String {
    let of = |class: Class| {
        let units = plan.impact.units.iter().filter(|unit| unit.class == class);
        units.map(|unit| unit.role.name()).collect::<Vec<_>>().join(", ")
    };
    match plan.impact.class {
        Class::Reboot => "under a minute, while the machine starts".to_owned(),
        Class::Migrate => "while stored data is rewritten; nothing is lost".to_owned(),
        Class::Restart | Class::Rebind if moves(plan) => "connections to the machine's old address end".to_owned(),
        Class::Restart => format!("a few seconds of {}; what was under way is tried again", of(Class::Restart)),
        Class::Rebind => format!("none; sessions on closed ports of {} end in their time", of(Class::Rebind)),
        _ => "none".to_owned(),
    }
}

/// Whether the machine gets another address.
fn moves(plan: &Plan) -> bool {
    let networks =
        |change: &Change| change.id.kind() == Kind::Control && ["network", "network6"].contains(&change.id.name());
    plan.changes.iter().any(networks)
}

/// The last line: `Plan: 2 to add, 2 to change, 1 to remove, 1 secret, 2 dns.  1 warning.  plan id …`
pub(super) fn totals(plan: &Plan) -> String {
    let count = |action| plan.count(action);
    let mut parts = vec![
        format!("{} to add", count(Action::Add)),
        format!("{} to change", count(Action::Change)),
        format!("{} to remove", count(Action::Remove)),
    ];
    if plan.secrets() > 0 {
        parts.push(counted(plan.secrets(), "secret"));
    }
    if !plan.dns.is_empty() {
        parts.push(format!("{} dns", plan.dns.len()));
    }
    let warnings = match plan.warnings.len() {
        0 => String::new(),
        number => format!("  {}.", counted(number, "warning")),
    };
    format!("Plan: {}.{warnings}  plan id {}", parts.join(", "), plan.id())
}

/// The text for an empty plan.
pub(super) fn nothing(plan: &Plan) -> String {
    let same = if plan.base.bundle == plan.new.bundle { "the bundles are the same" } else { "only the text differs" };
    let total: usize = plan.unchanged.values().sum();
    format!("No changes: {same} ({} compared).", counted(total, "thing"))
}

pub(super) const fn mark(action: Action) -> char {
    match action {
        Action::Add => '+',
        Action::Change => '~',
        Action::Remove => '-',
    }
}

pub(super) fn position(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.column)
}

/// The largest number of rows for one kind in a domain; further changes are counted.
const MOST_ROWS: usize = 20;
/// The largest number of domains with a section of their own.
const MOST_DOMAINS: usize = 20;
/// The largest number of rows about records and the like.
const MOST_RECORDS: usize = 100;
