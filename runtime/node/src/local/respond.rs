//! Automatic replies (autorespond, RFC 3834): one message file of the bundle, at most so many replies to one sender within a
//! period. Who was answered when is kept below `robots/`, one small file per sender; a power cut may cost its last line,
//! which means one reply too many.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use postkiln_address::{Address, ReversePath};
use postkiln_ipc::directory::Responder;
use postkiln_mail::{Envelope, Outcome, Status, date, header};

use super::original::Original;
use super::submit::{Rest, submit};
use super::{Config, Tools, trouble};

/// Replies, if this message is to be replied to.
///
/// # Errors
/// The outcome that ends the delivery: the message went round in a circle, or the reply could not be queued.
pub(super) async fn respond(
    config: &Config,
    tools: &Tools,
    original: &Original,
    responder: &Responder,
) -> Result<(), Outcome> {
    if header::is_delivered_to(original.header(), "Autoresponder") {
        let text = "This message is looping: an autoresponder has made it. (#5.4.6)";
        return Err(Outcome::Bounced(Status(5, 4, 6), text.to_owned()));
    }
    let Some(sender) = answerable(original) else { return Ok(()) };
    let message = match config.bundle.read(&responder.message) {
        Ok(Some(message)) => message,
        Ok(None) => return Err(trouble(&format!("{} is missing", responder.message))),
        Err(error) => return Err(trouble(&format!("{}: {error}", responder.message))),
    };
    let now = SystemTime::now();
    let directory = tools.data.join(format!("{}.d", responder.message));
    let record = Record::new(&directory, sender);
    let due =
        record.may_reply(responder, now).map_err(|error| trouble(&format!("{}: {error}", directory.display())))?;
    if !due {
        postkiln_log::info("respond", &[("queue", &original.request.id), ("to", sender), ("text", &"already told")]);
        return Ok(());
    }
    let reply = reply(&message, original, responder, sender, config.hostname.as_str(), now);
    let envelope = Envelope { sender: ReversePath::Null, recipients: vec![sender.clone()] };
    // Noted first: a reply too few is better than one with every attempt.
    record.note(now).map_err(|error| trouble(&format!("{}: {error}", directory.display())))?;
    let id = submit(tools, envelope, &reply, Rest::Nothing).await?;
    forget_old(&directory, responder.period, now);
    postkiln_log::info("respond", &[("queue", &original.request.id), ("to", sender), ("reply", &id)]);
    Ok(())
}

/// The address to answer; `None` when the message is a notice, comes from a list or was made by a program (RFC 3834
/// §2).
fn answerable(original: &Original) -> Option<&Address> {
    let sender = original.request.sender.address()?;
    let local = sender.local().as_str().to_ascii_lowercase();
    let is_program = local.starts_with("mailer-daemon") || local.ends_with("-request") || local.starts_with("owner-");
    let is_list = ["Mailing-List", "List-Id", "List-Post", "List-Unsubscribe"].iter().any(|name| original.has(name));
    let is_automatic = original.field("Auto-Submitted").is_some_and(|value| !value.eq_ignore_ascii_case("no"));
    let is_bulk = original.has_precedence(&["junk", "bulk", "list"]);
    (!is_program && !is_list && !is_automatic && !is_bulk).then_some(sender)
}

/// The reply: our fields, those of the message file, empty line, its text.
fn reply(
    message: &[u8],
    original: &Original,
    responder: &Responder,
    sender: &Address,
    hostname: &str,
    now: SystemTime,
) -> Vec<u8> {
    let given = header::header(message);
    let has = |name: &str| header::fields(given).any(|field| field.is(name));
    let at = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut head = format!("Delivered-To: Autoresponder\nDate: {}\nTo: {sender}\n", date(at));
    let mut add = |name: &str, value: &str| {
        if !has(name) {
            head.push_str(&format!("{name}: {value}\n"));
        }
    };
    let subject = original.field("Subject").map(|subject| printable(&subject)).unwrap_or_default();
    add("From", &responder.address.to_string());
    add("Subject", format!("Re: {subject}").trim());
    add("Message-ID", &format!("<{}.{}.robot@{hostname}>", at.as_second(), original.request.id));
    if let Some(id) = original.field("Message-ID") {
        add("In-Reply-To", &printable(&id));
    }
    add("Auto-Submitted", "auto-replied");
    add("Precedence", "bulk");
    if !message.is_ascii() {
        add("MIME-Version", "1.0");
        add("Content-Type", "text/plain; charset=utf-8");
        add("Content-Transfer-Encoding", "8bit");
    }
    [head.as_bytes(), message].concat()
}

/// A text that may stand in a field of ours: printable ASCII, at most one line long.
fn printable(text: &str) -> String {
    text.chars().filter(|c| matches!(c, ' '..='~')).take(500).collect()
}

