//! Messages a second into the journal, and beside it into a file for each: what `tests/bench/journal` runs.
//!
//! `journal_throughput DIRECTORY [SECONDS [ROUNDS]]` prints a table; each cell is the median of the rounds, in which
//! all cells take turns.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people who measure")]

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use postkiln_journal::{Content, Entry, Id, Journal, Options};

/// A message of 4 KiB, as the transport benchmark has.
const SIZE: usize = 4096;
const WRITERS: [usize; 3] = [1, 10, 50];

/// Messages a second, and syncs for each.
type Figure = (f64, f64);
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(directory) = arguments.next() else {
        eprintln!("usage: journal_throughput DIRECTORY [SECONDS [ROUNDS]]");
        return ExitCode::from(64);
    };
    let mut number = |default: f64| {
        arguments.next().and_then(|text| text.to_str().and_then(|text| text.parse().ok())).unwrap_or(default)
    };
    let (seconds, rounds) = (number(2.0), number(5.0));
    match compare(Path::new(&directory), Duration::from_secs_f64(seconds), rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(directory: &Path, time: Duration, rounds: f64) -> Result<(), Failure> {
    let mut rows: Vec<(usize, Vec<Figure>, Vec<Figure>)> =
        WRITERS.iter().map(|writers| (*writers, Vec::new(), Vec::new())).collect();
    let mut round = 0.0;
    while round < rounds {
        for (writers, journals, files) in &mut rows {
            journals.push(with_journal(&directory.join("bench-journal"), *writers, time)?);
            files.push(with_files(&directory.join("bench-files"), *writers, time)?);
        }
        round += 1.0;
    }
    println!("writers   journal/s  syncs each     files/s  syncs each     ratio");
    for (writers, journals, files) in rows {
        let ((journal, shared), (file, each)) = (median(journals), median(files));
        println!("{writers:7} {journal:11.0} {shared:11.3} {file:11.0} {each:11.3} {:9.2}", journal / file);
    }
    Ok(())
}

/// The medians of both columns.
fn median(figures: Vec<Figure>) -> Figure {
    let middle = |mut column: Vec<f64>| {
        column.sort_by(f64::total_cmp);
        column.get(column.len() / 2).copied().unwrap_or_default()
    };
    (middle(figures.iter().map(|figure| figure.0).collect()), middle(figures.iter().map(|figure| figure.1).collect()))
}

/// Accepts messages into the journal and ends them, the ends two hundred at a time.
fn with_journal(directory: &Path, writers: usize, time: Duration) -> Result<Figure, Failure> {
    fs::create_dir_all(directory)?;
    let (journal, _) = Journal::open(directory, Options::default())?;
    let before = journal.counts().syncs();
    let (journal, count) = (Arc::new(journal), Arc::new(AtomicU64::new(0)));
    let per_second = {
        let journal = Arc::clone(&journal);
        let count = Arc::clone(&count);
        run(writers, time, move || {
            let mut ends = Vec::new();
            let (journal, count) = (Arc::clone(&journal), Arc::clone(&count));
            move || {
                let id = Id::fresh(SystemTime::now())?;
                let entry = Entry::Accept { id, envelope: vec![b'e'; 80], content: Content::Here(vec![b'c'; SIZE]) };
                journal.append(&[entry])?.wait()?;
                count.fetch_add(1, Ordering::Relaxed);
                ends.push(Entry::End { id });
                if ends.len() == 200 {
                    drop(journal.append(&ends)?);
                    ends.clear();
                }
                Ok(())
            }
        })?
    };
    let syncs = journal.counts().syncs() - before;
    drop(journal);
    fs::remove_dir_all(directory)?;
    Ok((per_second, ratio(syncs, count.load(Ordering::Relaxed))))
}

/// The pattern of a queue of files: file, `fdatasync`, `fsync` of the directory; the file is removed without a sync.
fn with_files(directory: &Path, writers: usize, time: Duration) -> Result<Figure, Failure> {
    fs::create_dir_all(directory)?;
    let names = Arc::new(File::open(directory)?);
    let folder = directory.to_owned();
    let per_second = run(writers, time, move || {
        let (folder, names) = (folder.clone(), Arc::clone(&names));
        move || {
            let path = folder.join(Id::fresh(SystemTime::now())?.to_string());
            let mut file = File::create_new(&path)?;
            file.write_all(&[b'c'; SIZE + 80])?;
            file.sync_data()?;
            names.sync_all()?;
            fs::remove_file(&path)?;
            Ok(())
        }
    })?;
    fs::remove_dir_all(directory)?;
    Ok((per_second, 2.0))
}

/// Runs writers of this kind for a time; gives their calls a second.
fn run<W>(writers: usize, time: Duration, writer: impl Fn() -> W) -> Result<f64, Failure>
where
    W: FnMut() -> Result<(), Failure> + Send + 'static,
{
    let began = Instant::now();
    let threads: Vec<thread::JoinHandle<Result<u64, Failure>>> = (0..writers)
        .map(|_| {
            let mut write = writer();
            thread::spawn(move || {
                let mut count = 0;
                while began.elapsed() < time {
                    write()?;
                    count += 1;
                }
                Ok(count)
            })
        })
        .collect();
    let mut count = 0;
    for thread in threads {
        count += thread.join().map_err(|_| "a writer ended early")??;
    }
    Ok(ratio(count, 1) / began.elapsed().as_secs_f64())
}

#[allow(clippy::cast_precision_loss, reason = "counts of a few seconds")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
