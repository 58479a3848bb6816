//! [`NameServer`]: BIND's `named` with the zones of a bundle, as an ordinary user on a free port; asked with `dig`.
//! Knows nothing about what the zones should hold.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{eventually, finish};

/// A running name server; it ends when dropped.
#[derive(Debug)]
pub struct NameServer {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl NameServer {
    /// Serves every `*.zone` of a folder.
    ///
    /// # Panics
    /// When the server does not answer within half a minute; the message holds its log.
    #[must_use]
    pub fn start(zones: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("pk-named-").tempdir().expect("a temporary directory");
        // The program is copied, because AppArmor confines named by its path and keeps it out of temporary folders.
        let program = folder.path().join("named");
        fs::copy("/usr/sbin/named", &program).expect("Debian's bind9 is installed");
        let port = free_port();
        let configuration = folder.path().join("named.conf");
        fs::write(&configuration, configured(folder.path(), port, &zone_files(zones))).expect("our own folder");
        let log = fs::File::create(folder.path().join("log")).expect("our own folder");
        let mut named = Command::new(program);
        named.args(["-g", "-n", "1", "-c"]).arg(&configuration).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        // A test that forks at this moment still has the copy open for writing.
        let process = eventually("named starts", Duration::from_secs(30), || match named.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            started => Some(started.expect("named starts")),
        });
        let mut server = Self { process, folder, port };
        eventually("named answers", Duration::from_secs(30), || {
            let ended = server.process.try_wait().expect("our own child");
            assert!(ended.is_none(), "named ended:\n{}", server.log());
            // This is the last line of its start; "running as" comes long before it listens.
            server.log().lines().any(|line| line.ends_with(" running")).then_some(())
        });
        server
    }

    /// The server's log so far.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("our own file")
    }

    /// The answers to questions like `_dmarc.example.org. TXT`, asked over UDP or TCP in one go: for each the data of
    /// its answer section in presentation form, records of other types left out.
    ///
    /// # Panics
    /// When a question is not answered with authority, or `dig` cannot be run.
    #[must_use]
    pub fn ask(&self, questions: &[String], tcp: bool) -> Vec<Vec<String>> {
        let list = self.folder.path().join("questions");
        fs::write(&list, questions.join("\n")).expect("our own folder");
        let mut dig = Command::new("dig");
        dig.args(["@127.0.0.1", "-p", &self.port.to_string(), if tcp { "+tcp" } else { "+notcp" }]);
        // These options print the whole data of TLSA and the like on one line.
        dig.args(["+norecurse", "+nosplit", "+noall", "+comments", "+answer", "-f"]).arg(list);
        let output = finish(&mut dig, Duration::from_secs(60)).success().output;
        let replies: Vec<&str> = output.split(";; Got answer:").skip(1).collect();
        assert_eq!(replies.len(), questions.len(), "{output}");
        questions.iter().zip(replies).map(|(question, reply)| answer(question, reply)).collect()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn answer(question: &str, reply: &str) -> Vec<String> {
    let kind = question.rsplit(' ').next().unwrap_or_default();
    let flags = reply.lines().find(|line| line.starts_with(";; flags:")).unwrap_or_default();
    assert!(reply.contains("status: NOERROR"), "{question}: {reply}");
    // Below a delegation another server has the authority.
    assert!(flags.contains(" aa") || kind == "NS" || reply.contains("AUTHORITY: 1"), "{question}: {reply}");
    let lines = reply.lines().filter(|line| !line.starts_with(';') && !line.is_empty());
    lines
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace().skip(3);
            (words.next() == Some(kind)).then(|| words.collect::<Vec<_>>().join(" "))
        })
        .collect()
}

fn zone_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a readable folder").flatten().map(|entry| entry.path());
    let mut zones: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "zone")).collect();
    zones.sort();
    assert!(!zones.is_empty(), "no zone in {}", folder.display());
    zones
}

fn configured(folder: &Path, port: u16, zones: &[PathBuf]) -> String {
    let zone = |path: &PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a zone's name");
        format!("zone \"{name}\" {{ type primary; file \"{}\"; check-names fail; }};\n", path.display())
    };
    let folder = folder.display();
    format!(
        "options {{ directory \"{folder}\"; pid-file none; session-keyfile \"{folder}/session.key\"; \
         listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; \
         check-integrity yes; notify no; minimal-responses no-auth; }};\ncontrols {{ }};\n{}",
        zones.iter().map(zone).collect::<String>()
    )
}

/// A port that was free over UDP and TCP a moment ago.
fn free_port() -> u16 {
    let free = || {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
        let port = udp.local_addr().ok()?.port();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|_| port)
    };
    eventually("a free port", Duration::from_secs(5), free)
}
