//! Evaluating a site: the one place that names the Nickel interpreter, whose interface changes between versions.
//! Knows nothing about what a site means. Start at [`evaluate`].
//!
//! Every file has a virtual name below `/@site/`, so reports are the same on every machine and no import can name
//! anything else. The interpreter itself reads no file: all imports are found in the syntax trees beforehand, read
//! beneath the site's root, and given to it (`imports`).

mod imports;
mod names;
mod outline;
mod stages;
mod syntax;
mod translate;
mod unbound;
mod value;
mod words;

use nickel_lang_core::cache::CacheHub;
use nickel_lang_core::error::{Error, NullReporter};
use nickel_lang_core::eval::cache::CacheImpl;
use nickel_lang_core::eval::value::NickelValue;
use nickel_lang_core::eval::{VirtualMachine, VmContext};
use nickel_lang_core::files::FileId;

use crate::answer::{Answer, Kind, Node, Trouble};
use crate::beneath::Beneath;
use imports::Gathered;
pub(crate) use names::{Named, Names, names};
pub(crate) use outline::{literal, outline};
pub(crate) use stages::stages;
use translate::Places;

/// Evaluates the file `entry` of a site and everything it imports; `None` when the interpreter panicked, as it does
/// when it gets no memory.
///
/// Runs on a thread with a stack that bounded nesting cannot exhaust. It has no limit of time or memory: the process
/// has.
pub(crate) fn evaluate(root: &Beneath, entry: &str) -> Option<Answer> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn_scoped(scope, || evaluate_here(root, entry)).ok()?.join().ok()
    })
}

fn evaluate_here(root: &Beneath, entry: &str) -> Answer {
    let mut gathered = imports::gather(root, entry);
    let mut answer = Answer::default();
    if gathered.troubles.is_empty() {
        (answer.tree, answer.troubles) = checked(&mut gathered);
        if answer.troubles.iter().any(|trouble| trouble.kind == Kind::Syntax) {
            // The first file of data that is malformed ends the evaluation; there may be more.
            answer.troubles = gathered.malformed_data();
        }
        if answer.tree.is_none() {
            // The contracts stop at the first mistake and hide the value. Without them the value may still be had, and
            // then all its mistakes are found by the walker that decodes it.
            if let Some(tree) = unchecked(&gathered) {
                answer.tree = Some(tree);
                answer.unchecked = true;
            }
        }
    } else {
        answer.troubles = std::mem::take(&mut gathered.troubles);
        answer.troubles.extend(gathered.unbound());
        answer.troubles.extend(gathered.malformed_data());
    }
    answer.files = gathered.files;
    answer.asked = root.asked().iter().cloned().collect();
    answer
}

/// The value as the schema's contracts let it pass.
fn checked(gathered: &mut Gathered) -> (Option<Node>, Vec<Trouble>) {
    let Some(entry) = gathered.entry else { return (None, Vec::new()) };
    let hub = std::mem::replace(&mut gathered.hub, CacheHub::new());
    let mut context = context(hub);
    let places = Places::new(&gathered.ids);
    let prepared = match context.prepare_eval(entry) {
        Ok(prepared) => prepared,
        Err(error) => {
            let unbound = gathered.unbound();
            let first = || places.troubles(error, context.import_resolver.sources.files.clone());
            return (None, if unbound.is_empty() { first() } else { unbound });
        }
    };
    let evaluated = VirtualMachine::new(&mut context).eval_full_for_export(prepared.clone());
    match evaluated {
        Ok(value) => node(&value, &context, &places),
        Err(first) => (None, all_errors(first.into(), prepared, &mut context, &places)),
    }
}

/// The value with every contract of the schema replaced by one that lets everything pass.
fn unchecked(gathered: &Gathered) -> Option<Node> {
    let (hub, entry, ids) = gathered.again_without_contracts()?;
    let mut context = context(hub);
    let prepared = context.prepare_eval(entry).ok()?;
    let value = VirtualMachine::new(&mut context).eval_full_for_export(prepared).ok()?;
    node(&value, &context, &Places::new(&ids)).0
}

/// The value of the files alone: no contract is applied, so no default is filled in.
#[cfg(test)]
pub(crate) fn written(root: &Beneath, entry: &str) -> Option<Node> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn_scoped(scope, || unchecked(&imports::gather(root, entry))).ok()?.join().ok()?
    })
}

type Context = VmContext<CacheHub, CacheImpl>;

fn context(hub: CacheHub) -> Context {
    VmContext::new(hub, std::io::sink(), NullReporter {})
}

fn node(value: &NickelValue, context: &Context, places: &Places<'_>) -> (Option<Node>, Vec<Trouble>) {
    match value::node(value, &|pos| places.span(context.pos_table.get(pos)), &|pos| places.span(pos)) {
        Ok(node) => (Some(node), Vec::new()),
        Err(span) => {
            let trouble = Trouble::new(Kind::Nesting, "the value is nested too deeply", span);
            (None, vec![trouble.hint("no site needs more than a few levels")])
        }
    }
}

/// Every error, when evaluation stopped at one of them. The permissive run also reports absent optional fields.
fn all_errors(first: Error, value: NickelValue, context: &mut Context, places: &Places<'_>) -> Vec<Trouble> {
    let found = VirtualMachine::new(context).eval_permissive(value, PERMISSIVE_DEPTH);
    let files = context.import_resolver.sources.files.clone();
    let real = found.into_iter().filter(|error| !translate::is_absent_option(error)).take(MOST_ERRORS);
    let mut troubles: Vec<Trouble> =
        real.flat_map(|error| places.troubles(Error::from(error), files.clone())).collect();
    if troubles.is_empty() {
        troubles = places.troubles(first, files);
    }
    troubles.dedup();
    troubles
}

/// The number that each file of the interpreter has in the answer.
type Ids = std::collections::BTreeMap<FileId, u32>;

/// A folder that no machine has; the interpreter sees the site below it.
const VIRTUAL_ROOT: &str = "/@site/";
const STACK: usize = 256 << 20;
const PERMISSIVE_DEPTH: usize = 64;
const MOST_ERRORS: usize = 100;
