//! The appliance in QEMU, from image to power cut. Software emulation: every wait is generous and bounded.
//!
//! A killed QEMU alone proves nothing about fsync: the host's page cache has seen every write. So the data disk is
//! [`postkiln_tests::nbd`], which forgets what the guest did not flush; and a node with one fsync taken out
//! ([`postkiln_tests::unsynced`]) must lose the message, or the test would not see a forgotten one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test's own ways")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use postkiln_bundle::{Manifest, Role};
use postkiln_tests::clients::{ADA, Lines, python};
use postkiln_tests::nbd::{Cut, Disk};
use postkiln_tests::world::{inside_for, is_inside};
use postkiln_tests::{Image, Machine, binary, finish, kept, repository, unsynced};

const GIB: u64 = 1 << 30;

/// The image of small-office, built once per run. Only this function may reach the package archive.
fn office() -> Image {
    static BUILT: Once = Once::new();
    let path = kept("images").join("small-office.img");
    if !is_inside() {
        BUILT.call_once(|| drop(Image::build(&site(), path.clone())));
    }
    Image::at(path)
}

/// The image, for a test that boots it in a network of its own: no machine may reach the world, where freshclam would
/// fetch signatures by the hundred megabytes. `None` in the process that only started the test again.
fn apart(test: &str) -> Option<Image> {
    // One machine at a time: two would only take each other's processor.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let image = office();
    inside_for(test, Duration::from_secs(1200)).then_some(image)
}

fn site() -> std::path::PathBuf {
    repository().join("examples/small-office")
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("pk-disk-").tempdir().unwrap()
}

/// Sends a message from outside up to its 250; the next act of the test may be a power cut.
fn send(machine: &Machine, subject: &str) {
    let mut client = Lines::connect(machine.port("smtp"));
    client.expect("EHLO client.example", "250");
    client.expect("MAIL FROM:<stranger@elsewhere.example>", "250");
    client.expect("RCPT TO:<ada@example.org>", "250");
    client.expect("DATA", "354");
    client.expect(&format!("Subject: {subject}\r\n\r\nkeep me\r\n."), "250");
}

/// The number of messages of this subject that Ada has; waits up to this many seconds for the first.
fn count(machine: &Machine, subject: &str, seconds: u32) -> Option<u64> {
    let (port, seconds) = (machine.port("imaps").to_string(), seconds.to_string());
    let said = python("imap_wait.py", &[&port, ADA.user, ADA.password, subject, &seconds], "");
    said["count"].as_u64()
}

#[test]
fn uefi_boots_moves_mail_and_switches_off() {
    let Some(image) = apart("uefi_boots_moves_mail_and_switches_off") else { return };
    let folder = folder();
    let disk = folder.path().join("data.raw");
    fs::File::create(&disk).unwrap().set_len(2 * GIB).unwrap();
    let disk = disk.to_str().unwrap();
    let machine = Machine::boot(&image, Some(disk), "uefi");
    println!("UEFI: ready after {:?}", machine.took());
    let ended = machine.accept(&site(), ADA);
    println!("{}", ended.output);
    assert_eq!(ended.code(), 0, "{}\n{}\n{}", ended.output, ended.errors, machine.log());
    assert!(ended.output.contains("a virus is refused"), "EICAR was not tried");
    send(&machine, "before the button");
    let log = machine.press_the_power_button();
    assert!(!log.contains("Kernel panic"), "{log}");
    // The file system was left clean, and the disk's second start finds what the first one kept.
    let checked = finish(Command::new("/sbin/e2fsck").args(["-fn", disk]), Duration::from_secs(120));
    assert_eq!(checked.code(), 0, "{}{}", checked.output, checked.errors);
    let machine = Machine::boot(&image, Some(disk), "uefi");
    println!("UEFI, second start: ready after {:?}", machine.took());
    assert_eq!(count(&machine, "before the button", 60), Some(1));
    machine.press_the_power_button();
}

#[test]
fn bios_boots_without_a_second_disk() {
    let Some(image) = apart("bios_boots_without_a_second_disk") else { return };
    let machine = Machine::boot(&image, None, "bios");
    println!("BIOS: ready after {:?}", machine.took());
    let ended = machine.accept(&site(), ADA);
    assert_eq!(ended.code(), 0, "{}\n{}\n{}", ended.output, ended.errors, machine.log());
    machine.press_the_power_button();
}

