//! Control files: any octets are refused or understood, and an understood file is printed so that it is understood
//! alike.

use postkiln_control::{
    REGISTRY, cdb as database, dot_qmail as instructions, fastforward, tcprules as rules, users_assign as assign,
};

/// A cdb file: every look-up ends, with a record or without.
pub fn cdb(octets: &[u8]) {
    let (key, file) = octets.split_at(octets.len().min(4));
    let reader = database::Cdb::new(file);
    let _ = reader.find(key);
    if let Ok(records) = reader.records() {
        assert!(records.len() <= file.len(), "more records than octets");
    }
    let _ = assign::lookup(file, "example.org-ada");
    let _ = rules::lookup(file, std::net::IpAddr::from([192, 0, 2, 1]), Some("host.example"));
}

/// All control files: each parses the same octets, since they are short.
pub fn control(octets: &[u8]) {
    for entry in REGISTRY {
        if let Ok(printed) = (entry.normal)(octets) {
            let again = (entry.normal)(printed.as_bytes());
            assert!(again.as_ref() == Ok(&printed), "{}: {:?} became {again:?}", entry.name, beginning(&printed));
        }
    }
}

/// Delivery instructions, of a `.qmail` file and of a table.
pub fn dot_qmail(octets: &[u8]) {
    if let Ok(parsed) = fastforward::instructions(octets) {
        let again = fastforward::instructions(&fastforward::data(&parsed));
        assert!(again.as_ref() == Ok(&parsed), "in a table otherwise: {}", beginning(&instructions::print(&parsed)));
    }
    if let Ok(parsed) = instructions::parse(octets) {
        let printed = instructions::print(&parsed);
        assert!(
            instructions::parse(printed.as_bytes()).as_ref() == Ok(&parsed),
            "printed otherwise: {}",
            beginning(&printed)
        );
    }
}

/// Rules of a tcprules file.
pub fn tcprules(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(parsed) = rules::parse(text) {
        let printed = rules::print(&parsed);
        assert!(rules::parse(&printed).as_ref() == Ok(&parsed), "printed otherwise: {}", beginning(&printed));
        let _ = rules::lookup(&rules::compile(&parsed), std::net::IpAddr::from([192, 0, 2, 1]), None);
    }
}

/// Lines of `users/assign`.
pub fn users_assign(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(parsed) = assign::parse(text) {
        let printed = assign::print(&parsed);
        assert!(assign::parse(&printed).as_ref() == Ok(&parsed), "printed otherwise: {}", beginning(&printed));
        assign::lookup(&assign::compile(&parsed), "example.org-ada").expect("it was compiled here");
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(400).collect()
}
