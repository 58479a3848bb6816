//! E01xx: reading and evaluating the files of a site.

use super::{Code, Entry};

codes! {
    UNREADABLE = "E0100" {
        title: "a file cannot be read",
        meaning: r#"
            The site names a file that is not there, is no ordinary file, or cannot be opened. A site consists of the files below
            its own folder: paths are relative, and symbolic links are not followed, so that a site means the same wherever it
            is checked out.
        "#,
        wrong: r#"
            antivirus = { engine = 'clamav, signatures = ["ours.ndb"] },
        "#,
        right: r#"
            antivirus = { engine = 'clamav, signatures = ["ours.ndb"] },
            -- ours.ndb
            Ours.Test:0:*:6f7572732d746573742d7369676e6174757265
        "#,
    }
    SYNTAX = "E0101" {
        title: "a file is not written in its language",
        meaning: r#"
            The text is not Nickel (or not JSON, YAML or TOML, where such a file is imported). The place is where reading stopped
            making sense; the cause often stands just before it: a comma, a brace or a quote that is missing.
        "#,
        wrong: r#"
            dns.ttl = "1 hour"
            antivirus.engine = 'none,
        "#,
        right: r#"
            dns.ttl = "1 hour",
            antivirus.engine = 'none,
        "#,
    }
    EVALUATION = "E0102" {
        title: "the site cannot be evaluated",
        meaning: r#"
            The text is Nickel, and computing its value failed: two things that cannot be added, a function that got something
            else than it takes, a contract of your own that does not hold, a value that needs itself.
        "#,
        wrong: r#"
            dns.ttl = 1 + " hour",
        "#,
        right: r#"
            dns.ttl = "1 hour",
        "#,
    }
    IMPORT = "E0103" {
        title: "an import leads out of the site",
        meaning: r#"
            A site imports only files below its own folder, by relative paths, and the one file that Postkiln brings:
            `postkiln/site.ncl`. What a site means can then depend on nothing but its folder, and checking the site of a
            stranger reads nothing else of your machine.
        "#,
        wrong: r#"
            dns.ttl = import "../shared/ttl.ncl",
        "#,
        right: r#"
            dns.ttl = import "shared/ttl.ncl",
            -- shared/ttl.ncl
            "1 hour"
        "#,
    }
    NESTING = "E0104" {
        title: "the site is nested too deeply",
        meaning: r#"
            Brackets, values or calls stand within one another hundreds of levels deep. No mail service needs that; it is a
            slip (a function that calls itself without end), or an attempt to exhaust the evaluator.
        "#,
        wrong: r#"
            dns.ttl = let rec forever = fun x => forever (x + 1) + 1 in forever 0,
        "#,
        right: r#"
            dns.ttl = "1 hour",
        "#,
    }
    TIME = "E0105" {
        title: "evaluating the site takes too long",
        meaning: r#"
            A site may use ten seconds of processor time. A description of 10,000 users takes less than two; what takes ten
            is nearly always a function that calls itself without end, or a search through a long list for each element of it.
            Large populations belong in data files (`users_from`), which are not evaluated. The site is then evaluated once
            more, field by field, and the finding stands at the field in which it ended again: there, or in what that field
            uses, is the cause.
        "#,
        wrong: r#"
            dns.ttl = let rec forever = fun x => if x < 0 then "1 hour" else forever (x + 1) in forever 0,
        "#,
        right: r#"
            dns.ttl = "1 hour",
        "#,
    }
    MEMORY = "E0106" {
        title: "evaluating the site takes too much memory",
        meaning: r#"
            A site may use one gibibyte. What takes more is nearly always a function that calls itself without end, or a list
            that is generated far too long. Large populations belong in data files (`users_from`), which are not evaluated. The
            place is found as for E0105.
        "#,
        wrong: r#"
            appliance.operators = std.array.generate (fun n => "%{std.to_string n}") 1000000000,
        "#,
        right: r#"
            appliance.operators = [],
        "#,
    }
    EVALUATOR = "E0107" {
        title: "the evaluator gave no answer",
        meaning: r#"
            The process that evaluates the site could not be started, or it ended without an answer and for no reason that it
            told. When the machine has memory left and may start processes, this is a fault of Postkiln: please report it
            together with the site.
        "#,
        wrong: r#"
            a site that makes the evaluator fail
        "#,
        right: r#"
            any other
        "#,
    }
    UNBOUND = "E0108" {
        title: "nothing is called so here",
        meaning: r#"
            A word without quotes is the name of something: a `let`, an argument of a function, a field of the record it stands in or
            of one around it. Nothing of this name can be seen from there. Often quotes are missing (a text), or the sign `'`
            (a choice such as `'clamav`).
        "#,
        wrong: r#"
            dns.ttl = default_ttl,
            antivirus.engine = clamav,
        "#,
        right: r#"
            dns.ttl = "1 hour",
            antivirus.engine = 'clamav,
        "#,
    }
}
