//! Finding and reading everything a site imports, before anything is evaluated.
//!
//! Imports are literal paths, never computed, so the syntax trees name all of them. A path is resolved against the
//! virtual root. A path that would leave the root is refused with the place of the import; the others are read beneath
//! the root.

use std::collections::VecDeque;

use nickel_lang_core::ast::{Ast, Import, InputFormat, Node};
use nickel_lang_core::cache::{CacheHub, SourcePath};
use nickel_lang_core::error::IntoDiagnostics;
use nickel_lang_core::files::FileId;
use nickel_lang_core::position::{PosTable, TermPos};
use nickel_lang_core::traverse::{TraverseAlloc, TraverseControl};

use super::translate::Places;
use super::{Ids, VIRTUAL_ROOT, syntax, unbound};
use crate::answer::{Kind, Span, Trouble};
use crate::beneath::{Beneath, BeneathError};
use crate::{nesting, schema};

/// A site's files, in the interpreter and as data.
pub(super) struct Gathered {
    pub(super) hub: CacheHub,
    pub(super) entry: Option<FileId>,
    pub(super) ids: Ids,
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) troubles: Vec<Trouble>,
    given: Vec<Given>,
}

/// A file the interpreter was given.
struct Given {
    /// The path below the virtual root.
    path: String,
    format: InputFormat,
    text: String,
    is_schema: bool,
}

/// An import in the text of a file, not yet resolved.
struct Found {
    path: Option<String>,
    format: InputFormat,
    place: TermPos,
}

/// Reads `entry` and everything it imports, directly or not.
pub(super) fn gather(root: &Beneath, entry: &str) -> Gathered {
    let mut gathered = Gathered {
        hub: CacheHub::new(),
        entry: None,
        ids: Ids::new(),
        files: Vec::new(),
        troubles: Vec::new(),
        given: Vec::new(),
    };
    let mut waiting = VecDeque::new();
    gathered.entry = gathered.read(root, entry.to_owned(), InputFormat::Nickel, None).inspect(|id| {
        waiting.push_back((*id, folder(entry).to_owned()));
    });
    while let Some((file, folder)) = waiting.pop_front() {
        for found in gathered.imports(file) {
            let next = gathered.follow(root, &folder, found);
            waiting.extend(next);
        }
    }
    gathered
}

impl Gathered {
    /// The same files once more, with a schema whose contracts let everything pass.
    pub(super) fn again_without_contracts(&self) -> Option<(CacheHub, FileId, Ids)> {
        let mut hub = CacheHub::new();
        let mut ids = Ids::new();
        let mut entry = None;
        for given in &self.given {
            let text = if given.is_schema { schema::UNCHECKED } else { &given.text };
            let id = hub.sources.add_string(virtual_path(&given.path, given.format), text.to_owned());
            entry = entry.or(Some(id));
            let same = self.files.iter().position(|(path, _)| !given.is_schema && *path == given.path);
            if let Some(index) = same.and_then(|index| u32::try_from(index).ok()) {
                ids.insert(id, index);
            }
        }
        Some((hub, entry?, ids))
    }

    /// Names that nothing defines, in all files of Nickel that can be parsed.
    pub(super) fn unbound(&self) -> Vec<Trouble> {
        let mut hub = CacheHub::new();
        let mut troubles = Vec::new();
        let ours = self.given.iter().filter(|given| !given.is_schema && given.format == InputFormat::Nickel);
        for given in ours {
            let id = hub.sources.add_string(virtual_path(&given.path, given.format), given.text.clone());
            let index = self.files.iter().position(|(path, _)| *path == given.path);
            let Some(index) = index.and_then(|index| u32::try_from(index).ok()) else { continue };
            if hub.parse_to_ast(id).is_err() {
                continue;
            }
            let ids = Ids::from([(id, index)]);
            let (_, asts) = hub.split_asts();
            if let Some(ast) = asts.get(id) {
                troubles.extend(unbound::names(ast, &Places::new(&ids)));
            }
        }
        troubles
    }

