//! E0290 to E0299: versions of the language.

use super::{Code, Entry};

codes! {
    OTHER_VERSION = "E0290" {
        title: "the site is written in another version of the language",
        meaning: r#"
            Fields change their names and meaning between versions, so a site says in `version` which one it is written in;
            without the field it is 1. An older site is rewritten by `postkiln fmt --migrate`; a newer one needs a newer postkiln.
        "#,
        wrong: r#"
            version = 99,
        "#,
        right: r#"
            version = 1,
        "#,
    }
}
