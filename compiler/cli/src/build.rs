//! `postkiln build`: the bootable image of a site.

use std::path::{Path, PathBuf};
use std::time::Instant;

use postkiln_bundle::{Bundle, Manifest};
use postkiln_images::{Image, Lock, Recipe, Store};

use crate::bundle::site_bundle;
use crate::outcome::{Exit, Failure};
use crate::output;
use crate::progress::Progress;
use crate::serials;

/// Builds the bootable image of a site
///
/// Writes a raw disk that boots with UEFI and BIOS. It is assembled in this process, without root, from packages of
/// Debian pinned by version and SHA-256: the first build fetches them into a store, later ones need no network. The
/// same site, packages and node program give the same bytes on every machine. The file holds password hashes: it is
/// written with mode 0600.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postkiln build mysite -o mail.img
  postkiln boot mail.img

Exit codes: 0 built, 1 the site has errors, 4 a package or file cannot be used, 64 wrong usage.")]
pub(crate) struct Args {
    /// The site: its folder or its site.ncl; or a bundle's folder made by `compile`
    #[arg(value_name = "SITE")]
    site: PathBuf,
    /// The image to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    serials: serials::Options,
    #[command(flatten)]
    parts: Parts,
    /// Print size and time as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// The sources of an image's parts.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Parts {
    /// Fetch nothing; every package must be in the store
    #[arg(long)]
    offline: bool,
    /// The Debian archive; the host's apt sources say it otherwise
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Where packages and what was made of them are kept [default: $XDG_CACHE_HOME/postkiln]
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// The lock of packages to use instead of the one compiled in
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// The program postkiln-node [default: beside this program]
    #[arg(long, value_name = "FILE")]
    node: Option<PathBuf>,
    /// The program postkiln-boot [default: beside this program]
    #[arg(long, value_name = "FILE", hide = true)]
    boot: Option<PathBuf>,
}

/// Runs the command `build`.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let bundle = bundle_of(&args.site, &args.serials)?;
    let image = image(&bundle, &args.parts, &args.output)?;
    let seconds = begun.elapsed().as_secs_f64();
    if args.json {
        output::json(&serde_json::json!({
            "image": args.output, "size": image.size, "content": image.content, "seconds": seconds,
        }));
    } else {
        output::result(&format!(
            "{}: {} bytes, of which {} are content; {seconds:.1} s",
            args.output.display(),
            image.size,
            image.content
        ));
    }
    Ok(Exit::Success)
}

/// The bundle of a site, or one that was compiled before.
pub(crate) fn bundle_of(site: &Path, serials: &serials::Options) -> Result<Bundle, Failure> {
    let numbering = serials.numbering()?;
    if !site.join(Manifest::NAME).is_file() {
        return site_bundle(site, &numbering);
    }
    if !numbering.is_default() {
        return Err(Failure::Usage(format!("{} is a bundle: its zones have their serial numbers", site.display())));
    }
    Bundle::read(site).map_err(|source| Failure::environment(format!("{} is no bundle", site.display()), source))
}

/// Builds an image, showing progress.
pub(crate) fn image(bundle: &Bundle, parts: &Parts, output: &Path) -> Result<Image, Failure> {
    let failed = |source| Failure::environment(format!("cannot build {}", output.display()), source);
    let lock = parts.lock.as_deref().map_or_else(Lock::builtin, Lock::read).map_err(failed)?;
    let directory = parts.store.clone().unwrap_or_else(Store::default_directory);
    let store = Store::new(directory, parts.mirror.clone(), parts.offline);
    let recipe = Recipe {
        bundle,
        lock: &lock,
        store: &store,
        node: parts.node.clone().unwrap_or_else(|| beside("postkiln-node")),
        boot: parts.boot.clone().unwrap_or_else(|| beside("postkiln-boot")),
    };
    let progress = Progress::begin("building the image");
    let image = recipe.build(output, &mut |line| progress.line(line)).map_err(failed)?;
    progress.done();
    Ok(image)
}

/// A program that is installed with this one.
fn beside(name: &str) -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name(name)
}
