//! The instructions of a domain's directory for each address, made when they are asked for: 100,000 addresses as text
//! would be most of what a proof needs of memory. Here is decided which addresses have a `.qmail` file and which share
//! a table. Start at [`Delivery`].

use std::collections::BTreeMap;
use std::fmt::Display;

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_bundle::{User as UnixUser, paths};
use postkiln_control::dot_qmail::{self, Autorespond, Instruction, Rule, file_name};
use postkiln_control::fastforward;
use postkiln_control::users_assign::{Assigned, Assignment};

use crate::model::{Blueprint, CatchAll, Forward, MailDomain};
use crate::{Cause, Kind};

/// Addresses of a domain that lead on, up to which each has a `.qmail` file. More of them share one table: a file takes
/// a block on the node, a line in the manifest and a flush when the bundle is installed.
const FILES: usize = 300;

/// The file that is asked when an address has none of its own.
pub(crate) const LAST: &str = ".qmail-default";

/// How a domain's mail is delivered.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The domain whose mail is delivered so.
    pub domain: &'a Domain,
    mail: &'a MailDomain,
    has_table: bool,
}

/// Why an address has instructions of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own<'a> {
    /// An alias, with its targets.
    Alias(&'a [Address]),
    /// A user whose mail goes on.
    Forward(&'a Forward),
    /// A list, which takes posts.
    List,
    /// An automatic reply, perhaps beside a user of that name.
    Responder,
}

impl Own<'_> {
    /// The thing of the site behind an address.
    #[must_use]
    pub fn cause(self, local: &LocalPart, domain: impl Display) -> Cause {
        let thing = |kind| Cause::within(kind, local.as_str(), &domain);
        match self {
            Self::Alias(_) => thing(Kind::Alias),
            Self::Forward(_) => thing(Kind::User).at(&["forward"]),
            Self::List => thing(Kind::List),
            Self::Responder => thing(Kind::Autoresponder),
        }
    }
}

impl Blueprint {
    /// How mail is delivered in each domain of its own, by the domain's name.
    #[must_use]
    pub fn deliveries(&self) -> BTreeMap<&str, Delivery<'_>> {
        self.domains.iter().map(|(domain, mail)| (domain.as_str(), Delivery::new(domain, mail))).collect()
    }

    /// The lines of `users/assign`, as vpopmail writes them: a wildcard for each domain; an alias domain's names
    /// the real one.
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

impl<'a> Delivery<'a> {
    /// The file that is asked when an address has none of its own.
    pub const LAST: &'static str = LAST;

    fn new(domain: &'a Domain, mail: &'a MailDomain) -> Self {
        let forwards = mail.users.values().filter(|user| user.forward.is_some());
        let has_table = mail.aliases.len() + forwards.count() > FILES;
        Self { domain, mail, has_table }
    }

