//! Every operation failed once, every cut recovered, every sync missed, a process killed in the middle.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use crate::disk::{Disk, Op};
use crate::load::{Load, SMALL};
use crate::recovery::{Finding, recover};
use crate::storage::{Folder, Storage};
use crate::{Content, Entry, Id, Journal, JournalError, LARGE, Mark, Options};

/// Two lives of a journal: the first ends in the middle of a batch, between its write and its sync.
fn two_lives(disk: &Disk, seed: u64) -> Load {
    let mut load = Load::new(disk.clone(), seed);
    if load.open() {
        load.run(50);
        let next = disk.steps().len();
        // The steps of a small batch: the write, then the sync at which the process dies.
        disk.die_at(Some(next + 1));
        let id = load.open[0];
        load.commit(vec![vec![Entry::Mark { id, recipient: u32::MAX, mark: Mark::Done }]]);
        disk.die_at(None);
    }
    load.log = None;
    if load.open() {
        load.run(50);
    }
    load
}

#[test]
fn every_cut_is_recovered() {
    let (mut freed, mut moved) = (0, 0);
    for seed in 0..3 {
        let load = two_lives(&Disk::default(), seed);
        let counts = &load.log.as_ref().unwrap().counts;
        (freed, moved) = (freed + counts.segments_freed(), moved + counts.messages_moved());
        let count = load.disk.count();
        for cut in 0..=count {
            for part in 0..3 {
                let checked = load.check_cut(cut, part + 3 * cut as u64);
                assert_eq!(checked, Ok(()), "load {seed} cut at {cut} of {count}, part {part}");
            }
        }
    }
    assert!(freed > 1 && moved > 1, "the loads are too short: {freed} freed, {moved} moved");
}

#[test]
fn every_operation_may_fail_once() {
    let whole = Disk::default();
    two_lives(&whole, 1);
    for step in 0..whole.steps().len() {
        let disk = Disk::default();
        disk.fail_at(step);
        let load = two_lives(&disk, 1);
        let case = format!("step {step}, {}, failed", whole.steps()[step]);
        assert!(load.log.is_some(), "{case}");
        let count = disk.count();
        for cut in (0..=count).rev().step_by(83) {
            assert_eq!(load.check_cut(cut, cut as u64), Ok(()), "{case}, cut at {cut} of {count}");
        }
    }
}

#[test]
fn no_sync_can_be_missed() {
    let whole = Disk::default();
    two_lives(&whole, 2);
    let mut unseen = Vec::new();
    for number in 0..whole.syncs() {
        let disk = Disk::default();
        disk.skip_sync(number);
        let load = two_lives(&disk, 2);
        let skipped = disk.with_ops(|ops| ops.iter().position(|op| matches!(op, Op::Skipped))).unwrap();
        let mut cuts = (skipped..=disk.count().min(skipped + 40)).flat_map(|cut| (0..8).map(move |part| (cut, part)));
        if !cuts.any(|(cut, part)| load.check_cut(cut, part + 8 * cut as u64).is_err()) {
            unseen.push(number);
        }
    }
    assert!(unseen.is_empty(), "{} of {}: {unseen:?}", unseen.len(), whole.syncs());
}

fn accept(id: Id, content: &[u8]) -> Entry {
    Entry::Accept { id, envelope: b"\0grace@example.net\0".to_vec(), content: Content::Here(content.to_vec()) }
}

fn storage(disk: &Disk) -> Arc<dyn Storage> {
    Arc::new(disk.clone())
}

/// A disk with a log of five batches in one segment, each of one message of 200 octets.
fn five_batches() -> (Load, String) {
    let mut load = Load::new(Disk::default(), 1);
    assert!(load.open());
    for number in 0..5 {
        load.commit(vec![vec![accept(Id::from_bits(1000 + number), &[b'a'; 200])]]);
    }
    load.log = None;
    let mut names = load.disk.names(Folder::Log).unwrap();
    names.retain(|name| !name.to_string_lossy().starts_with("spare"));
    assert_eq!(names.len(), 1);
    let name = names.remove(0).into_string().unwrap();
    (load, name)
}

