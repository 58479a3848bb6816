//! Explaining the origin of a file of the bundle, or of one of its lines.

use postkiln_blueprint::{Cause, origin};
use postkiln_bundle::{Bundle, paths};
use postkiln_render::{Origin, Serials};
use serde::Serialize;

use super::written;
use crate::bundle::Compiled;
use crate::outcome::Failure;
use crate::output;

/// Prints the origin of a file or line.
///
/// # Errors
/// When the bundle has no such file, or the file no such line.
pub(super) fn explain(compiled: &Compiled, bundle: &Bundle, what: &str, json: bool) -> Result<(), Failure> {
    let (path, number) = parts(what)?;
    let Some(bytes) = bundle.file(path) else {
        let near = postkiln_findings::suggest::nearest(path, bundle.files().map(|(file, _)| file.path.as_str()));
        let hint = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
        return Err(Failure::Usage(format!("the site's bundle has no file {path:?}{hint}")));
    };
    let text = std::str::from_utf8(bytes).ok();
    let lines: Vec<&str> = text.map(|text| text.lines().collect()).unwrap_or_default();
    let made_for = postkiln_render::origin(&compiled.blueprint, &Serials::default(), path);
    let (line, cause) = match number {
        None => (None, made_for.as_ref().and_then(Origin::whole)),
        Some(number) => {
            let index = number.checked_sub(1).filter(|index| *index < lines.len());
            let Some(index) = index else {
                let what = match (text, lines.len()) {
                    (None, _) => "no lines".to_owned(),
                    (Some(_), 1) => "1 line".to_owned(),
                    (Some(_), count) => format!("{count} lines"),
                };
                return Err(Failure::Usage(format!("{path} has {what}")));
            };
            (lines.get(index).copied(), made_for.as_ref().and_then(|origin| origin.line(index)))
        }
    };
    // Seeds hold password hashes, which are shown to nobody.
    let line = line.filter(|_| !paths::is_seed(path));
    show(compiled, what, line, cause, json);
    Ok(())
}

/// Splits `control/rcpthosts:2` into path and line.
fn parts(what: &str) -> Result<(&str, Option<usize>), Failure> {
    let what = what.strip_prefix("./").unwrap_or(what);
    match what.rsplit_once(':') {
        Some((path, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            let number = number.parse().map_err(|_| Failure::Usage(format!("{number} is no number of a line")))?;
            Ok((path, Some(number)))
        }
        _ => Ok((what, None)),
    }
}

fn show(compiled: &Compiled, what: &str, line: Option<&str>, cause: Option<&Cause>, json: bool) {
    let place = cause.and_then(|Cause { id, path }| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        origin::place(&compiled.site, id, &path)
    });
    let at = place.map(written);
    let object = cause.map(|cause| cause.id.to_string());
    if json {
        let field = cause.map(|cause| cause.path.join(" ")).filter(|field| !field.is_empty());
        return output::json(&Report { generated: what, line, object, field, at });
    }
    output::result(&line.map_or_else(|| what.to_owned(), |line| format!("{what}: {line}")));
    match (object, at) {
        (Some(object), Some(at)) => output::result(&format!("  made for {object}, written at {at}")),
        (Some(object), None) => {
            output::result(&format!("  made for {object}, by default: the site does not mention it"))
        }
        (None, _) => output::result("  made for the site as a whole"),
    }
    if let Some(place) = place
        && let Some(text) = compiled.site.sources.get(&*place.file)
        && let Some(text) = String::from_utf8_lossy(text).lines().nth(place.line.saturating_sub(1) as usize)
    {
        output::result(&format!("  {:>4} | {text}", place.line));
    }
}

#[derive(Serialize)]
struct Report<'a> {
    generated: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}
