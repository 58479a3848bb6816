//! The manual's page of impacts, printed from the table that plans obey.

use std::fmt::Write;

use postkiln_blueprint::Kind;
use postkiln_blueprint::impact::{self, Field, Holds, TABLES, Units};

/// The text of `schemas/manual/impact.md`.
#[must_use]
pub fn impact_page() -> String {
    let mut out = String::from(HEAD);
    // Writing to a String cannot fail.
    for (kind, fields) in TABLES {
        for field in fields.iter().filter(|field| field.holds != Holds::Objects) {
            row(&mut out, *kind, field);
        }
    }
    for (kind, field) in
        [(Kind::Alias, impact::ALIAS), (Kind::Domain, impact::ALIAS_DOMAIN), (Kind::Listener, impact::RULES)]
    {
        row(&mut out, kind, &field);
    }
    out.push_str(CONTROL);
    for entry in postkiln_control::REGISTRY {
        let class = impact::control(entry.name).class.name();
        let _ = writeln!(out, "| `{}` | {class} | {} |", entry.name, entry.readers.join(", "));
    }
    out
}

fn row(out: &mut String, kind: Kind, field: &Field) {
    let units = match field.units {
        Units::These(roles) => roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", "),
        Units::Owner => "the service it belongs to".to_owned(),
        Units::Readers => "the readers of the file".to_owned(),
    };
    let mut notes = Vec::new();
    if field.holds == Holds::Sensitive {
        notes.push("its value is never shown".to_owned());
    }
    notes.extend(field.outside.map(|what| format!("elsewhere: {what}")));
    let (kind, name, class) = (kind.name(), field.name, field.class.name());
    let _ = writeln!(out, "| `{kind}` | `{name}` | {class} | {units} | {} |", notes.join("; "));
}

const HEAD: &str = "\
# What a change costs

Printed from `compiler/blueprint/src/impact.rs` by `UPDATE=1 cargo test -p postkiln-plan`; a plan obeys the same table. A service acts only when a file
that it reads differs, byte by byte; the table says what it then does.

| class | what happens | cost |
|---|---|---|
| none | the machine does not notice | none |
| data | rows of the user database, in one transaction | none; readers see them at the next look-up |
| reload | a service takes new settings | none; open sessions go on, new ones see the new |
| rebind | a listening socket comes, goes or moves | its sessions end in their time |
| restart | a service's process is replaced | seconds of that service; what was under way is tried again |
| migrate | stored data changes its form or place | a window in which mail is only read |
| reboot | the machine starts anew | under a minute |
| outside | nothing on the node | people do something elsewhere |

## Fields

| thing | field | class | who acts | notes |
|---|---|---|---|---|
";

const CONTROL: &str = "
## Control files

| file | class | who acts |
|---|---|---|
";