    /// Syntax errors of the imported files of data: JSON, YAML, TOML. Called only when something is wrong, because the
    /// interpreter parses these files itself when it gets there.
    pub(super) fn malformed_data(&self) -> Vec<Trouble> {
        let mut hub = CacheHub::new();
        let mut troubles = Vec::new();
        for given in self.given.iter().filter(|given| given.format != InputFormat::Nickel) {
            let id = hub.sources.add_string(virtual_path(&given.path, given.format), given.text.clone());
            let index = self.files.iter().position(|(path, _)| *path == given.path);
            let Some(index) = index.and_then(|index| u32::try_from(index).ok()) else { continue };
            if let Err(error) = hub.sources.parse_other(&mut PosTable::new(), id, given.format) {
                let ids = Ids::from([(id, index)]);
                let diagnostics = error.into_diagnostics(&mut hub.sources.files.clone());
                let found = Places::new(&ids).all(Kind::Syntax, diagnostics);
                troubles.extend(found.into_iter().map(|trouble| syntax::in_data(trouble, &given.text)));
            }
        }
        troubles
    }

    /// Follows one import; gives the file to look into next, when it is Nickel of the site.
    fn follow(&mut self, root: &Beneath, within: &str, found: Found) -> Option<(FileId, String)> {
        let span = Places::new(&self.ids).span(found.place);
        let Some(written) = found.path else {
            let trouble = Trouble::new(Kind::Import, "packages cannot be imported", span);
            self.troubles.push(trouble.hint("copy the files into the site and import them by their path"));
            return None;
        };
        if written.split('/').next() == Some(schema::FOLDER) {
            self.give_schema(within, &written, span);
            return None;
        }
        let Some(path) = resolve(within, &written) else {
            let trouble = Trouble::new(Kind::Import, format!("the import {written:?} leads out of the site"), span);
            self.troubles.push(trouble.hint("a site imports only files below its own folder, by relative paths"));
            return None;
        };
        if self.given.iter().any(|given| given.path == path && given.format == found.format) {
            return None;
        }
        let id = self.read(root, path.clone(), found.format, span)?;
        (found.format == InputFormat::Nickel).then(|| (id, folder(&path).to_owned()))
    }

    /// Gives the interpreter the embedded schema under the name by which a file in `within` imports it.
    fn give_schema(&mut self, within: &str, written: &str, span: Option<Span>) {
        let Some(path) = resolve(within, written).filter(|_| written == schema::NAME) else {
            let trouble = Trouble::new(Kind::Import, format!("Postkiln has no file {written:?}"), span);
            self.troubles.push(trouble.hint(format!("import {:?}", schema::NAME)));
            return;
        };
        if self.given.iter().any(|given| given.path == path) {
            return;
        }
        let beside = folder(&path).to_owned();
        for (name, text) in schema::FILES {
            let path = format!("{beside}/{name}");
            self.give(Given { path, format: InputFormat::Nickel, text: (*text).to_owned(), is_schema: true });
        }
    }

