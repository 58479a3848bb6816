//! E0230 to E0232, W0230: silencing findings.

use super::{Code, Entry};

codes! {
    SILENCE_ERROR = "E0230" {
        title: "an error cannot be silenced",
        meaning: r#"
            Warnings are about what may be meant; they can be silenced where they stand. An error says that the site means
            nothing that could be built, so there is nothing to go on with.
        "#,
        wrong: r#"
            silence = ["E0302"],
        "#,
        right: r#"
            silence = [],
        "#,
    }
    SILENCE_UNKNOWN = "E0231" {
        title: "there is no finding of this code",
        meaning: r#"
            What shall be silenced is named by the code that stands in brackets behind `warning`. `postkiln explain --list`
            shows all of them.
        "#,
        wrong: r#"
            silence = ["W9999"],
        "#,
        right: r#"
            silence = [],
        "#,
    }
    SILENCE_FORM = "E0232" {
        title: "a comment to Postkiln that it does not understand",
        meaning: r#"
            A comment that begins with `postkiln:` silences warnings: `# postkiln: allow W0303`, at the end of the line in which
            the warning stands, or on a line of its own before it. Several codes are separated by commas; what follows them is for
            people.
        "#,
        wrong: r#"
            # postkiln: ignore W0303
            domains."example.org".users.linus = {},
        "#,
        right: r#"
            # postkiln: allow W0303 until he comes back from sea
            domains."example.org".users.linus = {},
        "#,
    }
    SILENCES_NOTHING = "W0230" {
        title: "what is silenced is not found",
        meaning: r#"
            A comment or the field `silence` allows a warning that is not given there (any more). If it stayed, it would hide
            the next one, which may be meant seriously.
        "#,
        wrong: r#"
            domains."example.org".users.ada.quota = "5 GiB", # postkiln: allow W0303
        "#,
        right: r#"
            domains."example.org".users.ada.quota = "5 GiB",
        "#,
    }
}
