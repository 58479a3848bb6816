//! From a [`Blueprint`] to the files of a [`Bundle`]: nothing is decided here, and the same blueprint gives
//! the same bytes.
//!
//! Knows nothing about sites and their mistakes. Start at [`render`].

mod control;
mod json;
mod keep;
mod model;
mod records;
mod robot;
mod same;
mod scanner;
mod seed;
mod serials;
mod template;
mod text;
mod web;
mod zone;

use std::collections::BTreeMap;
use std::{fmt, iter, thread};

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_blueprint::{Blueprint, Cause, Certificate, Delivery, Kind, Password, SourceMap, User};
use postkiln_bundle::{Bundle, File, FileEntry, Manifest, Owner, paths};
use postkiln_control::{ControlFile, Morercpthosts, dot_qmail, fastforward, tcprules, users_assign};
use postkiln_handover::{PasswordSecret, PasswordSecrets};

use keep::Keep;
pub use same::{Smaller, without_same};
use seed::Dialect;
pub use serials::{Serials, following};
use text::Text;

/// Makes the bundle. `sources` are the files of the site by path, for `source/`; `map` holds the places of things in
/// them; `serials` are no part of the blueprint, since a new number by itself changes nothing for mail.
#[must_use]
pub fn render(blueprint: &Blueprint, sources: &Sources, map: &SourceMap, serials: &Serials) -> Bundle {
    let files: Vec<File> = all(blueprint, sources, map, serials);
    Bundle::new(postkiln_blueprint::LANGUAGE, blueprint.hostname.as_str(), files, blueprint.services.clone())
}

/// The manifest of the bundle that [`render`] makes, and the text of the model, for callers that only compare: the
/// content of no other file is kept after hashing.
#[must_use]
pub fn outline(blueprint: &Blueprint, sources: &Sources, map: &SourceMap, serials: &Serials) -> (Manifest, Vec<u8>) {
    let kept: Vec<(FileEntry, Vec<u8>)> = all(blueprint, sources, map, serials);
    let (files, bytes): (Vec<FileEntry>, Vec<Vec<u8>>) = kept.into_iter().unzip();
    let hostname = blueprint.hostname.as_str();
    let manifest = Manifest::new(postkiln_blueprint::LANGUAGE, hostname, files, blueprint.services.clone());
    (manifest, bytes.concat())
}

/// The path of the model in a bundle.
pub use postkiln_bundle::paths::MODEL;

/// Files of the site by their paths.
pub type Sources = BTreeMap<String, Vec<u8>>;

/// Makes all files. The seeds and the model are half of the work for a large site, so they are made beside the rest.
fn all<T: Keep>(blueprint: &Blueprint, sources: &Sources, map: &SourceMap, serials: &Serials) -> Vec<T> {
    thread::scope(|scope| {
        let large = scope.spawn(|| {
            let model = T::file(MODEL.to_owned(), model::print(blueprint), Owner::Everyone);
            let seeds =
                seed::scripts(blueprint, |dialect, parts| T::parts(seed_path(dialect), parts, Owner::Directory));
            iter::once(model).chain(seeds).collect::<Vec<T>>()
        });
        let (mut lines, mut kept) = (BTreeMap::new(), Vec::new());
        generated(blueprint, serials, &mut |path, made| {
            if let Content::Text(text) = &made.content {
                lines.extend(text.lines().map(|lines| (path.clone(), lines)));
            }
            kept.push(T::file(path, made.content.into_bytes(), Owner::Everyone));
        });
        for (path, bytes) in sources {
            kept.push(T::parts(paths::source(path), &[bytes], Owner::Everyone));
        }
        // This comes after the sources: a file of the site that has the map's name is named in the map and left out.
        let write = |to: &mut dyn fmt::Write| map.write(&lines, to);
        kept.push(T::written(SourceMap::PATH.to_owned(), &write, Owner::Everyone));
        kept.extend(large.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        kept
    })
}

/// The things that a file of the bundle was made for; `None` when the site's things have no part in it.
#[must_use]
pub fn origin(blueprint: &Blueprint, serials: &Serials, path: &str) -> Option<Origin> {
    if let Some(dialect) = Dialect::ALL.into_iter().find(|dialect| path == seed_path(*dialect)) {
        return Some(Origin { whole: None, lines: Lined::Few(seed::causes(dialect, blueprint)) });
    }
    let mut found = None;
    generated(blueprint, serials, &mut |made_path, made| {
        if made_path == path {
            let lines = match made.content {
                Content::Text(text) => Lined::Text(text),
                Content::Bytes(_) => Lined::Few(BTreeMap::new()),
            };
            found = Some(Origin { whole: made.whole, lines });
        }
    });
    found
}

/// The things that a file, and each of its lines, was made for.
pub struct Origin {
    whole: Option<Cause>,
    lines: Lined,
}

enum Lined {
    Text(Text),
    /// The lines that have a cause.
    Few(BTreeMap<usize, Cause>),
}

impl Origin {
    /// The thing that the whole file was made for, when there is one.
    #[must_use]
    pub const fn whole(&self) -> Option<&Cause> {
        self.whole.as_ref()
    }

    /// The thing that a line was made for, counted from 0; `None` for one that every site has.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<&Cause> {
        match &self.lines {
            Lined::Text(text) => text.cause(index),
            Lined::Few(lines) => lines.get(&index),
        }
    }
}