    /// The model of the domain.
    #[must_use]
    pub const fn mail(&self) -> &'a MailDomain {
        self.mail
    }

    /// Why an address has instructions of its own; `None` when the domain's last file decides. A closed account has
    /// none, so that it is asked for, and refused, in the user database.
    #[must_use]
    pub fn own(&self, local: &str) -> Option<Own<'a>> {
        let user = self.mail.users.get(local);
        let is_closed = user.is_some_and(|user| user.disabled);
        if self.mail.responders.contains_key(local) && !is_closed {
            return Some(Own::Responder);
        }
        if let Some(forward) = user.filter(|_| !is_closed).and_then(|user| user.forward.as_ref()) {
            return Some(Own::Forward(forward));
        }
        if self.mail.lists.contains_key(local) {
            return Some(Own::List);
        }
        self.mail.aliases.get(local).map(|targets| Own::Alias(targets))
    }

    /// Every address that has instructions of its own, in order.
    #[must_use]
    pub fn addresses(&self) -> Vec<(&'a LocalPart, Own<'a>)> {
        let mail = self.mail;
        let is_closed = |local: &LocalPart| mail.users.get(local).is_some_and(|user| user.disabled);
        // In the order in which `own` asks: of two reasons for one address the first counts.
        let responders = mail.responders.keys().filter(|local| !is_closed(local)).map(|local| (local, Own::Responder));
        let forwards = mail.users.iter().filter(|(_, user)| !user.disabled);
        let forwards = forwards.filter_map(|(local, user)| Some((local, Own::Forward(user.forward.as_ref()?))));
        let lists = mail.lists.keys().map(|local| (local, Own::List));
        let aliases = mail.aliases.iter().map(|(local, targets)| (local, Own::Alias(targets.as_slice())));
        let mut found: Vec<(&LocalPart, Own<'a>)> = responders.chain(forwards).chain(lists).chain(aliases).collect();
        // The sort is stable, and quick for parts that are sorted already.
        found.sort_by_key(|(local, _)| *local);
        found.dedup_by(|(later, _), (first, _)| later == first);
        found
    }

    /// Whether the address is one of the table's. Lists and replies keep their files: few, and with folders
    /// of their own.
    #[must_use]
    pub const fn is_in_table(&self, own: Own<'_>) -> bool {
        self.has_table && matches!(own, Own::Alias(_) | Own::Forward(_))
    }

    /// The name of an address's `.qmail` file; `None` when it is in the table. A local part that can name no file was
    /// refused when the blueprint was made.
    #[must_use]
    pub fn file_name(&self, local: &LocalPart, own: Own<'_>) -> Option<String> {
        if self.is_in_table(own) { None } else { file_name(local) }
    }

    /// The lines for an address.
    #[must_use]
    pub fn instructions(&self, local: &LocalPart, own: Own<'_>) -> Vec<Instruction> {
        match own {
            Own::Alias(targets) => targets.iter().cloned().map(Instruction::Forward).collect(),
            Own::Forward(forward) => forwarding(forward),
            Own::List => {
                vec![Instruction::EzmlmSend { directory: paths::list(self.domain, local.as_str()) }]
            }
            Own::Responder => self.responding(local),
        }
    }

    /// The lines of the domain's last file.
    #[must_use]
    pub fn last(&self) -> Vec<Instruction> {
        let table = self.has_table.then(|| Instruction::Fastforward { table: fastforward::FILE.to_owned() });
        table.into_iter().chain([Instruction::Deliver(self.rule())]).collect()
    }

    /// The table, given all [addresses](Self::addresses); `None` for a domain that needs none.
    #[must_use]
    pub fn table(&self, addresses: &[(&LocalPart, Own<'_>)]) -> Option<Vec<u8>> {
        let all = addresses.iter().filter(|(_, own)| self.is_in_table(*own));
        let entries = all.map(|(local, own)| (local.as_str(), self.instructions(local, *own)));
        self.has_table.then(|| fastforward::compile(entries))
    }

    /// A file's text by its name.
    pub(crate) fn file(&self, name: &str) -> Option<String> {
        if name == LAST {
            return Some(dot_qmail::print(&self.last()));
        }
        // In a file's name a colon stands for a dot.
        let local = LocalPart::new(&name.strip_prefix(".qmail-")?.replace(':', ".")).ok()?;
        let own = self.own(local.as_str())?;
        let is_file = self.file_name(&local, own).is_some_and(|own_name| own_name == name);
        is_file.then(|| dot_qmail::print(&self.instructions(&local, own)))
    }

    /// A record of the table.
    pub(crate) fn record(&self, local: &str) -> Option<Vec<u8>> {
        let own = self.own(local).filter(|own| self.is_in_table(*own))?;
        Some(fastforward::data(&self.instructions(&LocalPart::new(local).ok()?, own)))
    }

    /// The reply first, then the instructions of the user of the same name.
    fn responding(&self, local: &LocalPart) -> Vec<Instruction> {
        let message = paths::robot(self.domain, local.as_str());
        let (seconds, count) =
            self.mail.responders.get(local).map_or((0, 1), |responder| (responder.once_per, responder.replies));
        let robot = Autorespond { seconds, count, directory: format!("{message}.d"), message };
        let mut instructions = vec![Instruction::Autorespond(robot)];
        match self.mail.users.get(local).map(|user| &user.forward) {
            None => {}
            Some(None) => instructions.push(Instruction::Deliver(Rule::BounceNoMailbox)),
            Some(Some(forward)) => instructions.extend(forwarding(forward)),
        }
        instructions
    }

    fn rule(&self) -> Rule {
        match &self.mail.catch_all {
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
