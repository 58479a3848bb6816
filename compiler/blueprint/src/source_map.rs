//! `source/map.json` of a bundle: the place of each thing in the site, for plans that have the bundle and not the site.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};

use postkiln_address::Domain;
use postkiln_bundle::paths;
use postkiln_findings::Place;
use postkiln_site::{DomainEntry, MailDomain, Site};
use serde::{Deserialize, Serialize};

use crate::{Blueprint, Cause, Kind, ObjectId, origin};

/// The map. Its form is small, since there may be 100,000 things.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMap {
    /// Files of the site, by the number that ranges begin with.
    pub files: Vec<String>,
    /// Things by id: file, first line, first column, last line, column after the last.
    pub objects: BTreeMap<String, [u32; 5]>,
    /// Generated files by path, and the things that their lines were made for.
    #[serde(default)]
    pub lines: BTreeMap<String, Lines>,
}

/// The things that the lines of a generated file were made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Lines {
    /// All lines were made for one thing.
    All(String),
    /// Each line was made for a thing of its own; `None` for a line that every site has.
    Each(Vec<Option<String>>),
}

impl Lines {
    /// The things of a file's lines, given as runs of lines with the same cause; `None` when no line has one.
    #[must_use]
    pub fn new<'a>(runs: impl Iterator<Item = (usize, Option<&'a Cause>)>) -> Option<Self> {
        let runs: Vec<(usize, Option<String>)> =
            runs.map(|(count, cause)| (count, cause.map(|cause| cause.id.to_string()))).collect();
        let first = runs.iter().find_map(|(_, id)| id.as_ref())?;
        if runs.iter().all(|(_, id)| id.as_ref() == Some(first)) {
            return Some(Self::All(first.clone()));
        }
        Some(Self::Each(runs.iter().flat_map(|(count, id)| std::iter::repeat_n(id.clone(), *count)).collect()))
    }
}

impl SourceMap {
    /// The path of the map in a bundle.
    pub const PATH: &'static str = paths::MAP;

    /// The places of a blueprint's things in its site.
    #[must_use]
    pub fn new(site: &Site, blueprint: &Blueprint) -> Self {
        let mut draft = Draft::default();
        let single = [Kind::Appliance, Kind::Antivirus].map(ObjectId::single).into_iter();
        let control = blueprint.control.keys().map(|name| ObjectId::new(Kind::Control, name));
        let zones = blueprint.zones.keys().map(|name| ObjectId::new(Kind::Zone, name));
        let secrets = blueprint.secrets.keys().map(|name| ObjectId::new(Kind::Secret, name));
        let domains = blueprint.domains.keys().chain(blueprint.alias_domains.keys());
        let domains = domains.map(|name| ObjectId::new(Kind::Domain, name));
        for id in single.chain(control).chain(zones).chain(secrets).chain(domains) {
            if let Some(place) = origin::place(site, &id, &[]) {
                draft.put(&id, place);
            }
        }
        for (name, entry) in &site.domains {
            if let DomainEntry::Mail(mail) = &entry.value {
                draft.members(name, mail);
            }
        }
        draft.finish()
    }

    /// Writes the content of the map's file with the lines of generated files: JSON with a thing or a file
    /// on each line.
    ///
    /// # Errors
    /// When `to` has one.
    pub fn write(&self, lines: &BTreeMap<String, Lines>, to: &mut dyn Write) -> fmt::Result {
        write!(to, "{{\"files\":{},\n\"objects\":{{", json(&self.files))?;
        let mut end = "\n";
        for (id, [file, line, column, end_line, end_column]) in &self.objects {
            write!(to, "{end}{}:[{file},{line},{column},{end_line},{end_column}]", json(id))?;
            end = ",\n";
        }
        to.write_str("\n},\n\"lines\":{")?;
        end = "\n";
        for (path, lines) in lines {
            write!(to, "{end}{}:{}", json(path), json(lines))?;
            end = ",\n";
        }
        to.write_str("\n}}\n")
    }

    /// The place of a thing.
    #[must_use]
    pub fn place(&self, id: &ObjectId) -> Option<Place> {
        let [file, line, column, end_line, end_column] = *self.objects.get(&id.to_string())?;
        let file = self.files.get(usize::try_from(file).ok()?)?.as_str().into();
        Some(Place { file, line, column, end_line, end_column })
    }
}

/// A map in the making. Of two places of one thing the later is kept.
#[derive(Default)]
struct Draft {
    files: Vec<String>,
    objects: Vec<(String, [u32; 5])>,
}

impl Draft {
    /// Makes the map from a list, which takes half the time and memory of a map that grows.
    fn finish(self) -> SourceMap {
        SourceMap { files: self.files, objects: self.objects.into_iter().collect(), lines: BTreeMap::new() }
    }

    /// Adds everything in a domain in one pass: asking for each alias would search all users each time.
    fn members(&mut self, domain: &Domain, mail: &MailDomain) {
        let within = |kind, local: &dyn Display| ObjectId::within(kind, local, domain);
        self.put(&within(Kind::Alias, &"postmaster"), &mail.postmaster.place);
        for (local, user) in &mail.users {
            self.put(&within(Kind::User, &local.to_lower_case()), &user.place);
            for alias in &user.value.aliases {
                self.put(&within(Kind::Alias, &alias.value.to_lower_case()), &alias.place);
            }
        }
        for (local, alias) in &mail.aliases {
            self.put(&within(Kind::Alias, &local.to_lower_case()), &alias.place);
        }
        for (local, list) in &mail.lists {
            self.put(&within(Kind::List, &local.to_lower_case()), &list.place);
        }
        for (local, responder) in &mail.autoresponders {
            self.put(&within(Kind::Autoresponder, &local.to_lower_case()), &responder.place);
        }
    }

    fn put(&mut self, id: &ObjectId, place: &Place) {
        let known = self.files.iter().position(|file| **file == *place.file);
        let file = known.unwrap_or_else(|| {
            self.files.push(place.file.to_string());
            self.files.len() - 1
        });
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        let range = [file, place.line, place.column, place.end_line, place.end_column];
        self.objects.push((id.to_string(), range));
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        let id = ObjectId::within(Kind::User, "ada", "example.org");
        let place = Place { file: "staff.csv".into(), line: 2, column: 1, end_line: 2, end_column: 9 };
        let mut draft = Draft::default();
        draft.put(&id, &place);
        let map = draft.finish();
        let printed = |map: &SourceMap| {
            let mut text = String::new();
            map.write(&BTreeMap::new(), &mut text).unwrap();
            text
        };
        let read: SourceMap = serde_json::from_str(&printed(&map)).unwrap();
        assert_eq!((read.place(&id), &read), (Some(place), &map));
        assert_eq!(read.place(&ObjectId::within(Kind::User, "grace", "example.org")), None);
        let empty: SourceMap = serde_json::from_str(&printed(&SourceMap::default())).unwrap();
        assert_eq!(empty, SourceMap::default());
    }
}
