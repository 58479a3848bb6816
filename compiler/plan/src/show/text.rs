//! A plan for a terminal: columns, and colours where they are wanted.

use std::fmt::Write;

use super::Style;
use super::rows::{Row, Section, impact, nothing, sections, totals};
use crate::Plan;

/// The whole plan, with a line break at its end.
#[must_use]
pub fn text(plan: &Plan, style: Style) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "site: {}   base: {} {}   new: bundle {}",
        plan.hostname,
        plan.base.label,
        plan.base.short(),
        plan.new.short()
    );
    if plan.is_empty() {
        out.push('\n');
        out.push_str(&nothing(plan));
        out.push('\n');
        return out;
    }
    out.push_str("legend: + add  - remove  ~ change  ! needs attention\n");
    let mut all = sections(plan, style);
    all.push(impact(plan));
    for part in &all {
        out.push('\n');
        section(&mut out, part, style);
    }
    let _ = write!(out, "\n{}\n", totals(plan));
    out
}

fn section(out: &mut String, part: &Section, style: Style) {
    let _ = writeln!(out, "{}", painted(&part.title, BOLD, style));
    let width = |column: fn(&Row) -> &String, most: usize| {
        part.rows.iter().map(|row| column(row).chars().count()).filter(|width| *width <= most).max().unwrap_or(0)
    };
    let (things, whats) = (width(|row| &row.thing, 40), width(|row| &row.what, 72));
    for row in &part.rows {
        let line = format!("{:things$}  {:whats$}  {}", row.thing, row.what, row.aside);
        let mark = painted(&row.mark.to_string(), colour(row.mark), style);
        let _ = writeln!(out, "{}", format!("  {mark} {}", line.trim_end()).trim_end());
    }
    if let Some(note) = &part.note {
        let _ = writeln!(out, "    {note}");
    }
}

fn painted(text: &str, colour: &str, style: Style) -> String {
    if style.colour && !colour.is_empty() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

/// The colour for a mark, as SGR parameters (ECMA-48 §8.3.117).
const fn colour(mark: char) -> &'static str {
    match mark {
        '+' => "32",
        '-' => "31",
        '~' => "33",
        '!' => "1;31",
        _ => "",
    }
}

const BOLD: &str = "1";
