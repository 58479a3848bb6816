//! From a [`Blueprint`] to the files of a [`Bundle`]: nothing is decided here, and the same blueprint gives the same bytes.
//!
//! Knows nothing about sites and their mistakes. Start at [`render`].

mod records;
mod robot;
mod scanner;
mod seed;
mod template;
mod web;
mod zone;

use std::collections::BTreeMap;

use postkiln_blueprint::{Blueprint, Certificate, Lines, SourceMap};
use postkiln_bundle::{Bundle, File, Owner};
use postkiln_control::{Morercpthosts, dot_qmail, tcprules, users_assign};
use serde::Serialize;

use seed::Dialect;

/// Makes the bundle. `sources` are the files of the site by path, for `source/`. `map` says where in them things were written.
#[must_use]
pub fn render(blueprint: &Blueprint, sources: &BTreeMap<String, Vec<u8>>, map: &SourceMap) -> Bundle {
    let mut files = Files::default();
    files.json("blueprint.json", blueprint);
    for (name, text) in &blueprint.control {
        files.text(format!("control/{name}"), text);
    }
    if let Some(more) = blueprint.control_file::<Morercpthosts>().filter(|more| !more.0.is_empty()) {
        files.add(format!("control/{}", Morercpthosts::CDB), more.compile());
    }
    if let Certificate::Own { chain, .. } = &blueprint.tls.certificate {
        files.text("tls/chain.pem", chain);
    }
    users(blueprint, &mut files);
    tcp(blueprint, &mut files);
    domains(blueprint, &mut files);
    zones(blueprint, &mut files);
    clamav(blueprint, &mut files);
    let lines = files.lines(blueprint);
    for (path, bytes) in sources {
        files.add(format!("source/{path}"), bytes.clone());
    }
    // After the sources: a file of the site that has its name is named in it and stays out.
    files.text(SourceMap::PATH, &map.print(&lines));
    for dialect in Dialect::ALL {
        let bytes = seed::script(dialect, blueprint).into_bytes();
        files.0.push(File { path: format!("seeds/{}", dialect.file()), bytes, owner: Owner::Directory });
    }
    Bundle::new(postkiln_blueprint::LANGUAGE, blueprint.hostname.as_str(), files.0, blueprint.services.clone())
}

/// Files that everybody on the node may read.
#[derive(Default)]
struct Files(Vec<File>);

impl Files {
    fn add(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        self.0.push(File { path: path.into(), bytes, owner: Owner::Everyone });
    }

    /// What the lines of the files made so far are for. Those that are no text have none.
    fn lines(&self, blueprint: &Blueprint) -> BTreeMap<String, Lines> {
        let texts = self.0.iter().filter_map(|file| Some((&file.path, std::str::from_utf8(&file.bytes).ok()?)));
        texts.filter_map(|(path, text)| Some((path.clone(), Lines::new(blueprint, path, text)?))).collect()
    }

    fn text(&mut self, path: impl Into<String>, text: &str) {
        self.add(path, text.as_bytes().to_vec());
    }

    #[allow(clippy::expect_used, reason = "the models have string keys only; every test of this crate passes here")]
    fn json(&mut self, path: impl Into<String>, value: &impl Serialize) {
        let mut bytes = serde_json::to_vec_pretty(value).expect("a model is always JSON");
        bytes.push(b'\n');
        self.add(path, bytes);
    }
}

fn users(blueprint: &Blueprint, files: &mut Files) {
    let assignments = blueprint.assignments();
    files.text("users/assign", &users_assign::print(&assignments));
    files.add("users/cdb", users_assign::compile(&assignments));
}

fn tcp(blueprint: &Blueprint, files: &mut Files) {
    for (listener, rules) in &blueprint.tcp {
        // The blueprint's rules are printed by us; a malformed one would deny everybody by an empty name.
        let rules = tcprules::parse(rules).unwrap_or_else(|_| deny());
        files.text(format!("tcp/{listener}"), &tcprules::print(&rules));
        files.add(format!("tcp/{listener}.cdb"), tcprules::compile(&rules));
    }
}

fn deny() -> Vec<tcprules::Rule> {
    vec![tcprules::Rule { address: String::new(), decision: tcprules::Decision::Deny }]
}

fn domains(blueprint: &Blueprint, files: &mut Files) {
    for (domain, mail) in &blueprint.domains {
        for (name, instructions) in mail.dot_qmail(domain) {
            files.text(format!("domains/{domain}/{name}"), &dot_qmail::print(&instructions));
        }
        for (local, responder) in &mail.responders {
            let text = robot::message(&format!("{local}@{domain}"), responder);
            files.text(format!("robots/{domain}/{}", local.as_str()), &text);
        }
        for (local, list) in &mail.lists {
            files.json(format!("lists/{domain}/{}/list.json", local.as_str()), list);
        }
    }
}

fn zones(blueprint: &Blueprint, files: &mut Files) {
    for (name, zone) in &blueprint.zones {
        if zone.publish {
            files.text(format!("dns/{name}.zone"), &zone::print(name, zone));
        }
        for (path, text) in web::files(name, zone) {
            files.text(path, &text);
        }
    }
    files.json("dns/records.json", &records::records(blueprint));
}

fn clamav(blueprint: &Blueprint, files: &mut Files) {
    if !blueprint.antivirus.clamav {
        return;
    }
    files.text("clamav/clamd.conf", &scanner::clamd_conf(&blueprint.antivirus));
    files.text("clamav/freshclam.conf", &scanner::freshclam_conf(&blueprint.antivirus));
    for (name, signature) in &blueprint.antivirus.signatures {
        files.add(format!("clamav/signatures/{name}"), signature.bytes.clone());
    }
}

#[cfg(test)]
mod tests;
