//! A plan as a comment on a change: fences that forges colour as a diff, and the impact as a table.

use std::fmt::Write;

use super::Style;
use super::rows::{Row, Section, impact, nothing, sections, totals};
use crate::Plan;
use crate::words::counted;

/// The whole plan, with a line break at its end.
#[must_use]
pub fn markdown(plan: &Plan, style: Style) -> String {
    let style = Style { colour: false, ..style };
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "### Plan for {}\n", plan.hostname);
    let _ = writeln!(out, "`{}` {} → `{}`\n", plan.base.short(), escaped(&plan.base.label), plan.new.short());
    if plan.is_empty() {
        let _ = writeln!(out, "{}", nothing(plan));
        return out;
    }
    let _ = writeln!(out, "**{}**\n", totals(plan));
    let guards = plan.guards.iter().filter(|guard| !guard.allowed);
    for guard in guards {
        let _ = writeln!(out, "> **{}**: {}; needs `--allow {}`\n", guard.name, escaped(&guard.message), guard.name);
    }
    let mut end = String::new();
    table(&mut end, &impact(plan));
    let mut room = LONGEST.saturating_sub(out.len() + end.len());
    let mut left = 0;
    for part in sections(plan, style) {
        let mut section = String::new();
        fence(&mut section, &part);
        if section.len() <= room || style.full {
            room = room.saturating_sub(section.len());
            out.push_str(&section);
        } else {
            // A later, shorter part may still fit: records to publish, a guard.
            left += part.rows.len();
        }
    }
    if left > 0 {
        let _ =
            writeln!(out, "{} more than a comment holds: `postkiln plan --full` shows all.\n", counted(left, "line"));
    }
    out + &end
}

/// The largest output in octets. Forges take comments of 65,536 characters, and a job has something to add.
const LONGEST: usize = 48 * 1024;

fn fence(out: &mut String, part: &Section) {
    let _ = writeln!(out, "**{}**\n\n```diff", escaped(&part.title));
    let width = part.rows.iter().map(|row| row.thing.chars().count()).max().unwrap_or(0).min(40);
    for row in &part.rows {
        // A diff knows additions and removals only; forges colour lines with `!` as changes.
        let mark = if row.mark == '~' { '!' } else { row.mark };
        let aside = if row.aside.is_empty() { String::new() } else { format!("  ({})", row.aside) };
        let line = format!("{mark} {:width$}  {}{aside}", row.thing, row.what);
        let _ = writeln!(out, "{}", line.trim_end().replace("```", "'''"));
    }
    if let Some(note) = &part.note {
        let _ = writeln!(out, "  {note}");
    }
    out.push_str("```\n\n");
}

fn table(out: &mut String, part: &Section) {
    let _ = writeln!(out, "| impact | what | why |\n|---|---|---|");
    for Row { thing, what, aside, .. } in &part.rows {
        let _ = writeln!(out, "| {thing} | {} | {} |", escaped(what), escaped(aside));
    }
    if let Some(note) = &part.note {
        let _ = writeln!(out, "\n{}", escaped(note));
    }
}

/// Escapes a text so that Markdown shows it as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '#' | '&' | '!') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
