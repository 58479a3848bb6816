//! Finding the places in a site's text where a field is named, for rewriting it: comments and layout stay as they are.
//!
//! The outer record of a site is followed as far as it stands in the text: through bindings, annotations, merges and
//! imports. Records that a function makes are not followed.

use std::collections::BTreeMap;

use nickel_lang_core::ast::pattern::PatternData;
use nickel_lang_core::ast::primop::PrimOp;
use nickel_lang_core::ast::record::{FieldPathElem, Record};
use nickel_lang_core::ast::{Ast, Import, Node};
use nickel_lang_core::files::FileId;

use super::imports;
use super::translate::Places;
use crate::answer::{Span, Trouble};
use crate::beneath::Beneath;

/// Where a site's fields stand in its text.
pub(crate) struct Names {
    /// The site's files, as [`Span::file`] counts them.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Every field found, with its path from the outer record.
    pub(crate) fields: Vec<Named>,
    /// The outer records, first that of the main file.
    pub(crate) roots: Vec<Span>,
}

/// A field as it stands in the text.
pub(crate) struct Named {
    /// Names from the outer record to this field.
    pub(crate) path: Vec<String>,
    /// The place of the field's own name.
    pub(crate) name: Span,
    /// The place of the field's value, when it has one.
    pub(crate) value: Option<Span>,
}

/// Finds the fields of the site that begins with `entry`.
///
/// # Errors
/// With the errors that keep the files from being read.
pub(crate) fn names(root: &Beneath, entry: &str) -> Result<Names, Vec<Trouble>> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(super::STACK);
        let handle = thread.spawn_scoped(scope, || names_here(root, entry)).map_err(|_| Vec::new())?;
        handle.join().unwrap_or_else(|_| Err(Vec::new()))
    })
}

fn names_here(root: &Beneath, entry: &str) -> Result<Names, Vec<Trouble>> {
    let mut gathered = imports::gather(root, entry);
    let Some(main) = gathered.entry.filter(|_| gathered.troubles.is_empty()) else { return Err(gathered.troubles) };
    let (_, asts) = gathered.hub.split_asts();
    let asts = &*asts;
    let by_path = gathered.ids.iter().filter_map(|(id, index)| {
        let (path, _) = gathered.files.get(usize::try_from(*index).ok()?)?;
        Some((path.as_str(), *id))
    });
    let by_path: BTreeMap<&str, FileId> = by_path.collect();
    let tree = |path: &str| {
        let (file, id) = by_path.get_key_value(path)?;
        Some(Term { ast: asts.get(*id)?, file })
    };
    let mut walk = Walk { tree: &tree, places: Places::new(&gathered.ids), fields: Vec::new(), roots: Vec::new() };
    if let Some(ast) = asts.get(main) {
        walk.follow(Term { ast, file: entry }, &[], &Vec::new(), DEEPEST);
    }
    let Walk { fields, roots, .. } = walk;
    Ok(Names { fields, roots, files: gathered.files })
}

struct Walk<'w> {
    /// Gives the term of a whole file, by the file's path.
    tree: &'w dyn Fn(&str) -> Option<Term<'w>>,
    places: Places<'w>,
    fields: Vec<Named>,
    roots: Vec<Span>,
}

/// A term and the file it stands in, against which its imports are resolved.
#[derive(Clone, Copy)]
struct Term<'w> {
    ast: &'w Ast<'w>,
    file: &'w str,
}

/// The names that `let` has bound, with their terms.
type Scope<'w> = Vec<(&'static str, Term<'w>)>;

impl<'w> Walk<'w> {
    fn follow(&mut self, term: Term<'w>, path: &[String], scope: &Scope<'w>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let same = |ast| Term { ast, ..term };
        match &term.ast.node {
            Node::Record(record) => self.record(record, term, path, scope, depth),
            Node::Annotated { inner, .. } => self.follow(same(inner), path, scope, depth),
            Node::PrimOpApp { op: PrimOp::Merge(_), args } => {
                for argument in *args {
                    self.follow(same(argument), path, scope, depth);
                }
            }
            Node::Let { bindings, body, .. } => {
                let mut inner = scope.clone();
                for binding in *bindings {
                    if let PatternData::Any(name) = &binding.pattern.data {
                        inner.push((name.label(), same(&binding.value)));
                    }
                }
                self.follow(same(body), path, &inner, depth);
            }
            Node::Var(name) => {
                let bound = scope.iter().rev().find(|(bound, _)| *bound == name.label());
                if let Some((_, term)) = bound.copied() {
                    self.follow(term, path, scope, depth);
                }
            }
            Node::Import(Import::Path { path: written, .. }) => {
                let folder = imports::folder(term.file);
                let file = imports::resolve(folder, &written.to_string_lossy());
                if let Some(term) = file.and_then(|file| (self.tree)(&file)) {
                    self.follow(term, path, &Vec::new(), depth);
                }
            }
            _ => {}
        }
    }

    fn record(&mut self, record: &'w Record<'w>, term: Term<'w>, path: &[String], scope: &Scope<'w>, depth: usize) {
        if let Some(span) = self.places.span(term.ast.pos).filter(|_| path.is_empty()) {
            self.roots.push(span);
        }
        for field in record.field_defs {
            let mut path = path.to_vec();
            for (index, element) in field.path.iter().enumerate() {
                // A computed name cannot be rewritten, and neither can anything below it.
                let FieldPathElem::Ident(name) = element else { break };
                path.push(name.label().to_owned());
                let is_last = index + 1 == field.path.len();
                let value = field.value.as_ref().filter(|_| is_last);
                if let Some(span) = self.places.span(name.pos) {
                    let value_span = value.and_then(|value| self.places.span(value.pos));
                    self.fields.push(Named { path: path.clone(), name: span, value: value_span });
                }
                if let Some(ast) = value {
                    self.follow(Term { ast, ..term }, &path, scope, depth);
                }
            }
        }
    }
}

const DEEPEST: usize = 64;
