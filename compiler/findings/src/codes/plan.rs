//! E0501 to E0506, E0508: guards of a plan. They are about changes that are allowed, but only when a person says so.

use super::{Code, Entry};

codes! {
    REMOVE_DOMAIN = "E0501" {
        title: "a domain would be removed",
        meaning: r#"
            The base has a domain that the site has no more. Mail for it would be refused, and its people could not log in.
            Their mail stays on the node, but nobody reaches it. Of an alias domain only the addresses are lost.

            `plan` stops here until you say `--allow remove-domain`. If the domain only got another name, say so:
            `moved = [{ from = "domain/example.org", to = "domain/example.net" }]`.
        "#,
        wrong: r#"
            # The base has example.org and example.com, the site:
            domains."example.org" = { postmaster = "ada", users.ada = {} },
        "#,
        right: r#"
            domains."example.org" = { postmaster = "ada", users.ada = {} },
            domains."example.com".alias_of = "example.org",
        "#,
    }
    REMOVE_MANY = "E0502" {
        title: "many users would be removed",
        meaning: r#"
            More than 25 users, or more than a tenth of all, would lose their mailboxes. That is rarely meant: a file of users
            that was cut off, or a wrong branch, looks the same.

            `plan` stops here until you say `--allow remove-many`. Users who got another name belong in `moved`.
        "#,
        wrong: r#"
            # The base has ada and grace, the site:
            domains."example.org" = { postmaster = "ada", users.ada = {} },
        "#,
        right: r#"
            domains."example.org" = { postmaster = "ada", users = { ada = {}, hopper = {} } },
            moved = [{ from = "user/grace@example.org", to = "user/hopper@example.org" }],
        "#,
    }
    SHRINK_QUOTA = "E0503" {
        title: "a quota would shrink",
        meaning: r#"
            A user's quota gets smaller. When the mailbox holds more than that already, its mail stays and new mail bounces. How
            much it holds is known to the node alone, so every smaller quota is asked about.

            `plan` stops here until you say `--allow shrink-quota`.
        "#,
        wrong: r#"
            # The base says "5 GiB", the site:
            domains."example.org".users.ada.quota = "1 GiB",
        "#,
        right: r#"
            domains."example.org".users.ada.quota = "5 GiB",
        "#,
    }
    REMOVE_ADMIN = "E0504" {
        title: "the last one in charge would be removed",
        meaning: r#"
            The base has operators and the site has none, so nobody could change the node any more except by its console; or a
            domain loses its last administrator.

            `plan` stops here until you say `--allow remove-admin`.
        "#,
        wrong: r#"
            # The base has one key, the site:
            appliance = { hostname = "mail.example.org", operators = [] },
        "#,
        right: r#"
            appliance = { hostname = "mail.example.org", operators = ["ssh-ed25519 AAAA… ops@example.org"] },
        "#,
    }
    UNPUBLISHED = "E0505" {
        title: "mail depends on DNS records that change",
        meaning: r#"
            The exchanger of a domain, or a key its mail is signed with, is another one than before. When the node follows before
            the world sees the new records, mail is lost on its way in or taken for forged on its way out. This plan asks no name
            server, so it cannot know what the world sees.

            `plan` stops here until you say `--allow dns`: after you published what the plan lists as "before apply",
            and after the old records' time to live.
        "#,
        wrong: r#"
            # The base has no such record, the site:
            dns.records."example.org" = [{ name = "@", type = 'MX, value = "10 mx.example.net." }],
        "#,
        right: r#"
            # Publish the new exchanger beside the old one first, and remove the old one in a later commit.
            dns.records."example.org" = [
              { name = "@", type = 'MX, value = "10 mail.example.org." },
              { name = "@", type = 'MX, value = "20 mx.example.net." },
            ],
        "#,
    }
    CLOSE_LISTENER = "E0506" {
        title: "a port that people use would be closed",
        meaning: r#"
            A listening socket goes away or moves to another port. Whoever is set up for it cannot come back; sessions that are
            open end in their time. How many there are is known to the node alone.

            `plan` stops here until you say `--allow close-listener`.
        "#,
        wrong: r#"
            # The base is a bundle of another version of postkiln, whose node listened on a port that this one does not open.
            appliance.hostname = "mail.example.org",
        "#,
        right: r#"
            # The same with --allow close-listener, when nobody is set up for that port any more.
            appliance.hostname = "mail.example.org",
        "#,
    }
    DOWNGRADE = "E0508" {
        title: "the base is newer than the site",
        meaning: r#"
            The base was made for a newer schema or a later generation than the new state. A node that has moved its
            data forward may not be able to go back, and somebody who is ahead of you may not have pushed yet.

            `plan` stops here until you say `--allow downgrade`.
        "#,
        wrong: r#"
            # The base says generation = 8, the site:
            generation = 7,
        "#,
        right: r#"
            generation = 9,
        "#,
    }

    NEW_IMAGE = "E0509" {
        title: "the site outgrows its image",
        meaning: r#"
            An image is cut for its site: the two areas for bundles are 32 MiB, or that doubled as often as the bundle
            needs it. The new bundle needs a larger step than the base, so a machine that was made from an image of the
            base has no room for it: build an image of the new state and put the machine's system disk in its place.
            Data on a disk of its own stays.

            `plan` stops here until you say `--allow new-image`.
        "#,
        wrong: r#"
            # 20,000 users so far, and 80,000 more in this file:
            users_from = "staff.csv",
        "#,
        right: r#"
            users_from = "staff.csv",
            # … and `postkiln build` for the machine.
        "#,
    }
}
