//! E0301 to E0318, W0303 to W0306: addresses, and where their mail goes.

use super::{Code, Entry};

codes! {
    DUPLICATE = "E0301" {
        title: "an address is declared twice",
        meaning: r#"
            An address has one meaning in its domain. A user, an alias, a list and an autoresponder cannot share a name, and
            two users cannot have the same alias: one of the two would silently never get mail.
        "#,
        wrong: r#"
            domains."example.org" = {
              users.grace.aliases = ["info"],
              aliases.info = ["ada"],
            },
        "#,
        right: r#"
            domains."example.org".aliases.info = ["ada", "grace"],
        "#,
    }
    DANGLING = "E0302" {
        title: "a target does not exist",
        meaning: r#"
            An alias, a forward, a list or a catch-all names an address of a domain of this site that nobody has declared.
            Mail for it would be accepted and then bounced. Addresses of other people's domains are not looked at.
        "#,
        wrong: r#"
            domains."example.org".aliases.sales = ["ada", "eve"],
        "#,
        right: r#"
            domains."example.org".aliases.sales = ["ada", "grace"],
        "#,
    }
    LOOP = "E0303" {
        title: "addresses forward to one another in a circle",
        meaning: r#"
            Mail for one of these addresses would be passed on until a limit ends it, and nobody would get it. Let one of them
            end in a mailbox: forward with `keep = true`, or name somebody else.
        "#,
        wrong: r#"
            domains."example.org".aliases = { sales = ["office"], office = ["sales"] },
        "#,
        right: r#"
            domains."example.org".aliases = { sales = ["office"], office = ["ada"] },
        "#,
    }
    ALIAS_DOMAIN = "E0304" {
        title: "an alias domain does not lead to a mail domain",
        meaning: r#"
            `alias_of` names a domain of this site that has addresses of its own: not itself, not another alias domain, not a
            domain that is somebody else's.
        "#,
        wrong: r#"
            domains."example.net" = { alias_of = "exmaple.org" },
        "#,
        right: r#"
            domains."example.net" = { alias_of = "example.org" },
        "#,
    }
    NOBODY_POSTS = "E0305" {
        title: "nobody may post to a list",
        meaning: r#"
            The list lets only moderators or only members post, and there is none. Everything that is sent to it would be
            refused.
        "#,
        wrong: r#"
            domains."example.org".lists.news = { members = ["ada", "grace"], post = 'moderators },
        "#,
        right: r#"
            domains."example.org".lists.news = { members = ["ada", "grace"], post = 'moderators, moderators = ["ada"] },
        "#,
    }
    QUOTA = "E0307" {
        title: "a quota is smaller than the largest accepted message",
        meaning: r#"
            A message that is accepted for a mailbox must fit into it when it is empty; else mail of a size that the
            system says it takes would never arrive. Raise the quota, or lower the size of messages.
        "#,
        wrong: r#"
            domains."example.org".users.ada.quota = "5 MB",
        "#,
        right: r#"
            domains."example.org".users.ada.quota = "5 GiB",
        "#,
    }
    UNKNOWN_CONTROL = "E0308" {
        title: "there is no control file of this name",
        meaning: r#"
            `control` takes qmail's control files by their names, which are long and easily misspelt. A file that no program
            reads would change nothing.
        "#,
        wrong: r#"
            control.concurencyremote = 40,
        "#,
        right: r#"
            control.concurrencyremote = 40,
        "#,
    }
    CONTROL_VALUE = "E0309" {
        title: "a control file cannot hold this value",
        meaning: r#"
            Each control file holds a number, one line, or several lines of a certain form. Some are made from other parts of
            the site and cannot be written here as well: the finding names the option to use.
        "#,
        wrong: r#"
            control.databytes = "many",
        "#,
        right: r#"
            control.databytes = 52428800,
        "#,
    }
    OPEN_RELAY = "E0310" {
        title: "strangers could send through this system to others",
        meaning: r#"
            A system that takes mail from anybody for anybody is found within hours and used for spam until nobody accepts
            its mail. `rcpthosts` names the domains that strangers may write to: those of this site, and those for which it is a
            declared relay by a line in `smtproutes`.
        "#,
        wrong: r#"
            control.rcpthosts = ["example.org", "example.com"],
        "#,
        right: r#"
            control = { rcpthosts = ["example.org", "example.com"], smtproutes = ["example.com:mail.example.com"] },
        "#,
    }
    EXPECTATION = "E0311" {
        title: "an expectation does not hold",
        meaning: r#"
            `expect` says what shall become of mail from one address to another. The same walk that the node takes was taken
            here, and it ends elsewhere. Either the site is wrong, or the expectation is out of date.
        "#,
        wrong: r#"
            expect = [{ from = "a@elsewhere.example", to = "info@example.org", result = 'delivered_to "ada@example.org" }],
        "#,
        right: r#"
            domains."example.org".aliases.info = ["ada"],
            expect = [{ from = "a@elsewhere.example", to = "info@example.org", result = 'delivered_to "ada@example.org" }],
        "#,
    }
    NAME = "E0312" {
        title: "a name cannot be an address of this kind",
        meaning: r#"
            Aliases, lists and autoresponders become files called `.qmail-NAME`, where a slash and the word `default` at the
            end have meanings of their own; and what needs quotes in an address (RFC 5321) cannot be typed by those who write.
        "#,
        wrong: r#"
            domains."example.org".aliases."sales-default" = ["ada"],
        "#,
        right: r#"
            domains."example.org".aliases."sales-standard" = ["ada"],
        "#,
    }
    NO_DOMAIN = "E0318" {
        title: "there is no mail domain",
        meaning: r#"
            The site has alias domains only, and none that has addresses of its own. There is nobody who could get mail.
        "#,
        wrong: r#"
            let pk = import "postkiln/site.ncl" in
            {
              appliance.hostname = "mail.example.org",
              domains."example.net" = { alias_of = "example.org" },
            } | pk.Site
        "#,
        right: r#"
            let pk = import "postkiln/site.ncl" in
            {
              appliance.hostname = "mail.example.org",
              domains."example.org".users.ada.password.hash = "$6$…",
              domains."example.net" = { alias_of = "example.org" },
            } | pk.Site
        "#,
    }
    UNDELIVERED = "W0301" {
        title: "a secret is used, and an appliance is not given secrets yet",
        meaning: r#"
            The secret is named and not written, as it should be. `postkiln run` opens the secrets with your identity and gives
            them to the node; an appliance of this version is not given any. There a person whose password is a secret cannot log
            in, mail for a smarthost that asks for a login waits, and clients are shown a certificate of the node's own making.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
        "#,
        right: r#"
            domains."example.org".users.linus.password = { hash = "$6$…" },
        "#,
    }
    NO_PASSWORD = "W0303" {
        title: "nobody can log in to a mailbox",
        meaning: r#"
            The user keeps mail and has no password: mail arrives and cannot be read. A user who only forwards needs none.
        "#,
        wrong: r#"
            domains."example.org".users.linus = {},
        "#,
        right: r#"
            domains."example.org".users.linus.password = { hash = "$6$…" },
        "#,
    }
    UNREACHABLE = "W0304" {
        title: "mail for a domain of ours is refused",
        meaning: r#"
            A `rcpthosts` of your own leaves out a domain of the site, so that others cannot write to it. Those who log in
            still can.
        "#,
        wrong: r#"
            domains."example.net" = { alias_of = "example.org" },
            control.rcpthosts = ["example.org"],
        "#,
        right: r#"
            domains."example.net" = { alias_of = "example.org" },
            control.rcpthosts = ["example.org", "example.net"],
        "#,
    }
    EMPTY_LIST = "W0306" {
        title: "a list has no members",
        meaning: r#"
            What is posted to the list reaches nobody.
            That may be meant for a list that is just being set up.
        "#,
        wrong: r#"
            domains."example.org".lists.news = { members = [], post = 'anyone },
        "#,
        right: r#"
            domains."example.org".lists.news = { members = ["ada"], post = 'anyone },
        "#,
    }
}
