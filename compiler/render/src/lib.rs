//! From a [`Blueprint`] to the files of a [`Bundle`]: nothing is decided here, and the same blueprint gives the same bytes.
//!
//! Knows nothing about sites and their mistakes. Start at [`render`].

mod model;
mod records;
mod robot;
mod scanner;
mod seed;
mod serials;
mod template;
mod web;
mod zone;

use std::collections::BTreeMap;
use std::{iter, thread};

use postkiln_address::{Address, Domain, LocalPart};
use postkiln_blueprint::{Blueprint, Certificate, Delivery, Lines, Password, SourceMap, User};
use postkiln_bundle::{Bundle, File, FileEntry, Manifest, Owner};
use postkiln_control::{Morercpthosts, dot_qmail, fastforward, tcprules, users_assign};
use postkiln_handover::{PasswordSecret, PasswordSecrets};
use serde::Serialize;

use seed::Dialect;
pub use serials::{Serials, following};

/// Makes the bundle. `sources` are the files of the site by path, for `source/`; `map` holds the places of things in
/// them; `serials` are no part of the blueprint, since a new number by itself changes nothing for mail.
#[must_use]
pub fn render(blueprint: &Blueprint, sources: &Sources, map: &SourceMap, serials: &Serials) -> Bundle {
    let files = all(blueprint, sources, map, serials, |file| file);
    Bundle::new(postkiln_blueprint::LANGUAGE, blueprint.hostname.as_str(), files, blueprint.services.clone())
}

/// The manifest of the bundle that [`render`] makes, for callers that only compare: no file's content is kept after
/// hashing.
#[must_use]
pub fn manifest(blueprint: &Blueprint, sources: &Sources, map: &SourceMap, serials: &Serials) -> Manifest {
    let files = all(blueprint, sources, map, serials, FileEntry::from);
    Manifest::new(postkiln_blueprint::LANGUAGE, blueprint.hostname.as_str(), files, blueprint.services.clone())
}

/// Files of the site by their paths.
pub type Sources = BTreeMap<String, Vec<u8>>;

/// Makes all files; `keep` decides what is kept of each. The seeds and the model are half of the work for a large site,
/// so they are made beside the rest.
fn all<T: Send>(
    blueprint: &Blueprint,
    sources: &Sources,
    map: &SourceMap,
    serials: &Serials,
    keep: fn(File) -> T,
) -> Vec<T> {
    thread::scope(|scope| {
        let large = scope.spawn(|| {
            let model = keep(File::new("blueprint.json", model::print(blueprint), Owner::Everyone));
            let seeds = seed::scripts(blueprint, |dialect, text| keep(seed(dialect, text)));
            iter::once(model).chain(seeds).collect::<Vec<T>>()
        });
        let mut files = Files { blueprint, lines: BTreeMap::new(), keep, kept: Vec::new() };
        generated(&mut files, serials);
        for (path, bytes) in sources {
            files.add(format!("source/{path}"), bytes.clone());
        }
        // This comes after the sources: a file of the site that has the map's name is named in the map and left out.
        files.add(SourceMap::PATH, map.print(&files.lines).into_bytes());
        files.kept.extend(large.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        files.kept
    })
}

fn seed(dialect: Dialect, text: String) -> File {
    File::new(format!("seeds/{}", dialect.file()), text.into_bytes(), Owner::Directory)
}

/// Files whose lines have a cause in the site.
fn generated<T>(files: &mut Files<'_, T>, serials: &Serials) {
    let blueprint = files.blueprint;
    for (name, text) in &blueprint.control {
        files.text(format!("control/{name}"), text);
    }
    if let Some(more) = blueprint.control_file::<Morercpthosts>().filter(|more| !more.0.is_empty()) {
        files.made(format!("control/{}", Morercpthosts::CDB), more.compile());
    }
    if let Certificate::Own { chain, .. } = &blueprint.tls.certificate {
        files.text("tls/chain.pem", chain);
    }
    users(blueprint, files);
    tcp(blueprint, files);
    for delivery in blueprint.deliveries().values() {
        instructions(delivery, files);
    }
    domains(blueprint, files);
    zones(blueprint, serials, files);
    clamav(blueprint, files);
}

/// Files that every role on the node may read.
struct Files<'a, T> {
    blueprint: &'a Blueprint,
    /// The causes of the lines of the files made so far; files that are no text have none.
    lines: BTreeMap<String, Lines>,
    keep: fn(File) -> T,
    kept: Vec<T>,
}

