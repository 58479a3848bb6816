//! A plan for programs, in the form `plan/1`. Fields are added, never changed or removed.

use postkiln_blueprint::impact::Class;
use postkiln_findings::{Diagnostic, Place, finding_json};
use serde_json::{Value, json};

use crate::change::{Action, Attribute, Change};
use crate::units::{Artefact, Unit};
use crate::{DnsChange, Guard, Plan, Rotation};

/// The whole plan as one JSON object.
#[must_use]
pub fn json(plan: &Plan) -> Value {
    json!({
        "format": "plan/1",
        "plan_id": plan.id(),
        "base": { "bundle": plan.base.bundle, "label": plan.base.label },
        "new": { "bundle": plan.new.bundle, "label": plan.new.label },
        "complete": true,
        "applyable": plan.is_applyable(),
        "summary": {
            "add": plan.count(Action::Add),
            "change": plan.count(Action::Change),
            "remove": plan.count(Action::Remove),
            "secret": plan.secrets(),
            "dns": plan.dns.len(),
            "unchanged": plan.unchanged.values().sum::<usize>(),
            "warnings": plan.warnings.len(),
        },
        "changes": plan.changes.iter().map(|change| self::change(plan, change)).collect::<Vec<_>>(),
        "impact": impact(plan),
        "dns": plan.dns.iter().map(|record| dns(plan, record)).collect::<Vec<_>>(),
        "dkim": plan.rotations.iter().map(rotation).collect::<Vec<_>>(),
        "drift": [],
        "guards": plan.guards.iter().map(guard).collect::<Vec<_>>(),
        "warnings": plan.warnings.iter().map(warning).collect::<Vec<_>>(),
        "artefacts": plan.impact.artefacts.iter().map(artefact).collect::<Vec<_>>(),
    })
}

fn change(plan: &Plan, change: &Change) -> Value {
    let mut object = json!({
        "id": change.id,
        "kind": change.id.kind().name(),
        "action": change.action.name(),
        "reason": if change.follows() { "follows" } else { "config" },
        "attrs": change.attributes.iter().map(attribute).collect::<Vec<_>>(),
        "src": change.place.as_ref().map(place),
        "impact": effects(plan, change),
    });
    if let Some(from) = &change.from {
        object["from"] = json!(from);
    }
    object
}

fn attribute(attribute: &Attribute) -> Value {
    let shown = |side: &Option<Value>| if attribute.is_sensitive() { Value::Null } else { json!(side) };
    json!({
        "path": attribute.path,
        "before": shown(&attribute.before),
        "after": shown(&attribute.after),
        "sensitive": attribute.is_sensitive(),
        "src": attribute.place.as_ref().map(place),
    })
}

/// The effects of this change, such as `reload:smtpd`, for each unit that acts because of it.
fn effects(plan: &Plan, change: &Change) -> Vec<String> {
    let id = change.id.to_string();
    let because = |reason: &String| reason.split_once(':').map_or(reason.as_str(), |(thing, _)| thing) == id;
    let units = plan.impact.units.iter().filter(|unit| unit.because.iter().any(because));
    units.map(|unit| format!("{}:{}", unit.class.name(), unit.role)).collect()
}

fn impact(plan: &Plan) -> Value {
    let dropped = if plan.impact.class <= Class::Swap { json!(0) } else { Value::Null };
    json!({
        "class": plan.impact.class.name(),
        "units": plan.impact.units.iter().map(unit).collect::<Vec<_>>(),
        "image": { "changed": Value::Null },
        "sessions": { "dropped": dropped },
    })
}

fn unit(unit: &Unit) -> Value {
    json!({ "unit": unit.role.name(), "class": unit.class.name(), "because": unit.because })
}

fn dns(plan: &Plan, record: &DnsChange) -> Value {
    let mut object = json!({
        "action": record.action.name(),
        "name": record.name,
        "type": record.kind,
        "value": record.value,
        "ttl": record.ttl,
        "when": record.when,
        "visible": Value::Null,
        "src": record.place.as_ref().map(place),
    });
    if let Some(before) = &record.before {
        object["before"] = json!(before);
    }
    if record.when == crate::When::AfterQueueLifetime {
        object["after_seconds"] = json!(plan.queue_lifetime);
    }
    object
}

fn rotation(rotation: &Rotation) -> Value {
    json!({
        "domain": rotation.domain,
        "step": rotation.step.name(),
        "selector": rotation.selector,
        "src": rotation.place.as_ref().map(place),
    })
}

fn guard(guard: &Guard) -> Value {
    json!({
        "name": guard.name.name(),
        "code": guard.name.code().name(),
        "msg": guard.message,
        "objects": guard.objects,
        "allowed": guard.allowed,
        "src": guard.place.as_ref().map(place),
    })
}

fn warning(finding: &Diagnostic) -> Value {
    let mut object = json!({ "code": finding.code.name(), "msg": finding.message });
    object["src"] = finding.place.as_ref().map_or_else(|| json!({}), place);
    if let Some(hint) = finding_json(finding).get("hint") {
        object["hint"] = hint.clone();
    }
    object
}

fn artefact(artefact: &Artefact) -> Value {
    let hash = |side: &Option<String>| side.as_ref().map(|hash| format!("sha256:{hash}"));
    let readers: Vec<&str> = artefact.readers.iter().map(|role| role.name()).collect();
    json!({
        "path": artefact.path,
        "before": hash(&artefact.before),
        "after": hash(&artefact.after),
        "bytes": artefact.growth,
        "readers": readers,
    })
}

fn place(place: &Place) -> Value {
    json!({
        "file": *place.file,
        "line": place.line,
        "col": place.column,
        "end_line": place.end_line,
        "end_col": place.end_column,
    })
}
