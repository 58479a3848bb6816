//! E0210, E0320 to E0323: renames that a site declares.

use super::{Code, Entry};

codes! {
    RENAME = "E0210" {
        title: "a rename makes another kind of thing",
        meaning: r#"
            What is renamed stays what it is: a user does not become an alias. Both names of a rename begin with the same word,
            `user/`, `alias/`, `list/`, `autoresponder/` or `domain/`.
        "#,
        wrong: r#"
            moved = [{ from = "user/eve@example.org", to = "alias/ada@example.org" }],
        "#,
        right: r#"
            moved = [{ from = "user/eve@example.org", to = "user/ada@example.org" }],
        "#,
    }
    MOVED_TWICE = "E0320" {
        title: "something is renamed twice, or two are renamed to one",
        meaning: r#"
            A thing has one name after a rename, and a name belongs to one thing: the mail of two mailboxes is not poured into
            one. A name that was renamed and renamed again is written as a chain, from `a` to `b` and from `b` to `c`.
        "#,
        wrong: r#"
            moved = [
              { from = "user/eve@example.org", to = "user/ada@example.org" },
              { from = "user/eve@example.org", to = "user/grace@example.org" },
            ],
        "#,
        right: r#"
            moved = [{ from = "user/eve@example.org", to = "user/ada@example.org" }],
        "#,
    }
    MOVED_CIRCLE = "E0321" {
        title: "renames go in a circle",
        meaning: r#"
            Followed from name to name, the renames come back to where they began, so that no name is the last. Two things that
            exchange their names do it by a third name, in two commits.
        "#,
        wrong: r#"
            moved = [
              { from = "user/ada@example.org", to = "user/grace@example.org" },
              { from = "user/grace@example.org", to = "user/ada@example.org" },
            ],
        "#,
        right: r#"
            moved = [{ from = "user/eve@example.org", to = "user/ada@example.org" }],
        "#,
    }
    MOVED_DECLARED = "E0322" {
        title: "something was renamed and is still declared under its old name",
        meaning: r#"
            If the old name is declared, nobody can tell whether its mailbox is the one that was renamed or a new one. Remove the
            old declaration; or remove the rename, when every node has it and the name is to be used again. To go on getting mail
            under the old name, declare it as an alias.
        "#,
        wrong: r#"
            domains."example.org".users.ada_king.password = { hash = "$6$…" },
            moved = [{ from = "user/ada@example.org", to = "user/ada_king@example.org" }],
        "#,
        right: r#"
            domains."example.org".users.ada_king = { password = { hash = "$6$…" }, aliases = ["eve"] },
            moved = [{ from = "user/eve@example.org", to = "user/ada_king@example.org" }],
        "#,
    }
    MOVED_MISSING = "E0323" {
        title: "something was renamed to a name that is not declared",
        meaning: r#"
            A rename keeps a mailbox, its mail and its password under another name. That name has to be declared, with all that is
            to hold for it; else the mailbox would simply be gone.
        "#,
        wrong: r#"
            moved = [{ from = "user/eve@example.org", to = "user/adaa@example.org" }],
        "#,
        right: r#"
            moved = [{ from = "user/eve@example.org", to = "user/ada@example.org" }],
        "#,
    }
}
