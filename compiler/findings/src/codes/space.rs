//! E0324 to E0326, W0320, W0322 to W0328: proofs over all addresses together: addresses that take others' mail, and
//! mail that ends unread.

use super::{Code, Entry};

codes! {
    LIMIT = "E0324" {
        title: "a domain declares more than its limits allow",
        meaning: r#"
            `limits` of a domain count what is declared and what is made on the node. What the site declares must fit itself;
            otherwise nobody could add anything, and the limit says something that is not so.
        "#,
        wrong: r#"
            domains."example.org".limits.users = 1,
        "#,
        right: r#"
            domains."example.org".limits.users = 10,
        "#,
    }
    POSTMASTER_CLOSED = "E0325" {
        title: "the postmaster is a closed account",
        meaning: r#"
            Mail for a closed account is refused, and a domain must take mail for `postmaster` (RFC 5321 §4.5.1): other
            systems write there when something is wrong with ours. Name a user who reads it.
        "#,
        wrong: r#"
            domains."example.org".users.ada.disabled = true,
        "#,
        right: r#"
            domains."example.org".users.grace.disabled = true,
        "#,
    }
    OWN_HOST = "E0326" {
        title: "a target is at this machine, which is no mail domain",
        meaning: r#"
            The machine's own name is no domain of the site. Mail for an address there would be sent out, come back to the
            machine by its own name, and be refused. Meant is an address of one of the domains, as a rule.
        "#,
        wrong: r#"
            domains."example.org".aliases.root = ["ada@mail.example.org"],
        "#,
        right: r#"
            domains."example.org".aliases.root = ["ada"],
        "#,
    }
    SHADOWED_DETAIL = "W0320" {
        title: "a declared address takes mail with a detail of another one",
        meaning: r#"
            Where `ada+anything` reaches `ada`, an alias called `ada+sales` is the exception: what is sent there goes elsewhere, and
            ada, who may have given that address to somebody, never sees it. No finding when it leads to ada as well.
        "#,
        wrong: r#"
            domains."example.org".aliases."ada+sales" = ["grace"],
        "#,
        right: r#"
            domains."example.org".aliases."ada+sales" = ["grace", "ada"],
        "#,
    }
    CAUGHT_TWICE = "W0322" {
        title: "a catch-all leads to the catch-all of another domain",
        meaning: r#"
            The address that a catch-all names is not declared in its domain; it ends where that domain's own catch-all leads.
            When somebody changes that one, the mail of both goes elsewhere, or is dropped.
        "#,
        wrong: r#"
            domains."example.org".catch_all = 'deliver_to "ada",
            domains."example.com" = {
              users.bo.password.hash = "$6$…",
              catch_all = 'deliver_to "office@example.org",
            },
        "#,
        right: r#"
            domains."example.org".catch_all = 'deliver_to "ada",
            domains."example.com" = {
              users.bo.password.hash = "$6$…",
              catch_all = 'deliver_to "ada@example.org",
            },
        "#,
    }
    CAUGHT_TARGET = "W0323" {
        title: "a target is an address that only the catch-all takes",
        meaning: r#"
            Nobody declared the address that an alias, a forward or a list names. Because its domain has a catch-all, the mail is
            accepted all the same: a misspelt name is not noticed, and the mail ends with somebody else or is dropped.
        "#,
        wrong: r#"
            domains."example.org" = { catch_all = 'deliver_to "ada", aliases.sales = ["grcae"] },
        "#,
        right: r#"
            domains."example.org" = { catch_all = 'deliver_to "ada", aliases.sales = ["grace"] },
        "#,
    }
    CLOSED_TARGET = "W0324" {
        title: "a target is a closed account",
        meaning: r#"
            An alias, a forward or a list names a user whose account is closed. What reaches them that way is refused, and the
            sender is told about an address that was not written to.
        "#,
        wrong: r#"
            domains."example.org" = { users.grace.disabled = true, aliases.sales = ["ada", "grace"] },
        "#,
        right: r#"
            domains."example.org" = { users.grace.disabled = true, aliases.sales = ["ada"] },
        "#,
    }
    ROBOT_MEMBER = "W0325" {
        title: "a member of a list is an autoresponder",
        meaning: r#"
            An autoresponder answers people: never a list, never another answer, never a bounce (RFC 3834 §2). As a member of a
            list it does nothing, and what it gets nobody reads.
        "#,
        wrong: r#"
            domains."example.org" = {
              lists.news.members = ["ada", "info"],
              autoresponders.info = { subject = "Thank you", text = "We will write." },
            },
        "#,
        right: r#"
            domains."example.org" = {
              lists.news.members = ["ada"],
              autoresponders.info = { subject = "Thank you", text = "We will write." },
            },
        "#,
    }
    ROBOT_CATCH_ALL = "W0326" {
        title: "a catch-all leads to an autoresponder",
        meaning: r#"
            Most mail to addresses that nobody declared is spam with a forged sender. An autoresponder behind a catch-all would
            answer it, to people who never wrote; other systems list machines that do this.
        "#,
        wrong: r#"
            domains."example.org" = {
              catch_all = 'deliver_to "info",
              autoresponders.info = { subject = "Thank you", text = "We will write." },
            },
        "#,
        right: r#"
            domains."example.org" = {
              catch_all = 'reject,
              autoresponders.info = { subject = "Thank you", text = "We will write." },
            },
        "#,
    }
    OVERCOMMIT = "W0327" {
        title: "users may hold more than their domain",
        meaning: r#"
            The quotas of the declared users are more, together, than `limits.quota` of their domain, which the site allows by
            `limits.overcommit`. A node that keeps to the limit refuses mail, when enough of them fill their mailboxes, for users who are far below
            their own quota. Without `overcommit` this is an error (E0324).
        "#,
        wrong: r#"
            domains."example.org".limits = { quota = "5 GiB", default_quota = "3 GiB", overcommit = true },
        "#,
        right: r#"
            domains."example.org".limits = { quota = "6 GiB", default_quota = "3 GiB" },
        "#,
    }
    TARGET_AGAIN = "W0328" {
        title: "two targets are the same mailbox",
        meaning: r#"
            A target is written in another spelling than one before it: in capitals, in an alias domain, with a detail, by
            another name of the same person. Whoever it is gets one copy; the second line says nothing, and when one of the two
            is changed later, the other is forgotten.
        "#,
        wrong: r#"
            domains."example.org" = { users.ada.aliases = ["countess"], aliases.sales = ["ada", "countess"] },
        "#,
        right: r#"
            domains."example.org" = { users.ada.aliases = ["countess"], aliases.sales = ["ada"] },
        "#,
    }
}