/// When one sender was answered: a file of Unix seconds, one per line, named by a hash of the address.
struct Record {
    path: PathBuf,
}

impl Record {
    fn new(directory: &Path, sender: &Address) -> Self {
        let hash = ring::digest::digest(&ring::digest::SHA256, sender.key().as_bytes());
        let name: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { path: directory.join(name) }
    }

    fn may_reply(&self, responder: &Responder, now: SystemTime) -> io::Result<bool> {
        let told = self.times()?;
        let since = seconds(now).saturating_sub(responder.period);
        let recent = told.iter().filter(|time| **time > since).count();
        Ok(recent < usize::try_from(responder.replies).unwrap_or(usize::MAX))
    }

    fn times(&self) -> io::Result<Vec<u64>> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn note(&self, now: SystemTime) -> io::Result<()> {
        use std::io::Write;
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = fs::OpenOptions::new().append(true).create(true).open(&self.path)?;
        file.write_all(format!("{}\n", seconds(now)).as_bytes())
    }
}

/// Removes what no longer counts. A failure costs space only; the next reply tries again.
fn forget_old(directory: &Path, period: u64, now: SystemTime) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let limit = Duration::from_secs(period);
    for entry in entries.flatten() {
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        if changed.is_ok_and(|changed| now.duration_since(changed).is_ok_and(|age| age > limit)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::tests::original;

    fn responder() -> Responder {
        Responder {
            address: "info@example.org".parse().unwrap(),
            message: "robots/example.org/info".to_owned(),
            replies: 2,
            period: 3600,
        }
    }

    fn check(sender: &str, header: &str, answered: bool) {
        let original = original(sender, "info@example.org", &format!("{header}\n"));
        assert_eq!(answerable(&original).is_some(), answered, "{sender} {header:?}");
    }

    #[test]
    fn programs_are_not_answered() {
        check("ada@elsewhere.example", "", true);
        check("ada@elsewhere.example", "Auto-Submitted: no\n", true);
        check("", "", false);
        check("#@[]", "", false);
        check("MAILER-DAEMON@elsewhere.example", "", false);
        check("ada@elsewhere.example", "Mailing-List: x\n", false);
        check("ada@elsewhere.example", "List-Id: x\n", false);
        check("ada@elsewhere.example", "Precedence: list\n", false);
        check("ada@elsewhere.example", "Auto-Submitted: auto-replied\n", false);
    }

    #[test]
    fn each_sender_gets_so_many_replies_within_the_period() {
        let directory = tempfile::tempdir().unwrap();
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
        let told = directory.path().join("robots/info.d");
        let reply = |sender: &str, seconds| {
            let record = Record::new(&told, &sender.parse().unwrap());
            let due = record.may_reply(&responder(), at(seconds)).unwrap();
            if due {
                record.note(at(seconds)).unwrap();
            }
            due
        };
        assert!(reply("ada@elsewhere.example", 0));
        assert!(reply("Ada@elsewhere.example", 10));
        assert!(!reply("ada@elsewhere.example", 20));
        assert!(reply("grace@elsewhere.example", 20));
        assert!(reply("ada@elsewhere.example", 3605));
        forget_old(&told, 3600, SystemTime::now());
        assert_eq!(fs::read_dir(&told).unwrap().count(), 2, "just written");
        forget_old(&told, 3600, SystemTime::now() + Duration::from_secs(7200));
        assert_eq!(fs::read_dir(&told).unwrap().count(), 0);
    }

    #[test]
    fn a_reply_says_what_it_answers() {
        let original =
            original("ada@elsewhere.example", "info@example.org", "Subject: caf\u{e9}\nMessage-ID: <1@x>\n\n");
        let message = "Subject: We got your mail\n\nThank you.\n";
        let at = UNIX_EPOCH + Duration::from_secs(1_795_358_170);
        let sender = "ada@elsewhere.example".parse().unwrap();
        let made = reply(message.as_bytes(), &original, &responder(), &sender, "mail.example.org", at);
        let expected = "Delivered-To: Autoresponder\n\
            Date: 22 Nov 2026 14:36:10 -0000\n\
            To: ada@elsewhere.example\n\
            From: info@example.org\n\
            Message-ID: <1795358170.1.robot@mail.example.org>\n\
            In-Reply-To: <1@x>\n\
            Auto-Submitted: auto-replied\n\
            Precedence: bulk\n\
            Subject: We got your mail\n\nThank you.\n";
        assert_eq!(String::from_utf8(made).unwrap(), expected);
        let made = reply("\n\u{fc}\n".as_bytes(), &original, &responder(), &sender, "mail.example.org", at);
        let made = String::from_utf8(made).unwrap();
        assert!(made.contains("Subject: Re: caf\n") && made.contains("charset=utf-8\n"), "{made}");
    }
}
