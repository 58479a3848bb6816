//! Names that are used and defined nowhere: all of them, where the interpreter stops at the first. Asked only when
//! evaluation failed, so a name that is missed or found wrongly here changes no site that is right.
//!
//! Scopes are taken a little too wide (a `let` covers its own values too), so that no name is blamed that is defined.

use std::collections::BTreeSet;
use std::rc::Rc;

use nickel_lang_core::ast::pattern::bindings::Bindings;
use nickel_lang_core::ast::record::FieldPathElem;
use nickel_lang_core::ast::{Ast, Node};
use nickel_lang_core::identifier::LocIdent;
use nickel_lang_core::traverse::{TraverseAlloc, TraverseControl};

use super::translate::Places;
use crate::answer::{Kind, Trouble};
use crate::suggest;

/// The names of one construct, within those around it.
struct Scope {
    names: BTreeSet<&'static str>,
    around: Option<Rc<Scope>>,
}

/// One trouble for each name in a file that nothing defines.
pub(super) fn names<'ast>(ast: &'ast Ast<'ast>, places: &Places<'_>) -> Vec<Trouble> {
    let top = Rc::new(Scope { names: BTreeSet::from(["std"]), around: None });
    let mut troubles = Vec::new();
    let mut visit = |ast: &'ast Ast<'ast>, scope: &Rc<Scope>| -> TraverseControl<Rc<Scope>, ()> {
        if let Node::Var(name) = &ast.node
            && !name.is_generated()
            && !scope.holds(name.label())
        {
            troubles.push(trouble(*name, scope, places));
        }
        match defined(ast) {
            Some(names) => TraverseControl::ContinueWithScope(Rc::new(Scope { names, around: Some(scope.clone()) })),
            None => TraverseControl::Continue,
        }
    };
    ast.traverse_ref(&mut visit, &top);
    troubles
}

fn trouble(name: LocIdent, scope: &Scope, places: &Places<'_>) -> Trouble {
    let label = name.label();
    let trouble = Trouble::new(Kind::Unbound, format!("nothing is called `{label}` here"), places.span(name.pos));
    match suggest::nearest(label, scope.all()) {
        Some(near) => trouble.hint(format!("did you mean `{near}`?")),
        None if label == "pk" => trouble.hint("begin the file with `let pk = import \"postkiln/site.ncl\" in`"),
        None => trouble.hint(format!("a text stands in quotes: {label:?}; a choice begins with a sign: '{label}")),
    }
}

/// The names that a construct defines for the terms inside it.
fn defined<'ast>(ast: &'ast Ast<'ast>) -> Option<BTreeSet<&'static str>> {
    let mut names = BTreeSet::new();
    match &ast.node {
        Node::Let { bindings, .. } => {
            let bound = bindings.iter().flat_map(|binding| binding.pattern.bindings());
            names.extend(bound.map(|bound| bound.id.label()));
        }
        Node::Fun { args, .. } => {
            names.extend(args.iter().flat_map(Bindings::bindings).map(|bound| bound.id.label()));
        }
        Node::Match(data) => {
            let bound = data.branches.iter().flat_map(|branch| branch.pattern.bindings());
            names.extend(bound.map(|bound| bound.id.label()));
        }
        Node::Record(record) => {
            names.extend(record.includes.iter().map(|include| include.ident.label()));
            for element in record.field_defs.iter().flat_map(|field| field.path) {
                if let FieldPathElem::Ident(name) = element {
                    names.insert(name.label());
                }
            }
        }
        _ => return None,
    }
    Some(names)
}

impl Scope {
    fn holds(&self, name: &str) -> bool {
        self.names.contains(name) || self.around.as_ref().is_some_and(|around| around.holds(name))
    }

    fn all(&self) -> Vec<&'static str> {
        let around = self.around.as_ref().map(|around| around.all()).unwrap_or_default();
        self.names.iter().copied().chain(around).collect()
    }
}
