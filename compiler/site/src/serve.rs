//! The limited process at work: it evaluates the site, reads the files beside it and takes them apart, so that whatever
//! is in them, only this process suffers. Start at [`serve`].

use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use crate::answer::Answer;
use crate::beneath::{Beneath, BeneathError};
use crate::evaluate::evaluate;
use crate::wire::{self, Reply, Request};
use crate::{child, population};

/// Answers requests about the site in the folder `root` until the other side closes.
///
/// # Errors
/// When the other side goes in the middle of an answer, or the interpreter panics.
pub(crate) fn serve(root: &Path, from: impl Read, to: impl Write) -> io::Result<()> {
    let mut from = BufReader::new(from);
    let mut server =
        Server { root, files: Beneath::open(root), last: Vec::new(), given: 0, to: io::BufWriter::new(to) };
    while let Some(request) = wire::read(&mut from)? {
        server.answer(request)?;
        server.to.flush()?;
    }
    Ok(())
}

struct Server<'a, W: Write> {
    root: &'a Path,
    files: io::Result<Beneath>,
    /// The content of the file that was read last.
    last: Vec<u8>,
    /// The octets of all files that were read.
    given: u64,
    to: io::BufWriter<W>,
}

impl<W: Write> Server<'_, W> {
    fn answer(&mut self, request: Request) -> io::Result<()> {
        match request {
            Request::Evaluate(entry) => {
                let answer = self.evaluate(&entry)?;
                wire::write(&mut self.to, &Reply::Answer(answer))
            }
            Request::Read(path) => self.read(&path),
            Request::Rows(format, table) => {
                let mut batch = Batch::new(&mut self.to, Reply::Rows);
                population::read(&self.last, format, table, &mut |row| batch.push(row));
                batch.end()
            }
            Request::Addresses => {
                let mut batch = Batch::new(&mut self.to, Reply::Addresses);
                population::addresses(&self.last, &mut |line| batch.push(line));
                batch.end()
            }
        }
    }

    fn evaluate(&self, entry: &str) -> io::Result<Answer> {
        match &self.files {
            Ok(files) => evaluate(files, entry).ok_or_else(|| io::Error::other("the evaluator panicked")),
            Err(error) => Ok(child::unreadable(self.root, error)),
        }
    }

    fn read(&mut self, path: &str) -> io::Result<()> {
        let read = match &self.files {
            Ok(files) => files.read(path),
            Err(error) => Err(BeneathError::Io(error.to_string())),
        };
        let read = read.and_then(|bytes| {
            self.given = self.given.saturating_add(bytes.len() as u64);
            if self.given > MOST_OCTETS { Err(BeneathError::TooMuch(MOST_OCTETS >> 20)) } else { Ok(bytes) }
        });
        match read {
            Ok(bytes) => {
                self.last = bytes;
                wire::write(&mut self.to, &Reply::Content(Ok(self.last.len() as u64)))?;
                self.to.write_all(&self.last)
            }
            Err(error) => {
                self.last = Vec::new();
                wire::write(&mut self.to, &Reply::Content(Err(error)))
            }
        }
    }
}

/// Things that are sent several at a time.
struct Batch<'a, T, W: Write> {
    to: &'a mut W,
    form: fn(Vec<T>) -> Reply,
    waiting: Vec<T>,
    /// The outcome so far; after a failure nothing more is sent.
    sent: io::Result<()>,
}

impl<'a, T, W: Write> Batch<'a, T, W> {
    fn new(to: &'a mut W, form: fn(Vec<T>) -> Reply) -> Self {
        Self { to, form, waiting: Vec::new(), sent: Ok(()) }
    }

    fn push(&mut self, one: T) {
        if self.sent.is_ok() {
            self.waiting.push(one);
            if self.waiting.len() == TOGETHER {
                self.send();
            }
        }
    }

    fn send(&mut self) {
        let batch = (self.form)(std::mem::take(&mut self.waiting));
        self.sent = wire::write(&mut self.to, &batch);
    }

    fn end(mut self) -> io::Result<()> {
        if self.sent.is_ok() {
            self.send();
        }
        self.sent.and_then(|()| wire::write(&mut self.to, &Reply::End))
    }
}

/// The number of rows in a message.
const TOGETHER: usize = 256;
/// The octets of all files of a site together, those that are evaluated not counted.
const MOST_OCTETS: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::population::{Format, Table};

    #[test]
    fn files_are_read_and_taken_apart() {
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..TOGETHER + 1).map(|number| format!("u{number},a b\n")).collect();
        std::fs::write(folder.path().join("a.csv"), format!("name,targets\n{rows}{}\n", ",".repeat(2000))).unwrap();
        let (mut here, there) = UnixStream::pair().unwrap();
        std::thread::scope(|scope| {
            let server = scope.spawn(|| serve(folder.path(), there.try_clone().unwrap(), &there));
            let mut ask = |request: Request| {
                wire::write(&mut here, &request).unwrap();
                wire::read::<Reply>(&mut here).unwrap().unwrap()
            };
            let absent = ask(Request::Read("b.csv".to_owned()));
            assert!(matches!(absent, Reply::Content(Err(BeneathError::Absent))), "{absent:?}");
            let Reply::Content(Ok(length)) = ask(Request::Read("a.csv".to_owned())) else { panic!("no content") };
            assert!(wire::content(&mut here, length).unwrap().starts_with(b"name,targets\nu0,"));
            wire::write(&mut here, &Request::Rows(Format::Csv, Table::Aliases)).unwrap();
            let mut counted = Vec::new();
            while let Reply::Rows(rows) = wire::read(&mut here).unwrap().unwrap() {
                counted.push((rows.len(), rows.iter().filter(|row| row.is_err()).count()));
            }
            assert_eq!(counted, [(TOGETHER, 0), (2, 1)]);
            drop(here);
            server.join().unwrap().unwrap();
        });
    }
}
