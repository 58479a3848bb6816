//! Files that Postkiln wrote and reads again, and that people, merges and other versions may have changed in between:
//! `secrets.lock` and a bundle's `blueprint.json`.

use postkiln_address::Address;
use postkiln_blueprint::{Blueprint, ObjectId, World};
use postkiln_bundle::Bundle;
use postkiln_findings::Place;
use postkiln_plan::{Places, Plan, Side, Style};
use postkiln_site::SecretsLock;

use crate::shown;

/// The content of `secrets.lock`.
pub fn secrets_lock(octets: &[u8]) {
    let source = |_: &str| octets.to_vec();
    match SecretsLock::parse(octets) {
        Err(findings) => shown::check_refusal(&source, &findings),
        Ok((lock, findings)) => {
            findings.iter().for_each(|finding| shown::check(&source, finding));
            let printed = lock.print();
            let again = SecretsLock::parse(printed.as_bytes()).unwrap_or_else(|found| panic!("{printed}: {found:#?}"));
            assert_eq!(again.0.print(), printed);
        }
    }
}

/// The content of `blueprint.json`: printed as it was read, walked, and planned against another one.
pub fn blueprint(octets: &[u8]) {
    let Ok(blueprint) = serde_json::from_slice::<Blueprint>(octets) else { return };
    let printed = serde_json::to_string(&blueprint).expect("it came from JSON");
    let again: Blueprint = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{printed}: {error}"));
    assert!(again == blueprint, "printed otherwise: {printed}");
    let recipient: Address = "ada@example.org".parse().expect("an address");
    let _ = World::new(&blueprint).trace(&recipient);
    let known: Blueprint = serde_json::from_str(KNOWN).expect("a case's");
    assert!(plan(&blueprint, &again).is_empty(), "differs from itself: {printed}");
    for plan in [plan(&known, &blueprint), plan(&blueprint, &known)] {
        let _ = (postkiln_plan::json(&plan), postkiln_plan::markdown(&plan, Style::default()));
    }
}

fn plan(base: &Blueprint, new: &Blueprint) -> Plan {
    let bundle = Bundle::new(1, "mail.example.org", Vec::new(), Vec::new());
    let side = |blueprint| Side {
        blueprint,
        manifest: bundle.manifest(),
        places: &Nowhere,
        label: String::new(),
        touched: None,
    };
    Plan::new(&side(base), &side(new), Vec::new(), &[])
}

struct Nowhere;

impl Places for Nowhere {
    fn place(&self, _: &ObjectId, _: &[&str]) -> Option<Place> {
        None
    }
}

const KNOWN: &str = include_str!("../../cases/minimal/expected/blueprint.json");
