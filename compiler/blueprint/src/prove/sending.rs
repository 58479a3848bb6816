//! Addresses that send mail on: every alias, forward, list, postmaster and catch-all of the site as edges between
//! addresses, each target looked up once by the walk that the node uses. `targets`, `loops` and `robots` judge them.

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_site::{CatchAll, MailDomain, Place, Placed, Site, Target};

use super::mail_domains;
use crate::model::Blueprint;
use crate::world::{Owner, World};

/// An address of ours, or, without a local part, the catch-all of a domain.
pub(super) type Node<'a> = (&'a Domain, Option<LocalPart>);

/// One target of one sender.
pub(super) struct Edge<'a> {
    /// The sender, which sends mail on.
    pub(super) from: Node<'a>,
    /// The part that the target plays for the sender.
    pub(super) role: Role,
    /// The target's address.
    pub(super) target: Address,
    /// The place of the target.
    pub(super) place: &'a Place,
    /// The place where the sender is declared.
    pub(super) sender: &'a Place,
    /// The owner of the target's address.
    pub(super) to: Owner<'a>,
}

/// The part that a target plays for its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Alias,
    /// The user whom a further address leads to. Only of interest when the user forwards.
    UserAlias,
    Forward,
    Member,
    /// A moderator gets no posts, but the address must exist.
    Moderator,
    /// The owner gets mail that people write to the list's owner.
    Owner,
    Postmaster,
    CatchAll,
    /// The address gets others' reports about the domain's mail.
    DmarcReports,
    /// The address gets others' reports about TLS.
    TlsReports,
}

impl Role {
    /// Whether mail for the sender goes on to the target.
    pub(super) const fn carries(self) -> bool {
        !matches!(self, Self::Moderator | Self::Owner | Self::DmarcReports | Self::TlsReports)
    }
}

impl<'a> Edge<'a> {
    /// The sender as the subject of a sentence: "the alias sales".
    pub(super) fn who(&self) -> String {
        let local = self.from.1.as_ref().map_or_else(String::new, ToString::to_string);
        match self.role {
            Role::Alias | Role::UserAlias => format!("the alias {local}"),
            Role::Forward => format!("the forward of {local}"),
            Role::Member => format!("a member of the list {local}"),
            Role::Moderator => format!("a moderator of the list {local}"),
            Role::Owner => format!("the owner of the list {local}"),
            Role::Postmaster => "the postmaster".to_owned(),
            Role::CatchAll => "the catch-all".to_owned(),
            Role::DmarcReports => "who gets DMARC reports".to_owned(),
            Role::TlsReports => "who gets reports about TLS".to_owned(),
        }
    }

    /// The node of the target, when it is ours and takes mail.
    pub(super) fn node(&self) -> Option<Node<'a>> {
        match &self.to {
            Owner::Declared(domain, local) => Some((domain, Some(local.clone()))),
            Owner::CatchAll(domain) => Some((domain, None)),
            Owner::Outside | Owner::Nobody | Owner::Closed => None,
        }
    }
}

/// All edges, by domain, in the order of the site.
pub(super) fn edges<'a>(site: &'a Site, blueprint: &'a Blueprint, world: &mut World<'a>) -> Vec<Edge<'a>> {
    let mut edges = Vec::new();
    for (name, mail) in mail_domains(site) {
        if let Some((domain, lowered)) = blueprint.domains.get_key_value(name) {
            let mut sending = Sending { world, domain, edges: &mut edges };
            sending.domain(mail);
            if let Ok(postmaster) = LocalPart::new("postmaster")
                && let (false, Some(targets)) = (is_written(mail, &postmaster), lowered.aliases.get(&postmaster))
            {
                for target in targets {
                    let place = &mail.postmaster.place;
                    sending.put(Some(&postmaster), Role::Postmaster, target, place, place);
                }
            }
        }
    }
    if !site.gaps.is_empty() {
        edges.retain(|edge| !is_uncertain(site, blueprint, edge));
    }
    edges
}

/// Whether the target may be declared in a part of the site that could not be read.
fn is_uncertain(site: &Site, blueprint: &Blueprint, edge: &Edge<'_>) -> bool {
    let Some((domain, local)) = blueprint.own_address(&edge.target) else { return false };
    let is_exact = match &edge.to {
        Owner::Declared(_, owner) => *owner == local,
        Owner::Closed => true,
        Owner::Outside | Owner::Nobody | Owner::CatchAll(_) => false,
    };
    !is_exact && site.gaps.hide_way(&Address::new(local, domain.clone()))
}

struct Sending<'a, 'w> {
    world: &'w mut World<'a>,
    domain: &'a Domain,
    edges: &'w mut Vec<Edge<'a>>,
}

impl<'a> Sending<'a, '_> {
    fn domain(&mut self, mail: &'a MailDomain) {
        for (local, targets) in &mail.aliases {
            self.all(local, Role::Alias, &targets.value, &targets.place);
        }
        for (local, user) in &mail.users {
            let Some(forward) = user.value.forward.as_ref().filter(|_| !user.value.is_disabled()) else { continue };
            self.all(local, Role::Forward, &forward.value.to, &user.place);
            // Aliases of a user lead to the user, so they are in a circle only when the user sends mail on.
            let own = Address::new(local.clone(), self.domain.clone());
            for alias in &user.value.aliases {
                self.put(Some(&alias.value), Role::UserAlias, &own, &alias.place, &alias.place);
            }
        }
        for (local, list) in &mail.lists {
            self.all(local, Role::Member, &list.value.members, &list.place);
            self.all(local, Role::Moderator, &list.value.moderators, &list.place);
            self.all(local, Role::Owner, list.value.owner.as_slice(), &list.place);
        }
        let reports = &mail.publishing.dmarc.value.reports;
        self.put(None, Role::DmarcReports, &reports.value, &reports.place, &reports.place);
        if let Some(reports) = &mail.publishing.tls_rpt {
            self.put(None, Role::TlsReports, &reports.value, &reports.place, &reports.place);
        }
        if let CatchAll::Deliver(target) = &mail.catch_all.value {
            self.put(None, Role::CatchAll, target, &mail.catch_all.place, &mail.catch_all.place);
        }
    }

    fn all(&mut self, local: &LocalPart, role: Role, targets: &'a [Placed<Target>], sender: &'a Place) {
        for target in targets {
            self.put(Some(local), role, &target.value, &target.place, sender);
        }
    }

    fn put(&mut self, local: Option<&LocalPart>, role: Role, target: &Address, place: &'a Place, sender: &'a Place) {
        let from = (self.domain, local.map(LocalPart::to_lower_case));
        let to = self.world.owner(target);
        self.edges.push(Edge { from, role, target: target.clone(), place, sender, to });
    }
}

/// Whether the site itself declares the alias.
fn is_written(mail: &MailDomain, local: &LocalPart) -> bool {
    let same = |other: &LocalPart| other.as_str().eq_ignore_ascii_case(local.as_str());
    mail.aliases.keys().any(same)
        || mail.users.values().any(|user| user.value.aliases.iter().any(|alias| same(&alias.value)))
}
