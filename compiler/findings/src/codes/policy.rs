//! W0307: the treatment of messages before they are accepted.

use super::{Code, Entry};

codes! {
    UNUSED_SIGNATURES = "W0307" {
        title: "signature files without an engine",
        meaning: r#"
            The site names signature files and switches the scanner off (or leaves it off), so nothing looks at them.
        "#,
        wrong: r#"
            antivirus = { engine = 'none, signatures = ["ours.ndb"] },
            -- ours.ndb
            Ours.Test:0:*:6f7572732d746573742d7369676e6174757265
        "#,
        right: r#"
            antivirus = { engine = 'clamav, signatures = ["ours.ndb"] },
            -- ours.ndb
            Ours.Test:0:*:6f7572732d746573742d7369676e6174757265
        "#,
    }
}
