//! A mailbox as its readers see it: UIDs, flags, moves, two readers at once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use postkiln_mail::Flags;
use postkiln_store::{Delivery, Folder, FolderName, Maildir, Quota, StoreError, Uniques, deliver};

struct World {
    folder: tempfile::TempDir,
    uniques: Arc<Uniques>,
    now: SystemTime,
}

impl World {
    fn new() -> Self {
        let uniques = Arc::new(Uniques::new("host", 1, 2));
        Self { folder: tempfile::tempdir().unwrap(), uniques, now: SystemTime::now() }
    }
    fn path(&self) -> PathBuf {
        self.folder.path().join("Maildir")
    }
    fn maildir(&self, quota: Quota) -> Maildir {
        Maildir::new(&self.path(), quota, self.uniques.clone())
    }
    fn deliver(&self, text: &str) {
        let delivery = Delivery { prefix: b"", size: text.len() as u64, quota: Quota::NONE };
        deliver(&self.path(), &delivery, &mut text.as_bytes(), &self.uniques.next(self.now)).unwrap();
    }
    fn inbox(&self) -> Folder {
        self.open("INBOX")
    }
    fn open(&self, folder: &str) -> Folder {
        let mut folder = self.maildir(Quota::NONE).open(&name(folder), self.now).unwrap();
        folder.refresh(self.now, true).unwrap();
        folder
    }
}

fn name(text: &str) -> FolderName {
    FolderName::new(text).unwrap()
}

fn uids(folder: &Folder) -> Vec<u32> {
    folder.listing().messages.iter().map(|message| message.uid).collect()
}

#[test]
fn uids_ascend_and_stay() {
    let world = World::new();
    world.deliver("a\n");
    world.deliver("b\n");
    let mut one = world.inbox();
    assert_eq!(uids(&one), [1, 2]);
    let message = one.listing().messages[0].clone();
    assert_eq!((message.wire_size, message.recent, message.flags), (3, true, Flags::none()));
    one.remove(&[2], world.now).unwrap();
    world.deliver("c\n");
    assert!(one.refresh(world.now, true).unwrap());
    assert_eq!(uids(&one), [1, 3]);
    let other = world.inbox();
    assert_eq!(uids(&other), [1, 3]);
    assert_eq!(other.listing().uid_validity, one.listing().uid_validity);
    assert!(other.listing().messages.iter().all(|message| !message.recent), "recent is told once");
    assert_eq!(other.listing().uid_next, 4);
}

#[test]
fn flags_are_seen_by_the_other_reader() {
    let world = World::new();
    world.deliver("a\n");
    let (mut one, mut other) = (world.inbox(), world.inbox());
    let changed = one.set_flags(&[1, 9], |flags| flags | Flags::SEEN, world.now).unwrap();
    assert_eq!(changed, [(1, Flags::SEEN)]);
    assert!(other.refresh(world.now, true).unwrap());
    assert_eq!(other.listing().messages[0].flags, Flags::SEEN);
    other.set_flags(&[1], |_| Flags::FLAGGED, world.now).unwrap();
    assert_eq!(one.read(1, false, world.now).unwrap().unwrap(), b"a\r\n", "found again under its new name");
    other.remove(&[1], world.now).unwrap();
    assert_eq!(one.read(1, false, world.now).unwrap(), None);
}

#[test]
fn only_what_is_marked_deleted_now_is_expunged() {
    let world = World::new();
    for text in ["a\n", "b\n", "c\n", "d\n"] {
        world.deliver(text);
    }
    let (mut one, mut other) = (world.inbox(), world.inbox());
    one.set_flags(&[1, 2, 3], |_| Flags::DELETED, world.now).unwrap();
    other.set_flags(&[1], |_| Flags::none(), world.now).unwrap();
    other.set_flags(&[4], |_| Flags::DELETED, world.now).unwrap();
    assert_eq!(one.expunge(Some(&[1, 2]), world.now).unwrap(), [2]);
    assert_eq!(one.expunge(None, world.now).unwrap(), [3, 4]);
    assert_eq!(uids(&one), [1]);
}

