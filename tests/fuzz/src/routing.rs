//! The walk from an address to its destinations, in any tables: it ends, in destinations or in a refusal.
//!
//! An input is the address and then lines of the tables: `virtualdomains LINE`, `assign LINE`, `separator DOMAIN
//! CHARACTER`, `user DOMAIN NAME open` (or `closed`), for each line of a file `file DOMAIN NAME INSTRUCTION`, and for
//! each of a table's record `record DOMAIN LOCAL INSTRUCTION`: a domain has one table, whatever its name.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use postkiln_address::Address;
use postkiln_control::dot_qmail::{self, Instruction, Rule};
use postkiln_control::users_assign::{self, Assigned};
use postkiln_control::{ControlFile, Virtualdomains, fastforward};
use postkiln_routing::{Destination, LookUp, Route, RouteError, Step, UserState, block_on_ready, route, trace};

/// An address and the tables in which it is looked up.
pub fn routing(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let (recipient, tables) = text.split_once('\n').unwrap_or((text, ""));
    let (Ok(recipient), Some(mut world)) = (recipient.parse::<Address>(), World::read(tables)) else { return };
    let traced = block_on_ready(trace(&mut world, &recipient));
    // Each address is looked at only once, and each but the first stands in some line.
    assert!(world.levels <= tables.lines().count() + 1, "{} levels", world.levels);
    let routed = block_on_ready(route(&mut world, &recipient));
    match (traced, routed) {
        (Ok((traced, steps)), Ok(routed)) => {
            assert_eq!(traced, routed);
            world.check(&recipient, &routed, &steps);
        }
        (Err(RouteError::Instructions { domain, name, .. }), Err(_)) => {
            let is_obeyed = world.instructions(&domain, &name).is_ok() && world.tables_are_clear(&domain);
            assert!(!is_obeyed, "{domain}/{name} can be obeyed");
        }
        (traced, routed) => panic!("traced {traced:?} and routed {routed:?}"),
    }
}

struct World {
    virtualdomains: Virtualdomains,
    assign: Vec<u8>,
    files: BTreeMap<(String, String), String>,
    records: BTreeMap<(String, String), String>,
    users: BTreeMap<(String, String), UserState>,
    separators: BTreeMap<String, char>,
    levels: usize,
}

impl World {
    /// Reads the tables; `None` when one is malformed. Lines of no table are skipped.
    fn read(text: &str) -> Option<Self> {
        let (mut virtualdomains, mut assign) = (String::new(), String::new());
        let (mut files, mut records) = (BTreeMap::new(), BTreeMap::new());
        let (mut users, mut separators) = (BTreeMap::new(), BTreeMap::new());
        for (table, line) in text.lines().filter_map(|line| line.split_once(' ')) {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            match (table, words.as_slice()) {
                ("virtualdomains", _) => virtualdomains += &format!("{line}\n"),
                ("assign", _) => assign += &format!("{line}\n"),
                ("separator", [domain, separator]) => {
                    separators.insert((*domain).to_owned(), separator.chars().next()?);
                }
                ("user", [domain, name, state]) => {
                    let state = if *state == "closed" { UserState::Closed } else { UserState::Open };
                    users.insert(((*domain).to_owned(), (*name).to_owned()), state);
                }
                ("file", [domain, name, instruction]) => {
                    let file: &mut String = files.entry(((*domain).to_owned(), (*name).to_owned())).or_default();
                    *file += &format!("{instruction}\n");
                }
                ("record", [domain, local, instruction]) => {
                    let record: &mut String = records.entry(((*domain).to_owned(), (*local).to_owned())).or_default();
                    *record += &format!("{instruction}\0");
                }
                _ => {}
            }
        }
        let virtualdomains = Virtualdomains::parse(virtualdomains.as_bytes()).ok()?;
        let assign = users_assign::compile(&users_assign::parse(&(assign + ".\n")).ok()?);
        Some(Self { virtualdomains, assign, files, records, users, separators, levels: 0 })
    }

    /// The instructions in a file; a missing file has none.
    fn instructions(&self, domain: &str, name: &str) -> Result<Vec<Instruction>, postkiln_control::ParseError> {
        let file = self.files.get(&(domain.to_owned(), name.to_owned()));
        file.map_or_else(|| Ok(Vec::new()), |file| dot_qmail::parse(file.as_bytes()))
    }

    /// Whether all records of a domain can be obeyed.
    fn tables_are_clear(&self, domain: &str) -> bool {
        let mut records = self.records.iter().filter(|((of, _), _)| of == domain);
        records.all(|(_, text)| fastforward::instructions(text.as_bytes()).is_ok())
    }

