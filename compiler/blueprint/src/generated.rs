//! The things of the site that lines of generated files were made for: `postkiln explain SITE FILE:LINE`. Knows the
//! forms of the files, not the site; [`crate::origin`] knows where things were written.

use postkiln_address::LocalPart;

use crate::{Blueprint, Kind, ObjectId};

/// A thing, and the part of it, that a line was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The id of the thing.
    pub id: ObjectId,
    /// The field within it, as [`crate::origin::place`] takes it; empty for the thing as a whole.
    pub path: Vec<String>,
}

/// The cause of one line of a file of the bundle, found from its text and, where that is not enough, from the lines
/// around it. `None` for lines that are the same for every site, and for files whose cause is the whole site.
#[must_use]
pub fn cause(blueprint: &Blueprint, path: &str, lines: &[&str], index: usize) -> Option<Cause> {
    let line = *lines.get(index)?;
    let (folder, rest) = path.split_once('/')?;
    match folder {
        "control" => control(blueprint, rest, line),
        "users" if rest == "assign" => {
            let domain = line.strip_prefix('+')?.split(':').next()?.strip_suffix('-')?;
            whole(Kind::Domain, domain)
        }
        "tcp" => whole(Kind::Listener, rest.strip_suffix(".cdb").unwrap_or(rest)),
        "domains" => {
            let (domain, file) = rest.split_once('/')?;
            instructions(blueprint, domain, file)
        }
        "robots" => {
            let (domain, local) = rest.split_once('/')?;
            let header = lines.iter().position(|line| line.is_empty()).is_none_or(|end| index < end);
            let field = match line.split(':').next() {
                Some("Subject") if header => "subject",
                Some("From") if header => "from",
                _ if header => return whole_within(Kind::Autoresponder, local, domain),
                _ => "text",
            };
            part(ObjectId::within(Kind::Autoresponder, local, domain), &[field])
        }
        "lists" => {
            let mut parts = rest.split('/');
            let (domain, local) = (parts.next()?, parts.next()?);
            let field = lines.get(..=index)?.iter().rev().find_map(|line| key(line, 2));
            let id = ObjectId::within(Kind::List, local, domain);
            part(id, &field.into_iter().collect::<Vec<_>>())
        }
        "seeds" => account(blueprint, line),
        "dns" if rest.ends_with(".zone") => zone(rest.strip_suffix(".zone")?, line),
        "dns" => record(lines, index),
        "web" => web(blueprint, rest),
        "clamav" => {
            part(ObjectId::single(Kind::Antivirus), &[if rest.contains('/') { "signatures" } else { "engine" }])
        }
        _ => None,
    }
}

/// The cause of a whole file, when all its lines have the same one.
#[must_use]
pub fn cause_of_file(blueprint: &Blueprint, path: &str) -> Option<Cause> {
    let (folder, rest) = path.split_once('/')?;
    match folder {
        "control" => Some(Cause { id: ObjectId::new(Kind::Control, rest), path: Vec::new() }),
        "robots" | "lists" => {
            let mut parts = rest.split('/');
            let (domain, local) = (parts.next()?, parts.next()?);
            whole_within(if folder == "lists" { Kind::List } else { Kind::Autoresponder }, local, domain)
        }
        "dns" => whole(Kind::Zone, rest.strip_suffix(".zone")?),
        _ => cause(blueprint, path, &[""], 0),
    }
}

fn whole(kind: Kind, name: &str) -> Option<Cause> {
    part(ObjectId::new(kind, name), &[])
}

fn whole_within(kind: Kind, local: &str, domain: &str) -> Option<Cause> {
    part(ObjectId::within(kind, local, domain), &[])
}

#[allow(clippy::unnecessary_wraps, reason = "every caller answers with it")]
fn part(id: ObjectId, path: &[&str]) -> Option<Cause> {
    Some(Cause { id, path: path.iter().map(|name| (*name).to_owned()).collect() })
}

/// A line that names a domain of the site is caused by the domain; any other line by the control file.
fn control(blueprint: &Blueprint, name: &str, line: &str) -> Option<Cause> {
    if line.is_empty() {
        return None;
    }
    let first = line.split([':', ' ']).next().unwrap_or(line);
    let mut domains = blueprint.domains.keys().chain(blueprint.alias_domains.keys());
    let is_list = matches!(name, "locals" | "rcpthosts" | "morercpthosts" | "virtualdomains" | "subaddress");
    match domains.find(|domain| is_list && domain.as_str() == first) {
        Some(domain) if name == "subaddress" => part(ObjectId::new(Kind::Domain, domain), &["subaddress"]),
        Some(domain) => whole(Kind::Domain, domain.as_str()),
        None => whole(Kind::Control, name),
    }
}

/// `.qmail` files are made for an alias, a list, a forward or a reply; the last one for the rest of the domain.
fn instructions(blueprint: &Blueprint, domain: &str, file: &str) -> Option<Cause> {
    if file == postkiln_control::fastforward::FILE {
        return whole(Kind::Domain, domain);
    }
    let mail = blueprint.domains.get(&domain.parse().ok()?)?;
    let local = LocalPart::new(&file.strip_prefix(".qmail-")?.replace(':', ".")).ok()?;
    let kind = if mail.aliases.contains_key(&local) {
        Kind::Alias
    } else if mail.lists.contains_key(&local) {
        Kind::List
    } else if mail.responders.contains_key(&local) {
        Kind::Autoresponder
    } else if mail.users.contains_key(&local) {
        return part(ObjectId::within(Kind::User, &local, domain), &["forward"]);
    } else {
        return part(ObjectId::new(Kind::Domain, domain), &["catch_all"]);
    };
    whole_within(kind, local.as_str(), domain)
}