#[test]
fn an_open_folder_is_not_the_one_that_took_its_name() {
    let world = World::new();
    let maildir = world.maildir(Quota::NONE);
    for step in 0..7 {
        let (from, to) = (name(&format!("A{step}")), name(&format!("B{step}")));
        maildir.create(&from, world.now).unwrap();
        maildir.append(&from, Flags::DELETED, None, b"old\r\n", world.now).unwrap();
        let mut open = world.open(from.as_str());
        maildir.rename(&from, &to, world.now).unwrap();
        let act = |open: &mut Folder| match step {
            0 => open.refresh(world.now, true).map(drop),
            1 => open.expunge(None, world.now).map(drop),
            2 => open.remove(&[1], world.now).map(drop),
            3 => open.set_flags(&[1], |_| Flags::SEEN, world.now).map(drop),
            4 => open.copy_to(&[1], &name("INBOX"), world.now).map(drop),
            5 => open.move_to(&[1], &name("INBOX"), world.now).map(drop),
            _ => open.read(1, false, world.now).map(drop),
        };
        assert!(matches!(act(&mut open), Err(StoreError::FolderGone(_))), "{step}, nothing there");
        maildir.create(&from, world.now).unwrap();
        for flags in [Flags::DELETED, Flags::none()] {
            maildir.append(&from, flags, None, b"new\r\n", world.now).unwrap();
        }
        assert!(matches!(act(&mut open), Err(StoreError::FolderGone(_))), "{step}, another one there");
        let new = world.open(from.as_str());
        let left: Vec<_> = new.listing().messages.iter().map(|message| (message.flags, message.recent)).collect();
        assert_eq!(left, [(Flags::DELETED, false), (Flags::none(), true)], "{step}");
        open.follow(&from, &to);
        assert_eq!(open.read(1, false, world.now).unwrap().unwrap(), b"old\r\n", "{step}");
    }
    assert_eq!(uids(&world.inbox()), []);
}

#[test]
fn a_lost_list_ends_what_was_open() {
    let world = World::new();
    world.deliver("a\n");
    let mut inbox = world.inbox();
    std::fs::remove_file(world.path().join("postkiln-uidlist")).unwrap();
    world.deliver("b\n");
    assert!(matches!(inbox.remove(&[1], world.now), Err(StoreError::FolderGone(_))));
    assert_eq!(uids(&world.inbox()).len(), 2);
}

#[test]
fn a_mailbox_in_use_is_left_as_it_is_and_takes_mail() {
    let world = World::new();
    let maildir = world.maildir(Quota::NONE);
    maildir.create(&name("A"), world.now).unwrap();
    world.deliver("a\n");
    let mut inbox = world.inbox();
    let lock = std::fs::File::options().write(true).open(world.path().join("postkiln-lock")).unwrap();
    lock.lock().unwrap();
    let (a, b, now) = (name("A"), name("B"), world.now);
    let busy = [
        maildir.create(&b, now).err(),
        maildir.delete(&a, now).err(),
        maildir.rename(&a, &b, now).err(),
        maildir.rename(&name("INBOX"), &b, now).err(),
        maildir.subscribe(&a, true).err(),
        maildir.append(&a, Flags::none(), None, b"x\r\n", now).err(),
        inbox.set_flags(&[1], |_| Flags::SEEN, now).err(),
        inbox.remove(&[1], now).err(),
        inbox.expunge(None, now).err(),
        inbox.mark_old(&[1], now).err(),
        inbox.copy_to(&[1], &a, now).err(),
        inbox.move_to(&[1], &a, now).err(),
    ];
    for (step, error) in busy.iter().enumerate() {
        assert!(matches!(error, Some(StoreError::Busy)), "{step}: {error:?}");
    }
    // A delivery waits for nobody.
    world.deliver("b\n");
    lock.unlock().unwrap();
    let folders: Vec<String> = maildir.folders().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(folders, ["INBOX", "A"]);
    assert_eq!((uids(&world.inbox()).len(), uids(&world.open("A")).len()), (2, 0));
    assert_eq!(maildir.subscriptions().unwrap(), []);
}

#[test]
fn quiet_folders_are_not_read_again() {
    let world = World::new();
    world.deliver("a\n");
    let mut inbox = world.inbox();
    let later = world.now + Duration::from_secs(60);
    inbox.refresh(later, true).unwrap();
    assert!(!inbox.refresh(later, true).unwrap());
    world.deliver("b\n");
    assert!(inbox.refresh(later, true).unwrap());
}

