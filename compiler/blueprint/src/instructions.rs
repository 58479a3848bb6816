//! From a domain to its `.qmail` files and its line of `users/assign`.

use std::collections::BTreeMap;

use postkiln_address::{Domain, LocalPart};
use postkiln_bundle::User as UnixUser;
use postkiln_control::dot_qmail::{self, Autorespond, Instruction, Rule, file_name};
use postkiln_control::users_assign::{Assigned, Assignment};

use crate::model::{Blueprint, CatchAll, Forward, MailDomain};

/// The `.qmail` files: their text by domain and name.
pub type Instructions<'a> = BTreeMap<&'a str, BTreeMap<String, String>>;

impl Blueprint {
    /// The `.qmail` files of every domain of its own.
    #[must_use]
    pub fn instructions(&self) -> Instructions<'_> {
        self.domains.iter().map(|(domain, mail)| (domain.as_str(), mail.dot_qmail(domain))).collect()
    }

    /// The lines of `users/assign`, as vpopmail writes them: a wildcard for each domain; an alias domain's names the real one.
    #[must_use]
    pub fn assignments(&self) -> Vec<Assignment> {
        let own = self.domains.keys().map(|domain| (domain, domain));
        let mut lines: Vec<Assignment> = own.chain(&self.alias_domains).map(assignment).collect();
        lines.sort_by(|one, two| one.local.cmp(&two.local));
        lines
    }
}

fn assignment((domain, real): (&Domain, &Domain)) -> Assignment {
    Assignment {
        wildcard: true,
        local: format!("{domain}-"),
        to: Assigned {
            user: real.to_string(),
            uid: UnixUser::Mail.id(),
            gid: UnixUser::Mail.id(),
            home: format!("/data/mail/{real}"),
            dash: "-".to_owned(),
            ext: String::new(),
        },
    }
}

impl MailDomain {
    /// The domain's files by name. A local part that can name no file was refused when the blueprint was made.
    fn dot_qmail(&self, domain: &Domain) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut put = |local: &LocalPart, instructions: Vec<Instruction>| {
            if let Some(name) = file_name(local) {
                files.insert(name, dot_qmail::print(&instructions));
            }
        };
        for (local, targets) in &self.aliases {
            put(local, targets.iter().cloned().map(Instruction::Forward).collect());
        }
        for local in self.lists.keys() {
            put(local, vec![Instruction::EzmlmSend { directory: format!("lists/{domain}/{}", local.as_str()) }]);
        }
        // A closed account has no file, so that it is asked for, and refused, in the user database.
        for (local, user) in self.users.iter().filter(|(_, user)| !user.disabled) {
            if let Some(forward) = &user.forward {
                put(local, forwarding(forward));
            }
        }
        let closed = |local: &LocalPart| self.users.get(local).is_some_and(|user| user.disabled);
        for local in self.responders.keys().filter(|local| !closed(local)) {
            put(local, self.responding(domain, local));
        }
        files.insert(".qmail-default".to_owned(), dot_qmail::print(&[Instruction::Deliver(self.rule())]));
        files
    }

    /// The reply first, then the instructions of the user of the same name.
    fn responding(&self, domain: &Domain, local: &LocalPart) -> Vec<Instruction> {
        let message = format!("robots/{domain}/{}", local.as_str());
        let (seconds, count) =
            self.responders.get(local).map_or((0, 1), |responder| (responder.once_per, responder.replies));
        let robot = Autorespond { seconds, count, directory: format!("{message}.d"), message };
        let mut instructions = vec![Instruction::Autorespond(robot)];
        match self.users.get(local).map(|user| &user.forward) {
            None => {}
            Some(None) => instructions.push(Instruction::Deliver(Rule::BounceNoMailbox)),
            Some(Some(forward)) => instructions.extend(forwarding(forward)),
        }
        instructions
    }

    fn rule(&self) -> Rule {
        match &self.catch_all {
            CatchAll::Reject => Rule::BounceNoMailbox,
            CatchAll::Deliver(address) => Rule::Address(address.clone()),
            CatchAll::Discard => Rule::Delete,
        }
    }
}

fn forwarding(forward: &Forward) -> Vec<Instruction> {
    let mut instructions: Vec<Instruction> = forward.to.iter().cloned().map(Instruction::Forward).collect();
    if forward.keep {
        // The user exists, so this instruction means the mailbox.
        instructions.push(Instruction::Deliver(Rule::BounceNoMailbox));
    }
    instructions
}
