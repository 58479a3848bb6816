//! `morercpthosts`: the domains after the fiftieth, with their cdb.

use postkiln_address::Domain;

use crate::HostPattern;
use crate::cdb::Writer;
use crate::lines::list_file;

list_file!(
    /// The same as `rcpthosts`, for many domains: qmail-smtpd reads that file whole for each connection, and looks
    /// these up in `morercpthosts.cdb`.
    Morercpthosts(HostPattern), "morercpthosts", "none", &["smtpd"],
    "Further domains that RCPT accepts, as `rcpthosts`: with more than fifty domains, those after the fiftieth. `morercpthosts.cdb` beside it is made from it."
);

impl Morercpthosts {
    /// The name of the compiled file beside it, as qmail-newmrh makes it.
    pub const CDB: &'static str = "morercpthosts.cdb";
    /// How many domains stand in `rcpthosts` before the rest moves here (qmail-smtpd(8): "the fifty most common").
    pub const AFTER: usize = 50;

    /// Whether anybody may send to this domain.
    #[must_use]
    pub fn allows(&self, domain: &Domain) -> bool {
        self.0.iter().any(|pattern| pattern.covers(domain))
    }

    /// The compiled form: each line a key without data.
    #[must_use]
    pub fn compile(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        for pattern in &self.0 {
            writer.push(pattern.to_string().as_bytes(), b"");
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ControlFile;
    use crate::cdb::Cdb;

    #[test]
    fn the_compiled_form_has_a_key_for_each_line() {
        let more = Morercpthosts::parse(b"A.example\n.b.example\n").unwrap();
        assert_eq!(more.print(), "a.example\n.b.example\n");
        let bytes = more.compile();
        let cdb = Cdb::new(&bytes);
        for (key, expected) in [("a.example", true), (".b.example", true), ("b.example", false)] {
            assert_eq!(cdb.find(key.as_bytes()).unwrap().is_some(), expected, "{key}");
        }
        assert!(more.allows(&"x.b.example".parse().unwrap()) && !more.allows(&"b.example".parse().unwrap()));
    }
}
