//! How far an evaluation comes: the fields of a site are evaluated one after another, and each is reported before it is
//! begun. For a site whose evaluation was ended by a limit, since the interpreter itself does not say how far it came.
//! Start at [`stages`].

use std::collections::BTreeMap;

use nickel_lang_core::eval::VirtualMachine;
use nickel_lang_core::eval::value::{Container, NickelValue, ValueContentRef};

use super::imports;
use super::translate::Places;
use super::{Context, Names, context, names};
use crate::Place;
use crate::answer::Span;
use crate::beneath::Beneath;
use crate::lines::Lines;

/// Evaluates the site with its contracts, as usual, and reports the place of each field. False when the interpreter
/// panicked, as it does when it gets no memory.
pub(crate) fn stages(root: &Beneath, entry: &str, tell: &mut (dyn FnMut(&Place) + Send)) -> bool {
    let Ok(Names { fields, .. }) = names(root, entry) else { return true };
    let written: BTreeMap<Vec<String>, Span> = fields.into_iter().map(|field| (field.path, field.name)).collect();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(super::STACK);
        let here = || in_this_thread(root, entry, &written, tell);
        // If no thread can be started, nothing is reported.
        thread.spawn_scoped(scope, here).map(|thread| thread.join().is_ok()).unwrap_or(true)
    })
}

fn in_this_thread(root: &Beneath, entry: &str, written: &BTreeMap<Vec<String>, Span>, tell: &mut dyn FnMut(&Place)) {
    let gathered = imports::gather(root, entry);
    let Some(entry) = gathered.entry.filter(|_| gathered.troubles.is_empty()) else { return };
    let mut context = context(gathered.hub);
    let Ok(prepared) = context.prepare_eval(entry) else { return };
    let (places, lines) = (Places::new(&gathered.ids), Lines::new(&gathered.files));
    let here = lines.beginning();
    Stages { places, lines, written, tell, path: Vec::new() }.fields(&mut context, prepared, &here);
}

struct Stages<'a> {
    places: Places<'a>,
    lines: Lines,
    /// The places where the text names fields: a name that the schema has too may have lost its place.
    written: &'a BTreeMap<Vec<String>, Span>,
    tell: &'a mut dyn FnMut(&Place),
    /// Names from the site to the field.
    path: Vec<String>,
}

impl Stages<'_> {
    /// Evaluates a record's fields one by one, and any other value at once. Errors are ignored, since they were found
    /// before.
    fn fields(&mut self, context: &mut Context, value: NickelValue, here: &Place) {
        (self.tell)(here);
        let Ok(value) = VirtualMachine::new(context).eval(value) else { return };
        let is_record = matches!(value.content_ref(), ValueContentRef::Record(_));
        if !is_record || self.path.len() >= DEEPEST {
            return drop(VirtualMachine::new(context).eval_full_for_export(value));
        }
        let ValueContentRef::Record(Container::Alloc(record)) = value.content_ref() else { return };
        for (name, field) in record.fields.iter().filter(|(_, field)| !field.metadata.not_exported()) {
            let Some(value) = field.value_with_pending_contracts() else { continue };
            self.path.push(name.label().to_owned());
            let span = self.places.span(name.pos).or_else(|| self.written.get(&self.path).copied());
            let place = span.map_or_else(|| here.clone(), |span| self.lines.place(span));
            self.fields(context, value, &place);
            self.path.pop();
        }
    }
}

/// The depth of `domains."example.org".users.ada.aliases`: no deeper field is reported.
const DEEPEST: usize = 6;
