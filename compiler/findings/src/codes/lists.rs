//! E0340 to E0349: mailing lists and automatic replies.

use super::{Code, Entry};

codes! {
    NO_MODERATOR = "E0340" {
        title: "posts or subscriptions wait for moderators, and there are none",
        meaning: r#"
            What goes to the moderators of a list is held until one of them answers. A list without moderators would hold it
            until it expires, and its writers would get it back days later.
        "#,
        wrong: r#"
            domains."example.org".lists.news = { members = ["ada"], post = 'moderated },
        "#,
        right: r#"
            domains."example.org".lists.news = { members = ["ada"], post = 'moderated, moderators = ["grace"] },
        "#,
    }
    ALLOWED_AND_DENIED = "E0341" {
        title: "a list both lets somebody post and does not",
        meaning: r#"
            `deny` is the last word, so the same address as a moderator or in `allow` can only be a mistake.
        "#,
        wrong: r#"
            domains."example.org".lists.news = { members = ["ada"], moderators = ["grace"], deny = ["grace"] },
        "#,
        right: r#"
            domains."example.org".lists.news = { members = ["ada"], moderators = ["grace"], deny = ["eve@example.net"] },
        "#,
    }
    SUBLIST = "E0342" {
        title: "a list passes on the posts of a list that does not send it any",
        meaning: r#"
            A sublist is a member of its main list, and sends what comes from there on to its own members. When both are
            lists of this site, the main list must have the sublist among its members, and must not be the list itself.
        "#,
        wrong: r#"
            domains."example.org".lists = {
              all = { members = ["ada"] },
              north = { members = ["grace"], sublist_of = "all" },
            },
        "#,
        right: r#"
            domains."example.org".lists = {
              all = { members = ["ada", "north"] },
              north = { members = ["grace"], sublist_of = "all" },
            },
        "#,
    }
    COMMAND_ADDRESS = "E0343" {
        title: "an address is one of a list's own",
        meaning: r#"
            Beside its name a list has addresses at which it obeys commands (`news-subscribe`, `news-help`) and takes bounces
            (`news-return-…`). Something else of that name would take the list's mail away, or the list would take its. Only
            `LIST-owner` may be declared: it is who answers for the list.
        "#,
        wrong: r#"
            domains."example.org" = {
              lists.news = { members = ["ada"] },
              aliases.news-request = ["grace"],
            },
        "#,
        right: r#"
            domains."example.org" = {
              lists.news = { members = ["ada"] },
              aliases.news-owner = ["grace"],
            },
        "#,
    }
    REPLY_FROM = "E0344" {
        title: "an automatic reply is from an address of others",
        meaning: r#"
            The reply is sent by this site, so its sender must be an address of one of its domains: another's would be refused
            elsewhere as forged, and answers to it would go to a stranger.
        "#,
        wrong: r#"
            domains."example.org".autoresponders.info = {
              subject = "We got your mail", text = "Thank you.", from = "ada@elsewhere.example",
            },
        "#,
        right: r#"
            domains."example.org".autoresponders.info = { subject = "We got your mail", text = "Thank you.", from = "ada" },
        "#,
    }
    TOO_MANY_RECIPIENTS = "E0345" {
        title: "an address leads to more recipients than the node takes at once",
        meaning: r#"
            A list may have 100,000 members: each post is one message in the queue, which holds its recipients in memory. An alias
            is looked up as a whole and may lead to 2,000 places. What has more readers is a list, or a list of lists.
        "#,
        wrong: r#"
            domains."example.org".aliases.all = std.array.generate (fun n => "reader-%{std.to_string n}@elsewhere.example") 2001,
        "#,
        right: r#"
            domains."example.org".lists.all = {
              members = std.array.generate (fun n => "reader-%{std.to_string n}@elsewhere.example") 2001,
              post = 'moderators,
              moderators = ["ada"],
            },
        "#,
    }
}
