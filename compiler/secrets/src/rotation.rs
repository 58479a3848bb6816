//! Changing a DKIM key without losing a signature, in steps. The next key is published. Once the world sees it, it
//! signs and the old one retires. Once no mail signed with the old key is on its way any more, the old key's record
//! goes.
//!
//! Every step is a commit of its own, and the plan of that commit says what to wait for before the next.

use postkiln_site::{DkimAlgorithm, DkimKey, DkimState};
use rand_core::CryptoRngCore;

use crate::vault::{DkimPair, Value, Vault, fresh_version};
use crate::{KeyPair, SecretsError};

/// The step that was taken, with the numbers of the keys concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The key of this number is published and does not sign yet.
    Published(u32),
    /// The key of the first number signs from now on; the second retires.
    Signs(u32, u32),
    /// The keys of these numbers were removed.
    Removed(Vec<u32>),
}

impl Vault {
    /// The first step: adds the next key, published only.
    ///
    /// # Errors
    /// When there is no such DKIM secret, or a key waits already.
    pub fn publish_next(
        &mut self,
        name: &str,
        algorithm: DkimAlgorithm,
        chance: &mut impl CryptoRngCore,
    ) -> Result<Step, SecretsError> {
        let version = fresh_version(chance);
        let pairs = self.dkim(name, version)?;
        if let Some(waiting) = pairs.iter().find(|pair| pair.key.state == DkimState::Published) {
            let number = waiting.key.number;
            return Err(SecretsError::Step(format!(
                "key {number} of {name:?} waits to sign already: `postkiln secret advance` goes on with it"
            )));
        }
        // The keys are in order; a number that was removed was lower than the one that signs, so it never comes again.
        let number = pairs.last().map_or(1, |pair| pair.key.number + 1);
        let pair = KeyPair::make_dkim(algorithm, chance)?;
        let key = DkimKey { number, algorithm, state: DkimState::Published, public: pair.public };
        pairs.push(DkimPair { key, private: pair.private });
        Ok(Step::Published(number))
    }

    /// The next step: the waiting key signs and the old one retires; or, when none waits, retired keys are removed.
    /// `today` is the day in UTC as `2026-11-22`; `may_go` says whether a key that retired on a day may be removed.
    ///
    /// # Errors
    /// When there is no such DKIM secret, no step is left to take, or a retired key is still needed.
    pub fn advance(
        &mut self,
        name: &str,
        today: &str,
        may_go: impl Fn(&str) -> bool,
        chance: &mut impl CryptoRngCore,
    ) -> Result<Step, SecretsError> {
        let version = fresh_version(chance);
        let pairs = self.dkim(name, version)?;
        let waiting = pairs.iter().find(|pair| pair.key.state == DkimState::Published).map(|pair| pair.key.number);
        let signing = pairs.iter().find(|pair| pair.key.state == DkimState::Signing).map(|pair| pair.key.number);
        if let (Some(waiting), Some(signing)) = (waiting, signing) {
            for pair in pairs {
                if pair.key.number == waiting {
                    pair.key.state = DkimState::Signing;
                } else if pair.key.number == signing {
                    pair.key.state = DkimState::Retiring { since: today.to_owned() };
                }
            }
            return Ok(Step::Signs(waiting, signing));
        }
        remove_retired(pairs, name, may_go)
    }

    /// The keys of a DKIM secret, which gets this version.
    fn dkim(&mut self, name: &str, version: String) -> Result<&mut Vec<DkimPair>, SecretsError> {
        let kept = self.secrets.get_mut(name).ok_or_else(|| SecretsError::Absent(name.to_owned()))?;
        let is = kept.value.word();
        let Value::Dkim(pairs) = &mut kept.value else {
            return Err(SecretsError::Kind { name: name.to_owned(), is, wanted: "dkim" });
        };
        kept.version = version;
        Ok(pairs)
    }
}

fn remove_retired(pairs: &mut Vec<DkimPair>, name: &str, may_go: impl Fn(&str) -> bool) -> Result<Step, SecretsError> {
    let retired = pairs.iter().filter_map(|pair| match &pair.key.state {
        DkimState::Retiring { since } => Some((pair.key.number, since.clone())),
        DkimState::Published | DkimState::Signing => None,
    });
    let retired: Vec<(u32, String)> = retired.collect();
    let gone: Vec<u32> = retired.iter().filter(|(_, since)| may_go(since)).map(|(number, _)| *number).collect();
    if !gone.is_empty() {
        pairs.retain(|pair| !gone.contains(&pair.key.number));
        return Ok(Step::Removed(gone));
    }
    Err(SecretsError::Step(match retired.first() {
        None => format!("{name:?} is not being rotated: `postkiln secret rotate` begins"),
        Some((number, since)) => {
            format!("key {number} of {name:?} retired on {since}, and mail signed with it may still be on its way")
        }
    }))
}