fn ids(recovered: &crate::Recovered) -> Vec<u128> {
    recovered.messages.iter().map(|message| message.id.bits() - 1000).collect()
}

#[test]
fn damage_is_set_aside_and_never_taken_for_the_end() {
    // The header takes 80 octets and each record 296: somewhere in a head, a content, the segment's header.
    for (at, lost) in [(80 + 10, 0), (80 + 296 + 200, 1), (80 + 3 * 296 + 8, 3)] {
        let (load, name) = five_batches();
        load.disk.spoil(Folder::Log, &name, at, &[0xff; 4]);
        let (_, recovered) = recover(&storage(&load.disk), SMALL).unwrap();
        assert_eq!(ids(&recovered), (0..5).filter(|id| *id != lost).collect::<Vec<_>>(), "octet {at}");
        let from = 80 + 296 * u64::try_from(lost).unwrap();
        let stretch = std::ops::Range { start: from, end: from + 296 };
        assert_eq!(recovered.findings, [Finding::Damaged(name.clone(), Vec::from([stretch]))]);
        assert_eq!(load.disk.damaged(), [name]);
    }
}

#[test]
fn a_segment_with_a_damaged_header_counts() {
    let (load, name) = five_batches();
    load.disk.spoil(Folder::Log, &name, 20, &[0xff; 4]);
    let (_, recovered) = recover(&storage(&load.disk), SMALL).unwrap();
    assert_eq!(ids(&recovered), [0, 1, 2, 3, 4]);
}

#[test]
fn a_torn_last_batch_is_cut_off_and_stays_so() {
    let (load, name) = five_batches();
    load.disk.spoil(Folder::Log, &name, 80 + 4 * 296 + 100, &[0xff; 4]);
    for _ in 0..3 {
        let (_, recovered) = recover(&storage(&load.disk), SMALL).unwrap();
        assert_eq!((ids(&recovered), recovered.findings), (vec![0, 1, 2, 3], Vec::new()));
    }
}

#[test]
fn a_content_that_looks_like_records_is_none() {
    let (load, name) = five_batches();
    let mut forged = Vec::new();
    let batch = crate::format::Batch { epoch: 2, chance: 0, number: 99, start: 80 };
    crate::format::encode_record(&batch, b"", &mut forged);
    load.disk.spoil(Folder::Log, &name, 80 + 4 * 296, &forged);
    let (_, recovered) = recover(&storage(&load.disk), SMALL).unwrap();
    assert_eq!((ids(&recovered), recovered.findings), (vec![0, 1, 2, 3], Vec::new()));
}

#[test]
fn a_newer_version_is_left_alone() {
    let (load, name) = five_batches();
    let mut header = b"postkiln\x02\0\0\0".to_vec();
    header.resize(76, 0);
    let seal = crate::Checksum::of(&header);
    header.extend_from_slice(&seal.to_le_bytes());
    load.disk.spoil(Folder::Log, &name, 0, &header);
    assert!(matches!(recover(&storage(&load.disk), SMALL), Err(JournalError::Version { version: 2, .. })));
}