/// Boots with a forgetful disk, sends, and cuts the power at the 250. True when the message is there after the next
/// boot.
fn survives_the_cut(image: &Image, cut: Cut) -> bool {
    let folder = folder();
    let disk = Disk::blank(folder.path(), 2 * GIB);
    let mut machine = Machine::boot(image, Some(&disk.address()), "uefi");
    // A first message flushes the writes of the boot itself, which are not in question.
    send(&machine, "warming up");
    assert_eq!(count(&machine, "warming up", 60), Some(1));
    let before = disk.counts();
    send(&machine, "the last one");
    disk.cut(cut);
    let after = disk.counts();
    machine.kill();
    println!("flushes for one message up to its 250: {}", after.flushes - before.flushes);
    disk.power();
    let machine = Machine::boot(image, Some(&disk.address()), "uefi");
    let found = count(&machine, "the last one", 60);
    machine.press_the_power_button();
    found == Some(1)
}

#[test]
fn a_message_accepted_is_there_after_a_power_cut() {
    let Some(image) = apart("a_message_accepted_is_there_after_a_power_cut") else { return };
    assert!(survives_the_cut(&image, Cut::AllGone), "the message was accepted and is lost");
}

#[test]
fn a_message_accepted_is_there_after_a_power_cut_that_keeps_a_part() {
    let Some(image) = apart("a_message_accepted_is_there_after_a_power_cut_that_keeps_a_part") else { return };
    assert!(survives_the_cut(&image, Cut::SomeGone { seed: 2026 }), "the message was accepted and is lost");
}

#[test]
fn the_power_cut_test_sees_a_missing_fsync() {
    // The fsync taken out is that of the content. Without the directory's, ext4 still keeps the name: it commits a new
    // file's entry with its content.
    let Some(image) = apart("the_power_cut_test_sees_a_missing_fsync") else { return };
    drop(image);
    let folder = folder();
    let node = folder.path().join("postkiln-node");
    unsynced::write_without(unsynced::CONTENT, &node);
    let path = folder.path().join("forgetful.img");
    let mut build = Image::command(&site(), &path);
    let _ = finish(build.arg("--offline").arg("--node").arg(&node), Duration::from_secs(300)).success();
    let image = Image::at(path);
    assert!(!survives_the_cut(&image, Cut::AllGone), "without its fsync the queue still kept the message?");
}

#[test]
fn a_service_over_its_limit_of_memory_is_started_again_alone() {
    let Some(image) = apart("a_service_over_its_limit_of_memory_is_started_again_alone") else { return };
    drop(image);
    let folder = folder();
    let (bundle, path) = (folder.path().join("bundle"), folder.path().join("small.img"));
    let mut compile = Command::new(binary("postkiln"));
    let _ = finish(compile.arg("compile").arg(site()).arg("-o").arg(&bundle), Duration::from_secs(60)).success();
    limit_directoryd(&bundle.join(Manifest::NAME), 20);
    let _ = finish(Image::command(&bundle, &path).arg("--offline"), Duration::from_secs(300)).success();
    let machine = Machine::boot(&Image::at(path), None, "uefi");
    // The end of this login is not asked for: directoryd is killed while it checks the password.
    let (port, mut login) = (machine.port("imaps").to_string(), Command::new("python3"));
    login.arg(repository().join("tests/clients/imap_wait.py")).args([&port, ADA.user, ADA.password, "nothing", "0"]);
    let _ = finish(&mut login, Duration::from_secs(120));
    machine.await_console("event=over-memory service=directoryd limit=\"20 MiB\"", Duration::from_secs(60));
    // The others serve on, and directoryd answers them again.
    send(&machine, "after that");
    let log = machine.press_the_power_button();
    let starts = |role: &str| log.matches(&format!("event=started service={role} ")).count();
    assert!(starts("directoryd") > 1, "{log}");
    // The group is killed by the kernel; the limit of what a process reserves would be an exit.
    assert!(log.contains("event=service-ended service=directoryd with=\"signal 9\""), "{log}");
    for role in ["keyd", "queued", "local", "remote", "smtpd", "imapd", "clamd"] {
        assert_eq!(starts(role), 1, "{role}\n{log}");
    }
}