/// A row of a seed holds the domain and the local part beside one another, in either order.
fn account(blueprint: &Blueprint, line: &str) -> Option<Cause> {
    let texts: Vec<&str> = line.split('\'').skip(1).step_by(2).collect();
    let pairs = texts.windows(2).flat_map(|pair| [(pair[0], pair[1]), (pair[1], pair[0])]);
    let mut found = pairs.filter_map(|(domain, local)| {
        let mail = blueprint.domains.get(&domain.parse().ok()?)?;
        let local = LocalPart::new(local).ok()?;
        let kind = if mail.users.contains_key(&local) {
            Kind::User
        } else if mail.aliases.contains_key(&local) {
            Kind::Alias
        } else {
            return None;
        };
        whole_within(kind, local.as_str(), domain)
    });
    let named = |text: &&&str| text.parse().is_ok_and(|domain| blueprint.domains.contains_key(&domain));
    found.next().or_else(|| whole(Kind::Domain, texts.iter().find(named)?))
}

fn zone(name: &str, line: &str) -> Option<Cause> {
    if line.starts_with("$TTL") {
        return part(ObjectId::new(Kind::Zone, name), &["ttl"]);
    }
    let mut fields = line.split('\t');
    let (owner, kind) = (fields.next()?, fields.nth(1)?);
    part(ObjectId::new(Kind::Zone, name), &[owner, kind])
}

/// A record of `records.json`: the lines around this one, up to the braces of its object in the list. A reverse record
/// is in no zone of ours: its cause is an address of the machine.
fn record(lines: &[&str], index: usize) -> Option<Cause> {
    let value = |line: &str, name: &str| {
        let rest = line.trim_start().strip_prefix(&format!("\"{name}\": \""))?;
        rest.split('"').next().map(str::to_owned)
    };
    let start = lines.get(..=index)?.iter().rposition(|line| *line == OPENS)?;
    let around = || lines.iter().skip(start + 1).take_while(|line| !line.starts_with(CLOSES));
    if start + around().count() + 1 < index {
        return None;
    }
    let known = |name: &str| around().find_map(|line| value(line, name));
    match known("zone") {
        Some(zone) => Some(Cause { id: ObjectId::new(Kind::Zone, zone), path: vec![known("name")?, known("type")?] }),
        None => part(
            ObjectId::single(Kind::Appliance),
            &[if known("address").is_some() { "addresses" } else { return None }],
        ),
    }
}

/// The line that begins an object of a list, in pretty JSON.
const OPENS: &str = "    {";
const CLOSES: &str = "    }";

/// Files for mail programs are made for the domain that their path names.
fn web(blueprint: &Blueprint, rest: &str) -> Option<Cause> {
    let mut domains = blueprint.domains.keys().chain(blueprint.alias_domains.keys());
    let domain = domains.find(|domain| rest.split('/').any(|part| is_named(part, domain.as_str())))?;
    whole(Kind::Domain, domain.as_str())
}

/// Whether a file's name is a domain's: `example.org`, or `example.org.xml`.
fn is_named(part: &str, domain: &str) -> bool {
    part == domain || part.rsplit_once('.').is_some_and(|(stem, _)| stem == domain)
}

/// The key of a line of pretty JSON at a depth, in spaces.
pub(crate) fn key(line: &str, depth: usize) -> Option<&str> {
    let rest = line.strip_prefix(&" ".repeat(depth))?.strip_prefix('"')?;
    rest.split_once("\":").map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<Cause>, expected: Option<(&str, &[&str])>) {
        let found = found.map(|cause| (cause.id.to_string(), cause.path));
        let expected = expected.map(|(id, path)| (id.to_owned(), path.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_tell_what_they_were_made_for() {
        check(zone("example.org", "$TTL 3600"), Some(("zone/example.org", &["ttl"])));
        check(zone("example.org", "www\tIN\tA\t192.0.2.80"), Some(("zone/example.org", &["www", "A"])));
        check(zone("example.org", "; Made by postkiln from the site."), None);
        let json = [
            "{",
            "  \"records\": [",
            "    {",
            "      \"zone\": \"example.org\",",
            "      \"name\": \"www\",",
            "      \"type\": \"A\",",
            "      \"data\": {",
            "        \"address\": \"192.0.2.80\"",
            "      }",
            "    }",
        ];
        for index in 3..8 {
            check(record(&json, index), Some(("zone/example.org", &["www", "A"])));
        }
        check(record(&json, 0), None);
        let reverse = [
            "  ],",
            "  \"reverse\": [",
            "    {",
            "      \"address\": \"192.0.2.25\",",
            "      \"type\": \"PTR\"",
            "    }",
        ];
        let both = [&json[..], &reverse].concat();
        check(record(&both, 9), Some(("zone/example.org", &["www", "A"])));
        check(record(&both, 11), None);
        for index in 12..16 {
            check(record(&both, index), Some(("appliance", &["addresses"])));
        }
        assert_eq!(key("  \"post\": \"members\",", 2), Some("post"));
        assert_eq!(key("    \"ada@example.org\",", 2), None);
        assert!(is_named("example.org.xml", "example.org") && !is_named("example.organ", "example.org"));
    }
}
