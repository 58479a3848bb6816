//! The steps of DKIM keys: published, then signing, then withdrawn, one commit for each step, so that mail is never
//! signed with a key that the world cannot look up (RFC 6376 §3.6.2).

use postkiln_blueprint::{Blueprint, DkimKey, DkimState, Kind, MailDomain, ObjectId};
use postkiln_findings::Place;

use crate::Places;

/// A step of one key that a plan takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The domain whose mail the key signs.
    pub domain: String,
    /// The step that is taken.
    pub step: Step,
    /// The key's name in the zone: `postkiln-2`.
    pub selector: String,
    /// Whether mail that is under way, or sent next, depends on the key.
    pub relied_on: bool,
    /// The place of the key in `secrets.lock`.
    pub place: Option<Place>,
}

/// The steps in a key's life that a plan can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The record comes into the zone.
    Publish,
    /// Mail is signed with the key from now on.
    Sign,
    /// The record leaves the zone.
    Withdraw,
}

impl Step {
    /// The word for the step in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Sign => "sign",
            Self::Withdraw => "withdraw",
        }
    }
}

impl Rotation {
    /// Whether the record of this full name is that of the key.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        name.strip_prefix(&*self.selector).and_then(|rest| rest.strip_prefix("._domainkey.")) == Some(&*self.domain)
    }

    /// The step in words, and what comes next.
    #[must_use]
    pub fn words(&self) -> String {
        let selector = &self.selector;
        match self.step {
            Step::Publish => {
                format!("step 1 of 3: publishes {selector}; the next commit signs with it, once the world sees it")
            }
            Step::Sign => format!("step 2 of 3: signs with {selector}, which the world has to see already"),
            Step::Withdraw => format!("step 3 of 3: withdraws {selector}; nothing signed with it may be under way"),
        }
    }
}

/// The steps between two blueprints, of domains that sign in both.
pub(crate) fn rotations(base: &Blueprint, new: &Blueprint, places: &dyn Places) -> Vec<Rotation> {
    let mut found = Vec::new();
    for (name, mail) in &new.domains {
        let Some(earlier) = base.domains.get(name).filter(|earlier| earlier.dkim.is_some()) else { continue };
        let Some(dkim) = &mail.dkim else { continue };
        let place = places.place(&ObjectId::new(Kind::Secret, &dkim.secret), &[]);
        let (before, after) = (keys(base, earlier), keys(new, mail));
        let mut add = |step, selector: &str| {
            let relied_on = step == Step::Sign || (step == Step::Withdraw && signing(&before) == Some(selector));
            let (domain, selector) = (name.to_string(), selector.to_owned());
            found.push(Rotation { domain, step, selector, relied_on, place: place.clone() });
        };
        let has = |keys: &[(String, &DkimKey)], wanted: &str| keys.iter().any(|(selector, _)| selector == wanted);
        for (selector, _) in after.iter().filter(|(selector, _)| !has(&before, selector)) {
            add(Step::Publish, selector);
        }
        if let (Some(one), Some(two)) = (signing(&before), signing(&after))
            && one != two
        {
            add(Step::Sign, two);
        }
        for (selector, _) in before.iter().filter(|(selector, _)| !has(&after, selector)) {
            add(Step::Withdraw, selector);
        }
    }
    found
}

/// A domain's keys by selector.
fn keys<'a>(side: &'a Blueprint, mail: &MailDomain) -> Vec<(String, &'a DkimKey)> {
    let Some(dkim) = &mail.dkim else { return Vec::new() };
    let keys = side.secrets.get(&dkim.secret).map(|secret| secret.dkim_keys()).unwrap_or_default();
    keys.iter().map(|key| (key.selector(&dkim.selector), key)).collect()
}

fn signing<'a>(keys: &'a [(String, &DkimKey)]) -> Option<&'a str> {
    keys.iter().find(|(_, key)| key.state == DkimState::Signing).map(|(selector, _)| selector.as_str())
}