/// Gives `directoryd` so many MiB in a bundle: less than it takes to check a password.
fn limit_directoryd(manifest: &Path, mebibytes: u32) {
    let read = Manifest::parse(&fs::read(manifest).unwrap()).unwrap();
    let mut services = read.services;
    services.iter_mut().find(|service| service.role == Role::Directoryd).unwrap().memory = Some(mebibytes);
    let limited = Manifest::new(read.schema, &read.hostname, read.files, services);
    fs::write(manifest, limited.print()).unwrap();
}

#[test]
fn a_foreign_file_system_stops_the_boot_untouched() {
    let Some(image) = apart("a_foreign_file_system_stops_the_boot_untouched") else { return };
    let folder = folder();
    let disk = folder.path().join("foreign.raw");
    fs::File::create(&disk).unwrap().set_len(64 << 20).unwrap();
    let mut mkfs = Command::new("/sbin/mke2fs");
    let _ = finish(mkfs.args(["-q", "-t", "ext4", "-L", "photographs"]).arg(&disk), Duration::from_secs(60)).success();
    let before = sha256(&disk);
    let mut machine = Machine::power_on(&image, disk.to_str(), "uefi");
    machine.await_console("photographs", Duration::from_secs(200));
    assert!(!machine.log().contains("\"ready\""), "{}", machine.log());
    machine.kill();
    assert_eq!(sha256(&disk), before, "the foreign disk was written to");
}

#[test]
fn a_disk_of_noise_stops_the_boot_untouched() {
    let Some(image) = apart("a_disk_of_noise_stops_the_boot_untouched") else { return };
    let folder = folder();
    let disk = folder.path().join("noise.raw");
    let mut file = fs::File::create(&disk).unwrap();
    file.write_all(&(0..1 << 16).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>())
        .unwrap();
    file.set_len(64 << 20).unwrap();
    let before = sha256(&disk);
    let mut machine = Machine::power_on(&image, disk.to_str(), "uefi");
    machine.await_console("postkiln-data", Duration::from_secs(200));
    assert!(!machine.log().contains("\"ready\""), "{}", machine.log());
    machine.kill();
    assert_eq!(sha256(&disk), before, "the disk was written to");
}

#[test]
fn other_places_times_and_people_build_the_same_bytes() {
    let first = sha256(office().path());
    let folder = folder();
    let elsewhere = folder.path().join("a longer way/to the site");
    fs::create_dir_all(elsewhere.parent().unwrap()).unwrap();
    let _ = finish(Command::new("cp").arg("-r").arg(site()).arg(&elsewhere), Duration::from_secs(20)).success();
    let path = folder.path().join("second.img");
    // The clock of a static program cannot be turned from outside; the files' times and a later moment have to do.
    let _ = finish(
        Command::new("find").arg(&elsewhere).args(["-exec", "touch", "-d", "1999-12-31", "{}", "+"]),
        Duration::from_secs(20),
    )
    .success();
    // The store holds the packages and nothing that was made of them, so everything is made again.
    let store = folder.path().join("store");
    fs::create_dir(&store).unwrap();
    std::os::unix::fs::symlink(Image::store().join("packages"), store.join("packages")).unwrap();
    let mut shell = Command::new("sh");
    let inner = Image::command_with(&elsewhere, &path, &store);
    shell.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(inner.get_program()).args(inner.get_args()).arg("--offline");
    shell.current_dir(folder.path()).env("TZ", "Asia/Tokyo").env("LC_ALL", "C.UTF-8").env("HOME", "/nonexistent");
    let _ = finish(&mut shell, Duration::from_secs(300)).success();
    assert_eq!(sha256(&path), first, "{} and {} differ", path.display(), office().path().display());
}

fn sha256(path: &Path) -> String {
    let ended = finish(Command::new("sha256sum").arg(path), Duration::from_secs(120)).success();
    ended.output.split_whitespace().next().unwrap().to_owned()
}