fn seed_path(dialect: Dialect) -> String {
    paths::seed(dialect.file())
}

/// A file with what it was made for.
struct Made {
    whole: Option<Cause>,
    content: Content,
}

enum Content {
    Text(Text),
    Bytes(Vec<u8>),
}

impl Content {
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Made {
    /// A text, whose lines know more than the file as a whole.
    const fn text(text: Text, whole: Option<Cause>) -> Self {
        Self { whole, content: Content::Text(text) }
    }

    /// A text that was made for one thing.
    fn for_one(text: &str, cause: Cause) -> Self {
        Self::text(Text::of(text, Some(cause.clone())), Some(cause))
    }

    const fn bytes(bytes: Vec<u8>, whole: Option<Cause>) -> Self {
        Self { whole, content: Content::Bytes(bytes) }
    }
}

/// Takes files as they are made, with their paths.
type Take<'t> = &'t mut dyn FnMut(String, Made);

/// The files that are made from things of the site, and are for everyone.
fn generated(blueprint: &Blueprint, serials: &Serials, take: Take<'_>) {
    for (name, text) in &blueprint.control {
        let text = control::file(blueprint, name, text);
        take(paths::control(name), Made::text(text, Some(Cause::of(Kind::Control, name))));
    }
    if let Some(more) = blueprint.control_file::<Morercpthosts>().filter(|more| !more.0.is_empty()) {
        let whole = Cause::of(Kind::Control, Morercpthosts::NAME);
        take(paths::control(Morercpthosts::CDB), Made::bytes(more.compile(), Some(whole)));
    }
    if let Certificate::Own { chain, .. } = &blueprint.tls.certificate {
        take(paths::CHAIN.to_owned(), Made::for_one(chain, Cause::single(Kind::Tls).at(&["certificate"])));
    }
    users(blueprint, take);
    tcp(blueprint, take);
    for delivery in blueprint.deliveries().values() {
        instructions(delivery, take);
    }
    domains(blueprint, take);
    zones(blueprint, serials, take);
    clamav(blueprint, take);
}

fn users(blueprint: &Blueprint, take: Take<'_>) {
    let assignments = blueprint.assignments();
    let mut text = Text::default();
    for assignment in &assignments {
        let domain = assignment.local.trim_end_matches('-');
        text.add(&format!("{assignment}\n"), Some(Cause::of(Kind::Domain, domain)));
    }
    text.add(users_assign::END, None);
    take(paths::ASSIGN.to_owned(), Made::text(text, None));
    take(paths::ASSIGN_CDB.to_owned(), Made::bytes(users_assign::compile(&assignments), None));
    let secrets = passwords(blueprint);
    if !secrets.0.is_empty() {
        take(paths::PASSWORD_SECRETS.to_owned(), Made::text(Text::of(&secrets.print(), None), None));
    }
}

/// Whose passwords are secrets that are there.
fn passwords(blueprint: &Blueprint) -> PasswordSecrets {
    let users = blueprint.domains.iter().flat_map(|(domain, mail)| mail.users.iter().map(move |one| (domain, one)));
    let secret = |(domain, (local, user)): (&Domain, (&LocalPart, &User))| {
        let Password::Secret(secret) = &user.password else { return None };
        let version = blueprint.secrets.get(secret)?.version.clone();
        let address = Address::new(local.clone(), domain.clone());
        Some(PasswordSecret { address, secret: secret.clone(), version })
    };
    PasswordSecrets(users.filter_map(secret).collect())
}

fn tcp(blueprint: &Blueprint, take: Take<'_>) {
    for (listener, rules) in &blueprint.tcp {
        // We print the blueprint's rules ourselves; a malformed rule would deny everybody by an empty name.
        let rules = tcprules::parse(rules).unwrap_or_else(|_| deny());
        let whole = Cause::of(Kind::Listener, listener);
        take(paths::rules(listener), Made::for_one(&tcprules::print(&rules), whole.clone()));
        take(paths::rules_cdb(listener), Made::bytes(tcprules::compile(&rules), Some(whole)));
    }
}

fn deny() -> Vec<tcprules::Rule> {
    vec![tcprules::Rule { address: String::new(), decision: tcprules::Decision::Deny }]
}

/// A domain's directory.
fn instructions(delivery: &Delivery<'_>, take: Take<'_>) {
    let domain = delivery.domain;
    let addresses = delivery.addresses();
    for (local, own) in addresses.iter().copied() {
        if let Some(name) = delivery.file_name(local, own) {
            let text = dot_qmail::print(&delivery.instructions(local, own));
            take(paths::instructions(domain, &name), Made::for_one(&text, own.cause(local, domain)));
        }
    }
    let whole = Cause::of(Kind::Domain, domain);
    let last = dot_qmail::print(&delivery.last());
    take(paths::instructions(domain, Delivery::LAST), Made::for_one(&last, whole.at(&["catch_all"])));
    if let Some(table) = delivery.table(&addresses) {
        take(paths::instructions(domain, fastforward::FILE), Made::bytes(table, Some(whole)));
    }
}

fn domains(blueprint: &Blueprint, take: Take<'_>) {
    for (domain, mail) in &blueprint.domains {
        for (local, responder) in &mail.responders {
            let whole = Cause::within(Kind::Autoresponder, local.as_str(), domain);
            let text = robot::message(local, domain, responder);
            take(paths::robot(domain, local.as_str()), Made::text(text, Some(whole)));
        }
        for (local, list) in &mail.lists {
            let whole = Cause::within(Kind::List, local.as_str(), domain);
            let text = json::object(list, &whole);
            take(paths::list_settings(&paths::list(domain, local.as_str())), Made::text(text, Some(whole)));
        }
    }
}

fn zones(blueprint: &Blueprint, serials: &Serials, take: Take<'_>) {
    for (name, zone) in &blueprint.zones {
        if zone.publish {
            let path = paths::zone(name);
            let text = serials.file(&path, |serial| zone::print(name, zone, serial));
            take(path, Made::text(text, Some(Cause::of(Kind::Zone, name))));
        }
        for (path, text) in web::files(name, zone) {
            take(path, Made::for_one(&text, Cause::of(Kind::Domain, name)));
        }
    }
    take(paths::RECORDS.to_owned(), Made::text(records::document(blueprint), None));
}

fn clamav(blueprint: &Blueprint, take: Take<'_>) {
    if !blueprint.antivirus.clamav {
        return;
    }
    let scanner = Cause::single(Kind::Antivirus);
    let engine = scanner.at(&["engine"]);
    let clamd = scanner::clamd_conf(&blueprint.antivirus);
    take(paths::CLAMD.to_owned(), Made::for_one(&clamd, engine.clone()));
    take(paths::FRESHCLAM.to_owned(), Made::for_one(&scanner::freshclam_conf(&blueprint.antivirus), engine));
    for (name, signature) in &blueprint.antivirus.signatures {
        let cause = scanner.at(&["signatures"]);
        let path = format!("{}/{name}", paths::SIGNATURES);
        match std::str::from_utf8(&signature.bytes) {
            Ok(text) => take(path, Made::for_one(text, cause)),
            Err(_) => take(path, Made::bytes(signature.bytes.clone(), Some(cause))),
        }
    }
}

#[cfg(test)]
mod tests;