#[test]
fn messages_are_copied_and_moved_with_new_uids() {
    let world = World::new();
    let maildir = world.maildir(Quota::NONE);
    maildir.create(&name("A/B"), world.now).unwrap();
    world.deliver("Subject: x\n\nbody\n");
    world.deliver("b\n");
    let mut inbox = world.inbox();
    inbox.set_flags(&[1], |_| Flags::SEEN, world.now).unwrap();
    let (validity, pairs) = inbox.copy_to(&[1, 2], &name("A/B"), world.now).unwrap();
    assert_eq!(pairs, [(1, 1), (2, 2)]);
    let (_, pairs) = inbox.move_to(&[1, 7], &name("A/B"), world.now).unwrap();
    assert_eq!(pairs, [(1, 3)]);
    assert_eq!(uids(&inbox), [2]);
    let mut target = world.open("A/B");
    assert_eq!(target.listing().uid_validity, validity);
    let flags: Vec<_> = target.listing().messages.iter().map(|message| message.flags).collect();
    assert_eq!(flags, [Flags::SEEN, Flags::none(), Flags::SEEN]);
    assert_eq!(target.read(3, true, world.now).unwrap().unwrap(), b"Subject: x\r\n\r\n");
    assert!(matches!(inbox.copy_to(&[1], &name("A/B"), world.now), Err(StoreError::Gone)));
    assert!(matches!(inbox.copy_to(&[2], &name("none"), world.now), Err(StoreError::NoFolder(_))));
    let (_, back) = target.move_to(&[3], &name("INBOX"), world.now).unwrap();
    assert_eq!(back, [(3, 3)], "a message that comes back is a new one");
}

#[test]
fn appended_messages_have_date_and_flags() {
    let world = World::new();
    let maildir = world.maildir(Quota::of(Some(100), None));
    let (_, uid) = maildir.append(&name("INBOX"), Flags::DRAFT, Some(86_400), b"a\r\nb\r\n", world.now).unwrap();
    let mut inbox = world.inbox();
    let message = inbox.listing().messages[0].clone();
    assert_eq!((message.uid, message.flags, message.internal_date), (uid, Flags::DRAFT, 86_400));
    assert_eq!(message.wire_size, 6);
    assert_eq!(inbox.read(uid, false, world.now).unwrap().unwrap(), b"a\r\nb\r\n");
    let refused = maildir.append(&name("INBOX"), Flags::none(), None, &[b'x'; 200], world.now);
    assert!(matches!(refused, Err(StoreError::OverQuota)));
    assert!(matches!(
        maildir.append(&name("none"), Flags::none(), None, b"x", world.now),
        Err(StoreError::NoFolder(_))
    ));
}

#[test]
fn trash_takes_from_a_full_mailbox_and_gives_nothing_back_to_it() {
    let world = World::new();
    let quota = Quota::of(Some(1000), None);
    let maildir = world.maildir(quota);
    maildir.create(&name("Trash"), world.now).unwrap();
    maildir.append(&name("INBOX"), Flags::none(), None, &[b'x'; 900], world.now).unwrap();
    let mut inbox = maildir.open(&name("INBOX"), world.now).unwrap();
    inbox.move_to(&[1], &name("Trash"), world.now).unwrap();
    maildir.append(&name("INBOX"), Flags::none(), None, &[b'x'; 800], world.now).unwrap();
    let mut trash = maildir.open(&name("Trash"), world.now).unwrap();
    assert!(matches!(trash.move_to(&[1], &name("INBOX"), world.now), Err(StoreError::OverQuota)));
}

#[test]
fn inbox_renamed_gives_its_messages_away() {
    let world = World::new();
    world.deliver("a\n");
    world.maildir(Quota::NONE).rename(&name("INBOX"), &name("old"), world.now).unwrap();
    assert_eq!((uids(&world.inbox()), uids(&world.open("old"))), (vec![], vec![1]));
}

#[test]
fn a_folder_made_again_has_another_validity() {
    let world = World::new();
    let maildir = world.maildir(Quota::NONE);
    maildir.create(&name("A"), world.now).unwrap();
    let before = world.open("A").listing().uid_validity;
    maildir.delete(&name("A"), world.now).unwrap();
    maildir.create(&name("A"), world.now).unwrap();
    assert!(world.open("A").listing().uid_validity > before);
}

#[test]
fn a_pop3_session_leaves_messages_in_cur() {
    let world = World::new();
    world.deliver("a\n");
    let mut inbox = world.maildir(Quota::NONE).open(&name("INBOX"), world.now).unwrap();
    inbox.refresh(world.now, false).unwrap();
    let uidl = inbox.by_arrival()[0].stored.unique.clone();
    inbox.mark_old(&[1], world.now).unwrap();
    assert!(world.path().join("cur").join(format!("{uidl}:2,")).exists());
}