    /// Reads a file beneath the root, looks at its nesting, and gives it to the interpreter.
    fn read(&mut self, root: &Beneath, path: String, format: InputFormat, import: Option<Span>) -> Option<FileId> {
        let bytes = match root.read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let kind = if matches!(error, BeneathError::Outside) { Kind::Import } else { Kind::Unreadable };
                let absent = match import {
                    Some(_) => "a path begins in the folder of the file that imports, and its letters count",
                    None => "`postkiln new` writes a site to begin with",
                };
                let trouble = Trouble::new(kind, format!("{path:?} {error}"), import);
                self.troubles.push(trouble.hint(error.hint(absent)));
                return None;
            }
        };
        let index = match self.files.iter().position(|(known, _)| *known == path) {
            Some(index) => index,
            None => {
                self.files.push((path.clone(), bytes.clone()));
                self.files.len() - 1
            }
        };
        let index = u32::try_from(index).ok()?;
        if let Some((mark, said)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
            let end = u32::try_from(mark.len()).unwrap_or_default();
            let trouble =
                Trouble::new(Kind::Syntax, format!("{path:?} {said}"), Some(Span { file: index, start: 0, end }));
            self.troubles.push(trouble.hint("tell your editor to save it as UTF-8 without a byte order mark"));
            return None;
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let start = u32::try_from(error.utf8_error().valid_up_to()).unwrap_or(u32::MAX);
                let span = Some(Span { file: index, start, end: start });
                let trouble = Trouble::new(Kind::Syntax, format!("{path:?} is not UTF-8 text from here on"), span);
                self.troubles.push(trouble.hint("tell your editor to save it as UTF-8"));
                return None;
            }
        };
        if let Some(at) = nesting::too_deep(&text).filter(|_| format != InputFormat::Text) {
            let start = u32::try_from(at).unwrap_or(u32::MAX);
            let span = Some(Span { file: index, start, end: start.saturating_add(1) });
            let trouble = Trouble::new(Kind::Nesting, "brackets are nested too deeply", span);
            self.troubles.push(trouble.hint("no site needs more than a few levels"));
            return None;
        }
        let id = self.give(Given { path, format, text, is_schema: false });
        self.ids.insert(id, index);
        Some(id)
    }

    fn give(&mut self, given: Given) -> FileId {
        let id = self.hub.sources.add_string(virtual_path(&given.path, given.format), given.text.clone());
        self.given.push(given);
        id
    }

    /// The imports of a file of Nickel, in the order written; its syntax errors become troubles.
    fn imports(&mut self, file: FileId) -> Vec<Found> {
        if let Err(errors) = self.hub.parse_to_ast(file) {
            let diagnostics = errors.into_diagnostics(&mut self.hub.sources.files.clone());
            let text = self.hub.sources.files.source(file).to_owned();
            let troubles = Places::new(&self.ids).all(Kind::Syntax, diagnostics);
            self.troubles.extend(syntax::told(troubles, &text));
            return Vec::new();
        }
        let mut found = Vec::new();
        let (_, asts) = self.hub.split_asts();
        if let Some(ast) = asts.get(file) {
            collect(ast, &mut found);
        }
        found
    }
}

fn collect<'ast>(ast: &'ast Ast<'ast>, found: &mut Vec<Found>) {
    let mut visit = |ast: &'ast Ast<'ast>, (): &()| -> TraverseControl<(), ()> {
        if let Node::Import(import) = &ast.node {
            let (path, format) = match import {
                // A path that is not UTF-8 cannot be written in Nickel source.
                Import::Path { path, format } => (Some(path.to_string_lossy().into_owned()), *format),
                Import::Package { .. } => (None, InputFormat::Nickel),
            };
            found.push(Found { path, format, place: ast.pos });
        }
        TraverseControl::Continue
    };
    ast.traverse_ref(&mut visit, &());
}

/// The path below the root that `written`, in a file of `folder`, means; `None` when it leaves the root.
pub(super) fn resolve(folder: &str, written: &str) -> Option<String> {
    if written.starts_with('/') || written.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    if parts.is_empty() { None } else { Some(parts.join("/")) }
}

pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn virtual_path(path: &str, format: InputFormat) -> SourcePath {
    SourcePath::Path(format!("{VIRTUAL_ROOT}{path}").into(), format)
}

/// Byte order marks, which editors on Windows put before a text and which Nickel takes for a character of the program.
const MARKS: [(&[u8], &str); 3] = [
    (b"\xef\xbb\xbf", "begins with a byte order mark, which is no part of the language"),
    (b"\xff\xfe", "is text in UTF-16"),
    (b"\xfe\xff", "is text in UTF-16"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(folder: &str, written: &str, expected: Option<&str>) {
        assert_eq!(resolve(folder, written).as_deref(), expected, "{folder} {written}");
    }

    #[test]
    fn paths_stay_below_the_root() {
        check("", "a.ncl", Some("a.ncl"));
        check("sub", "../a.ncl", Some("a.ncl"));
        check("sub", "./x//b.ncl", Some("sub/x/b.ncl"));
        check("", "..", None);
        check("sub", "../../a.ncl", None);
        check("", "/etc/hostname", None);
        check("", "a/../../b", None);
        check("", ".", None);
    }
}