#[test]
fn a_full_disk_refuses_messages_and_takes_marks() {
    let disk = Disk::default();
    // Two segments: the current one and its spare.
    disk.set_room(Some(2 * 4096));
    let mut load = Load::new(disk, 1);
    assert!(load.open());
    let mut accepted = Vec::new();
    for number in 0..100 {
        let id = Id::from_bits(1000 + number);
        match &load.commit(vec![vec![accept(id, &[b'a'; 500])]])[0] {
            Ok(()) => accepted.push(id),
            Err(error) => {
                assert!(matches!(error, JournalError::Full), "{error}");
                break;
            }
        }
    }
    assert!((5..20).contains(&accepted.len()), "{}", accepted.len());
    let id = accepted[0];
    let long = |number: usize| {
        let text = format!("{number} {}", "x".repeat(600));
        vec![vec![Entry::Mark { id, recipient: 0, mark: Mark::Deferred { attempts: 1, due: 400, text } }]]
    };
    let taken = (0..20).take_while(|number| load.commit(long(*number))[0].is_ok()).count();
    assert!((2..20).contains(&taken), "{taken} long marks");
    for id in &accepted[..4] {
        let entries = vec![Entry::Mark { id: *id, recipient: 0, mark: Mark::Done }, Entry::End { id: *id }];
        assert!(load.commit(vec![entries])[0].is_ok(), "a short mark fits where a long one did not");
    }
    load.disk.set_room(None);
    assert!(load.commit(vec![vec![accept(Id::from_bits(5000), b"goes on")]])[0].is_ok());
}

#[test]
fn foreign_names_are_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    drop(Journal::open(directory.path(), Options::default()).unwrap());
    for name in ["log/notes.txt", "large/notes.txt"] {
        std::fs::write(directory.path().join(name), "?").unwrap();
    }
    let (_journal, recovered) = Journal::open(directory.path(), Options::default()).unwrap();
    let foreign = ["log/notes.txt", "large/notes.txt"].map(|name| Finding::Foreign(name.to_owned()));
    assert_eq!(recovered.findings, foreign);
    assert_eq!(std::fs::read_dir(directory.path().join("damaged")).unwrap().count(), 2);
}

#[test]
fn there_is_one_writer() {
    let directory = tempfile::tempdir().unwrap();
    let first = Journal::open(directory.path(), Options::default()).unwrap();
    assert!(Journal::open(directory.path(), Options::default()).is_err());
    drop(first);
    Journal::open(directory.path(), Options::default()).unwrap();
}

/// Many threads, real files, small segments: everything comes back, and those that waited together shared their syncs.
#[test]
fn those_that_wait_share_a_sync() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { segment: 1 << 20 };
    let (journal, _) = Journal::open(directory.path(), options).unwrap();
    let writers: Vec<_> = (0..16u8)
        .map(|writer| {
            let journal = journal.clone();
            std::thread::spawn(move || {
                let made = |_| {
                    let id = Id::fresh(SystemTime::now()).unwrap();
                    journal.append(&[accept(id, &[writer; 4096])]).unwrap().wait().unwrap();
                    (id, writer)
                };
                (0..50).map(made).collect::<Vec<_>>()
            })
        })
        .collect();
    let made: Vec<(Id, u8)> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
    assert!(journal.counts().syncs() < 800, "{:?}", journal.counts());
    for (id, writer) in &made {
        assert_eq!(journal.content(*id).unwrap(), [*writer; 4096]);
    }
    drop(journal);
    let (journal, recovered) = Journal::open(directory.path(), options).unwrap();
    assert_eq!((recovered.messages.len(), recovered.findings), (800, Vec::new()));
    let ends: Vec<Entry> = made.iter().map(|(id, _)| Entry::End { id: *id }).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(journal.append(&ends).unwrap()).unwrap();
    assert!(journal.is_empty());
}

/// Octets that somebody reads are not overwritten, however long the log goes on.
#[test]
fn a_place_stays_as_it_is_while_somebody_holds_it() {
    use std::os::unix::fs::FileExt;
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(directory.path(), Options { segment: 1 << 16 }).unwrap();
    let id = Id::fresh(SystemTime::now()).unwrap();
    journal.append(&[accept(id, &[b'x'; 1000])]).unwrap().wait().unwrap();
    let place = journal.place(id).unwrap();
    journal.append(&[Entry::End { id }]).unwrap().wait().unwrap();
    for _ in 0..100 {
        let id = Id::fresh(SystemTime::now()).unwrap();
        journal.append(&[accept(id, &[b'y'; 5000]), Entry::End { id }]).unwrap().wait().unwrap();
    }
    assert!(journal.counts().segments_freed() > 3, "{:?}", journal.counts());
    let mut octets = vec![0; 1000];
    std::fs::File::from(place.file.try_clone().unwrap()).read_exact_at(&mut octets, place.offset).unwrap();
    assert_eq!(octets, [b'x'; 1000]);
    assert_eq!((place.size, place.sum), (1000, crate::Checksum::of(&octets)));
    assert!(matches!(journal.content(id), Err(JournalError::Gone(_))));
}

