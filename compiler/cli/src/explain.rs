//! `postkiln explain`: the meaning of a code, the way of mail for an address, the origin of a generated line.

mod address;
mod generated;

use std::path::Path;

use postkiln_address::Address;
use postkiln_findings::{Diagnostic, Place, Severity, codes, explanation};

use crate::bundle::Checked;
use crate::outcome::{Exit, Failure};
use crate::serials::Numbering;
use crate::{bundle, findings, output};

/// Explains a finding, an address, or a generated line
///
/// With a code: what the finding means, why it is refused, and an example that is wrong and one that is right. With
/// a site and an address: each step that mail for it takes, to its mailboxes, lists, forwards or refusal, with the
/// place of every rule used; the steps are those that the node takes. This works for a site with errors too, unless
/// one of them hides where the mail goes. With a site and a file of its bundle: what the file, or one line of it,
/// was made for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln explain E0302
  postkiln explain --list
  postkiln explain mysite sales@example.org
  postkiln explain mysite control/rcpthosts:2
  postkiln explain mysite dns/example.org.zone:9 --json

Exit codes: 0 explained, 1 errors of the site hide it, 4 the environment failed, 64 there is no such code, address or file, or wrong usage.")]
pub(crate) struct Args {
    /// The code of a finding, as it stands in brackets (E0302); or the site: its folder or its site.ncl
    #[arg(value_name = "CODE|SITE", required_unless_present = "list")]
    about: Option<String>,
    /// With a site: an address, or a file of its bundle and perhaps a line
    #[arg(value_name = "ADDRESS|FILE[:LINE]")]
    what: Option<String>,
    /// List all codes with what they are about
    #[arg(long, conflicts_with = "about")]
    list: bool,
    /// Print JSON on stdout
    #[arg(long)]
    json: bool,
    /// With --list: print all explanations as one page of Markdown
    #[arg(long, requires = "list", conflicts_with = "json")]
    markdown: bool,
}

/// Runs the command `explain`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let Some(about) = args.about.as_deref() else {
        list(&args);
        return Ok(Exit::Success);
    };
    match args.what.as_deref() {
        None => explain_code(about, args.json)?,
        Some(what) => explain_site(Path::new(about), what, args.json)?,
    }
    Ok(Exit::Success)
}

/// A text with an `@` and no slash is an address: files of a bundle have a slash, except those at its top.
fn explain_site(site: &Path, what: &str, json: bool) -> Result<(), Failure> {
    if what.contains('@') && !what.contains('/') {
        let no_address = |error| Failure::Usage(format!("{what:?} is no address: {error}"));
        let address: Address = what.parse().map_err(no_address)?;
        let Checked { lowered, found } = bundle::check(site, None)?;
        let errors = found.iter().filter(|finding| finding.severity() == Severity::Error).count();
        let explained =
            lowered.is_some_and(|(site, blueprint)| address::explain(&site, &blueprint, &address, errors, json));
        if !explained {
            findings::show(site, &found);
            return Err(Failure::Findings);
        }
        if errors > 0 {
            let count = findings::count(&found);
            output::note(&format!("the site has {count}: `postkiln check` shows them; no bundle is made of it"));
        }
        Ok(())
    } else {
        let (made, found) = bundle::compile(site, &Numbering::default(), postkiln_render::render)?;
        let (compiled, bundle) = sound(site, made, &found)?;
        generated::explain(&compiled, &bundle, what, json)
    }
}

/// The product of a site without errors.
///
/// # Errors
/// When the site has errors; they are shown.
fn sound<T>(site: &Path, made: Option<T>, found: &[Diagnostic]) -> Result<T, Failure> {
    findings::judge(found, None).inspect_err(|_| findings::show(site, found))?;
    made.ok_or(Failure::Findings)
}

fn explain_code(about: &str, json: bool) -> Result<(), Failure> {
    let code = codes::find(about).ok_or_else(|| unknown(about))?;
    if json {
        output::json(&explanation::object(code));
    } else {
        output::result(&explanation::text(code));
    }
    Ok(())
}

fn list(args: &Args) {
    if args.markdown {
        output::result(explanation::page().trim_end());
    } else if args.json {
        let all: Vec<_> = codes::all().into_iter().map(explanation::object).collect();
        output::json(&all);
    } else {
        for code in codes::all() {
            output::result(&format!("{code}  {}", code.title()));
        }
    }
}

fn unknown(name: &str) -> Failure {
    if Path::new(name).exists() {
        return Failure::Usage(format!(
            "name an address or a file beside the site: postkiln explain {name} ada@example.org"
        ));
    }
    let near = codes::nearest(name).map(|near| format!("did you mean {near}?"));
    let hint = near.unwrap_or_else(|| "`postkiln explain --list` shows all codes".to_owned());
    Failure::Usage(format!("there is no code {name:?}: {hint}"))
}

/// A place as text: `site.ncl:4:13`.
fn written(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.column)
}
