//! E02xx, W02xx: single values of a site: their type, their form, the names of fields.

use super::{Code, Entry};

codes! {
    TYPE = "E0201" {
        title: "a value has the wrong type",
        meaning: r#"
            The field takes another type of value: a size is a string with a unit, a choice is a tag as `'clamav`, several
            things are a list in brackets. The finding says what is expected and what stands there.
        "#,
        wrong: r#"
            domains."example.org".users.ada.quota = 5,
        "#,
        right: r#"
            domains."example.org".users.ada.quota = "5 GiB",
        "#,
    }
    MISSING = "E0202" {
        title: "a field is missing",
        meaning: r#"
            Most fields have a default. This one has none, because nobody but you can know it: the members of a list, the text
            of an automatic reply, who is postmaster among several users.
        "#,
        wrong: r#"
            domains."example.org".lists.news = { post = 'members },
        "#,
        right: r#"
            domains."example.org".lists.news = { post = 'members, members = ["ada", "grace"] },
        "#,
    }
    UNKNOWN_FIELD = "E0203" {
        title: "there is no field of this name",
        meaning: r#"
            Unknown fields are refused, since a misspelt option that is silently left out would be found out by those whose
            mail it was about. The hint names the field that is nearest, or all that stand here.
        "#,
        wrong: r#"
            domains."example.org".users.ada.qouta = "5 GiB",
        "#,
        right: r#"
            domains."example.org".users.ada.quota = "5 GiB",
        "#,
    }
    VALUE = "E0204" {
        title: "a value cannot be understood",
        meaning: r#"
            The value has the right type and not the right form: an address without `@`, a size without a unit, a name with
            characters that no mailbox may have. The finding says what is wrong with it.
        "#,
        wrong: r#"
            domains."example.org".users.ada.quota = "5 Gigs",
        "#,
        right: r#"
            domains."example.org".users.ada.quota = "5 GiB",
        "#,
    }
    TWICE = "E0205" {
        title: "a thing is given twice",
        meaning: r#"
            Two entries mean the same thing. Mail addresses and domains ignore the difference of upper and lower case, so
            `Sales` and `sales` are one alias; which of the two should count cannot be guessed.
        "#,
        wrong: r#"
            domains."example.org".aliases = { Sales = ["ada"], sales = ["grace"] },
        "#,
        right: r#"
            domains."example.org".aliases = { sales = ["ada", "grace"] },
        "#,
    }
    ALIAS_DOMAIN_FIELD = "E0206" {
        title: "an alias domain has things of its own",
        meaning: r#"
            Every address of an alias domain is the same address of the domain it stands for. It has no users, aliases or
            lists of its own. Either remove those, or make it a domain with forwards.
        "#,
        wrong: r#"
            domains."example.net" = { alias_of = "example.org", aliases.sales = ["ada"] },
        "#,
        right: r#"
            domains."example.net" = { alias_of = "example.org" },
        "#,
    }
    POSTMASTER = "E0207" {
        title: "the postmaster is no user of the domain",
        meaning: r#"
            Every domain must take mail for `postmaster` (RFC 5321 §4.5.1), and a person must read it. The field names the
            user who does; it is no address, and no user of another domain.
        "#,
        wrong: r#"
            domains."example.org".postmaster = "eve",
        "#,
        right: r#"
            domains."example.org".postmaster = "grace",
        "#,
    }
    NOT_A_SITE = "E0208" {
        title: "the site does not say that it is one",
        meaning: r#"
            A site ends with `| pk.Site`: this applies Postkiln's contracts, which give the defaults. Without them nothing
            says what a field that is left out means, and the editor shows neither documentation nor completion.
        "#,
        wrong: r#"
            {
              appliance.hostname = "mail.example.org",
              domains."example.org".users.ada.password.hash = "$6$…",
            }
        "#,
        right: r#"
            let pk = import "postkiln/site.ncl" in
            {
              appliance.hostname = "mail.example.org",
              domains."example.org".users.ada.password.hash = "$6$…",
            } | pk.Site
        "#,
    }
    HASH = "E0209" {
        title: "a password hash is none",
        meaning: r#"
            The node checks passwords against argon2id (`$argon2id$…`) and SHA-crypt (`$6$…`, `$5$…`) hashes. Anything else,
            above all a password in clear text, does not belong into a site: it would be readable by everybody who reads the
            repository. Make a hash with `openssl passwd -6`.
        "#,
        wrong: r#"
            domains."example.org".users.ada.password.hash = "correct horse",
        "#,
        right: r#"
            domains."example.org".users.ada.password.hash = "$6$…",
        "#,
    }
}