    /// Checks that the walk ended where the tables lead.
    fn check(&self, recipient: &Address, route: &Route, steps: &[Step]) {
        let is_ours = |address: &Address| self.virtualdomains.prepend(address).is_some();
        match route {
            Route::NotOurs => assert!(!is_ours(recipient), "{recipient} is ours"),
            Route::NoSuchAddress(line) => {
                assert!(line.contains("(#5.") && !line.contains(['\r', '\n']), "{line:?} is no reply");
            }
            Route::Destinations(destinations) if destinations.is_empty() => self.check_dropped(steps),
            Route::Destinations(destinations) => {
                let different: BTreeSet<String> = destinations.iter().map(|one| format!("{one:?}")).collect();
                assert_eq!(different.len(), destinations.len(), "twice the same: {destinations:?}");
                for destination in destinations {
                    if let Destination::Mailbox { domain, user } = destination {
                        let state = self.users.get(&(domain.clone(), user.clone()));
                        assert_eq!(state, Some(&UserState::Open), "{user} of {domain} gets no mail");
                    }
                }
                if let [Destination::Forward(target)] = destinations.as_slice() {
                    assert!(!is_ours(target), "{target} is ours, and the walk ends before it");
                }
            }
        }
    }

    /// Mail goes nowhere only where a file says so.
    fn check_dropped(&self, steps: &[Step]) {
        let last = steps.iter().rev().find_map(|step| match step {
            Step::File { domain, name } => Some((domain, name)),
            _ => None,
        });
        let (domain, name) = last.expect("a file dropped it");
        // Which record of a table it was, the steps do not say.
        if self.records.keys().any(|(of, _)| of == domain) {
            return;
        }
        let instructions = self.instructions(domain, name).expect("it was obeyed");
        let drops = |one: &Instruction| {
            matches!(
                one,
                Instruction::Comment(_) | Instruction::Deliver(Rule::Delete) | Instruction::Fastforward { .. }
            )
        };
        assert!(!instructions.is_empty() && instructions.iter().all(drops), "{domain}/{name} does not drop mail");
    }
}

impl LookUp for World {
    type Error = Infallible;

    async fn virtual_domain(&mut self, address: &Address) -> Result<Option<String>, Infallible> {
        self.levels += 1;
        Ok(self.virtualdomains.prepend(address).map(str::to_owned))
    }

    async fn assign(&mut self, local: &str) -> Result<Option<Assigned>, Infallible> {
        Ok(users_assign::lookup(&self.assign, local).expect("our own cdb"))
    }

    async fn dot_qmail(&mut self, domain: &str, file: &str) -> Result<Option<Vec<u8>>, Infallible> {
        assert!(!file.contains('/'), "{file:?} leads out of the domain directory");
        Ok(self.files.get(&(domain.to_owned(), file.to_owned())).map(|text| text.as_bytes().to_vec()))
    }

    async fn table(&mut self, domain: &str, table: &str, local: &str) -> Result<Option<Vec<u8>>, Infallible> {
        assert!(!table.contains('/'), "{table:?} leads out of the domain directory");
        Ok(self.records.get(&(domain.to_owned(), local.to_owned())).map(|text| text.as_bytes().to_vec()))
    }

    async fn user(&mut self, domain: &str, local: &str) -> Result<UserState, Infallible> {
        Ok(self.users.get(&(domain.to_owned(), local.to_owned())).copied().unwrap_or(UserState::Absent))
    }

    async fn separator(&mut self, domain: &str) -> Result<Option<char>, Infallible> {
        Ok(self.separators.get(domain).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The corpus must be in the form that is read here, or the target would never see a walk.
    #[test]
    fn the_corpus_is_walked() {
        let check = |input: &str, expected: &str| {
            let (recipient, tables) = input.split_once('\n').unwrap();
            let found = block_on_ready(route(&mut World::read(tables).unwrap(), &recipient.parse().unwrap())).unwrap();
            assert!(format!("{found:?}").contains(expected), "{recipient}: {found:?}");
        };
        check(include_str!("../corpus/routing/office"), "Mailbox { domain: \"example.org\", user: \"ada\" }");
        check(include_str!("../corpus/routing/circle"), "forwarded to itself");
        check(include_str!("../corpus/routing/robot"), "Respond");
        check(include_str!("../corpus/routing/table"), "Mailbox { domain: \"example.org\", user: \"ada\" }");
    }
}
