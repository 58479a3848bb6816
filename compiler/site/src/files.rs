//! The files beside a site, as decoding asks for them: read and taken apart by the limited process, or, for tests and
//! fuzzing, by this one. Start at [`Files`].

use std::cell::{RefCell, RefMut};
use std::collections::BTreeSet;
use std::path::Path;

use crate::answer::{Answer, Node, Span};
use crate::beneath::{Beneath, BeneathError};
use crate::child::{Apart, Ended};
use crate::population::{self, Fault, Format, Table};
use crate::wire::{Reply, Request};

/// The files of a site.
#[derive(Debug)]
pub(crate) struct Files {
    reader: Reader,
    /// Every path that was asked for, found or not.
    asked: RefCell<BTreeSet<String>>,
}

#[derive(Debug)]
enum Reader {
    Here(Beneath),
    Apart(RefCell<Apart>),
}

impl Files {
    /// Files that this process reads.
    pub(crate) fn here(root: Beneath) -> Self {
        Self { reader: Reader::Here(root), asked: RefCell::default() }
    }

    /// Files that a process of its own reads, within limits.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub(crate) fn apart(root: &Path) -> std::io::Result<Self> {
        Ok(Self { reader: Reader::Apart(RefCell::new(Apart::start(root)?)), asked: RefCell::default() })
    }

    /// Every path that was asked for so far: the files that the site depends on.
    pub(crate) fn asked(&self) -> RefMut<'_, BTreeSet<String>> {
        self.asked.borrow_mut()
    }

    /// The value of the site; `None` when it is not for these files to say.
    ///
    /// # Errors
    /// When the process ended without an answer.
    pub(crate) fn evaluate(&self, entry: &str) -> Result<Answer, Ended> {
        match &self.reader {
            Reader::Here(root) => crate::evaluate::evaluate(root, entry).ok_or(Ended::Other),
            Reader::Apart(apart) => match apart.borrow_mut().ask(&Request::Evaluate(entry.to_owned()))? {
                Reply::Answer(answer) => Ok(answer),
                _ => Err(Ended::Other),
            },
        }
    }

    /// The content of the file at `path`, relative to the root.
    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, BeneathError> {
        self.asked().insert(path.to_owned());
        match &self.reader {
            Reader::Here(root) => root.read(path),
            Reader::Apart(apart) => apart.borrow_mut().content(path).unwrap_or_else(|ended| Err(ended.into())),
        }
    }

    /// Gives `each` the rows of the file that was read last, which has these bytes. All spans count in file 0.
    pub(crate) fn rows(&self, bytes: &[u8], format: Format, table: Table, each: &mut population::Each<'_>) {
        match &self.reader {
            Reader::Here(_) => population::read(bytes, format, table, each),
            Reader::Apart(apart) => apart.borrow_mut().each(
                &Request::Rows(format, table),
                |reply| if let Reply::Rows(rows) = reply { Some(rows) } else { None },
                each,
            ),
        }
    }

    /// Gives `each` the addresses in the file that was read last, which has these bytes.
    pub(crate) fn addresses(&self, bytes: &[u8], each: &mut dyn FnMut(Result<Node, Fault>)) {
        match &self.reader {
            Reader::Here(_) => population::addresses(bytes, each),
            Reader::Apart(apart) => apart.borrow_mut().each(
                &Request::Addresses,
                |reply| if let Reply::Addresses(lines) = reply { Some(lines) } else { None },
                each,
            ),
        }
    }
}

/// The mistake for a file that was not read to its end.
impl From<Ended> for Fault {
    fn from(ended: Ended) -> Self {
        let (code, _, hint) = ended.words();
        let span = Span { file: 0, start: 0, end: 0 };
        Self { code, message: format!("the file was not read to its end: {ended}"), span, hint: Some(hint.to_owned()) }
    }
}
