//! `web`: webmail, administration, and the languages of the pages.

use crate::decode::walker::{At, Walker};
use crate::{Language, Web, codes};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Web> {
    let fields = walker.fields(at, "web", &["webmail", "administration", "languages", "name"])?;
    let webmail = fields.defaulted("webmail").and_then(|at| walker.switch(&at));
    let administration = fields.defaulted("administration").and_then(|at| walker.switch(&at));
    let languages = fields.defaulted("languages").and_then(|at| {
        let known = [("en", Language::En), ("zh_cn", Language::ZhCn)];
        let found: Vec<_> = walker.list(&at, "languages")?.iter().map(|item| walker.tag(item, &known)).collect();
        let mut languages: Vec<Language> = Vec::new();
        for language in found.into_iter().collect::<Option<Vec<_>>>()? {
            if languages.contains(&language.value) {
                walker.report(codes::TWICE, "a language is named twice", &language.place, None);
                return None;
            }
            languages.push(language.value);
        }
        if languages.is_empty() {
            walker.report(codes::VALUE, "pages need a language", &at.place, Some("write ['en]"));
            return None;
        }
        Some(at.placed(languages))
    });
    let name = fields.optional("name", |at| walker.domain(at));
    Some(Web { webmail: webmail?, administration: administration?, languages: languages?, name: name? })
}