#[test]
fn a_large_content_has_its_file_as_long_as_its_message() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(directory.path(), Options::default()).unwrap();
    let id = Id::fresh(SystemTime::now()).unwrap();
    let octets = vec![b'z'; LARGE];
    let mut large = journal.large(id).unwrap();
    large.write(&octets).unwrap();
    let content = large.finish().unwrap();
    journal.append(&[Entry::Accept { id, envelope: Vec::new(), content }]).unwrap().wait().unwrap();
    drop(journal.large(Id::fresh(SystemTime::now()).unwrap()).unwrap());
    let files = || std::fs::read_dir(directory.path().join("large")).unwrap().count();
    assert_eq!((journal.content(id).unwrap() == octets, journal.place(id).unwrap().offset, files()), (true, 0, 1));
    journal.append(&[Entry::End { id }]).unwrap().wait().unwrap();
    assert_eq!(files(), 0);
    assert!(matches!(
        journal.append(&[accept(id, &vec![0; 5 << 20])]),
        Err(JournalError::TooLong(length)) if length > 5 << 20
    ));
}

/// The child of the next test: appends until it is killed, and prints each name once it was told "stable".
#[test]
fn append_until_killed() {
    let Ok(directory) = std::env::var(CHILD) else { return };
    let (journal, _) = Journal::open(directory.as_ref(), Options { segment: 1 << 20 }).unwrap();
    let mut before: Option<Id> = None;
    loop {
        let id = Id::fresh(SystemTime::now()).unwrap();
        journal.append(&[accept(id, &[b'k'; 20_000])]).unwrap().wait().unwrap();
        println!("kept {id}");
        if let Some(ended) = before.replace(id) {
            journal.append(&[Entry::End { id: ended }]).unwrap().wait().unwrap();
            println!("ended {ended}");
        }
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_it_was_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut earlier: Vec<String> = Vec::new();
    for lines in [1, 2, 30, 150] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::append_until_killed", "--nocapture"])
            .env(CHILD, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let is_told = |line: &String| line.contains("kept ") || line.starts_with("ended ");
        let told: Vec<String> = output.filter(is_told).take(lines).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let (journal, recovered) = Journal::open(directory.path(), Options { segment: 1 << 20 }).unwrap();
        assert_eq!(recovered.findings.iter().find(|found| !matches!(found, Finding::Unfinished(_))), None);
        let there = |id: &str| recovered.messages.iter().any(|message| message.id.to_string() == id);
        let after = |line: &str, word: &str| line.split_once(word).map(|(_, id)| id.to_owned());
        let ended: Vec<String> = told.iter().filter_map(|line| after(line, "ended ")).collect();
        assert!(ended.iter().all(|id| !there(id)));
        let kept: Vec<String> = told.iter().filter_map(|line| after(line, "kept ")).collect();
        // The child may have ended the last one after we stopped listening, but only once a later one was stable.
        let names: Vec<String> = recovered.messages.iter().map(|message| message.id.to_string()).collect();
        let is_later = |name: &String| !kept.contains(name) && !earlier.contains(name);
        let last = kept.last();
        assert!(last.is_some_and(|id| there(id)) || names.iter().any(is_later), "{last:?} of {kept:?}: {names:?}");
        earlier.extend(names);
        assert!(recovered.messages.iter().all(|message| journal.content(message.id).unwrap() == [b'k'; 20_000]));
    }
}

const CHILD: &str = "POSTKILN_JOURNAL_TEST_DIRECTORY";