impl<T> Files<'_, T> {
    /// Adds a file whose lines have no cause.
    fn add(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        self.kept.push((self.keep)(File::new(path, bytes, Owner::Everyone)));
    }

    /// Adds a file whose lines, if it is text, have a cause.
    fn made(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        let path = path.into();
        if let Some(lines) = std::str::from_utf8(&bytes).ok().and_then(|text| Lines::new(self.blueprint, &path, text)) {
            self.lines.insert(path.clone(), lines);
        }
        self.add(path, bytes);
    }

    fn text(&mut self, path: impl Into<String>, text: &str) {
        self.made(path, text.as_bytes().to_vec());
    }

    #[allow(clippy::expect_used, reason = "the models have string keys only; every test of this crate passes here")]
    fn json(&mut self, path: impl Into<String>, value: &impl Serialize) {
        let mut bytes = serde_json::to_vec_pretty(value).expect("a model is always JSON");
        bytes.push(b'\n');
        self.made(path, bytes);
    }
}

fn users<T>(blueprint: &Blueprint, files: &mut Files<'_, T>) {
    let assignments = blueprint.assignments();
    files.text("users/assign", &users_assign::print(&assignments));
    files.made("users/cdb", users_assign::compile(&assignments));
    let secrets = passwords(blueprint);
    if !secrets.0.is_empty() {
        files.text(PasswordSecrets::PATH, &secrets.print());
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

fn tcp<T>(blueprint: &Blueprint, files: &mut Files<'_, T>) {
    for (listener, rules) in &blueprint.tcp {
        // We print the blueprint's rules ourselves; a malformed rule would deny everybody by an empty name.
        let rules = tcprules::parse(rules).unwrap_or_else(|_| deny());
        files.text(format!("tcp/{listener}"), &tcprules::print(&rules));
        files.made(format!("tcp/{listener}.cdb"), tcprules::compile(&rules));
    }
}

fn deny() -> Vec<tcprules::Rule> {
    vec![tcprules::Rule { address: String::new(), decision: tcprules::Decision::Deny }]
}

/// A domain's directory.
fn instructions<T>(delivery: &Delivery<'_>, files: &mut Files<'_, T>) {
    let domain = delivery.domain;
    for (local, own) in delivery.addresses() {
        if let Some(name) = delivery.file_name(local, own) {
            files.text(format!("domains/{domain}/{name}"), &dot_qmail::print(&delivery.instructions(local, own)));
        }
    }
    files.text(format!("domains/{domain}/.qmail-default"), &dot_qmail::print(&delivery.last()));
    if let Some(table) = delivery.table() {
        files.add(format!("domains/{domain}/{}", fastforward::FILE), table);
    }
}

fn domains<T>(blueprint: &Blueprint, files: &mut Files<'_, T>) {
    for (domain, mail) in &blueprint.domains {
        for (local, responder) in &mail.responders {
            let text = robot::message(&format!("{local}@{domain}"), responder);
            files.text(format!("robots/{domain}/{}", local.as_str()), &text);
        }
        for (local, list) in &mail.lists {
            files.json(format!("lists/{domain}/{}/list.json", local.as_str()), list);
        }
    }
}

fn zones<T>(blueprint: &Blueprint, serials: &Serials, files: &mut Files<'_, T>) {
    for (name, zone) in &blueprint.zones {
        if zone.publish {
            let path = format!("dns/{name}.zone");
            let text = serials.file(&path, |serial| zone::print(name, zone, serial));
            files.text(path, &text);
        }
        for (path, text) in web::files(name, zone) {
            files.text(path, &text);
        }
    }
    files.json("dns/records.json", &records::records(blueprint));
}

fn clamav<T>(blueprint: &Blueprint, files: &mut Files<'_, T>) {
    if !blueprint.antivirus.clamav {
        return;
    }
    files.text("clamav/clamd.conf", &scanner::clamd_conf(&blueprint.antivirus));
    files.text("clamav/freshclam.conf", &scanner::freshclam_conf(&blueprint.antivirus));
    for (name, signature) in &blueprint.antivirus.signatures {
        files.made(format!("clamav/signatures/{name}"), signature.bytes.clone());
    }
}

#[cfg(test)]
mod tests;
