//! Clients: Python's standard library by the scripts in `tests/clients/`, and a bare line client for input that no
//! decent client sends. Knows nothing about a site.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::running::Running;
use crate::{Ended, binary, finish, repository};

/// A person's name and password.
#[derive(Clone, Copy, Debug)]
pub struct Login {
    /// The full address: `ada@example.org`.
    pub user: &'static str,
    /// The demonstration password that the example publishes.
    pub password: &'static str,
}

/// A person of `examples/small-office` who may write and gets everything.
pub const ADA: Login = Login { user: "ada@example.org", password: PASSWORD };
/// A person who moderates the list.
pub const GRACE: Login = Login { user: "grace@example.org", password: PASSWORD };
/// A person without special settings.
pub const ALAN: Login = Login { user: "alan@example.org", password: PASSWORD };
/// A person whose mail is forwarded and kept.
pub const DOROTHY: Login = Login { user: "dorothy@example.org", password: PASSWORD };
/// The demonstration password that the example publishes.
const PASSWORD: &str = "postkiln";

/// The EICAR test file, put together here: no file of the repository may look like one to a scanner.
#[must_use]
pub fn eicar() -> String {
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}", "$EICAR-STANDARD-ANTIVIRUS-", "TEST-FILE!$H+H*"].concat()
}

/// The outcome of a transaction, as the SMTP client saw it.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The reply that ended the transaction: to the refused MAIL or RCPT, or to DATA's end.
    pub code: u64,
    /// The text of that reply.
    pub text: String,
    /// Refused recipients with their codes.
    pub refused: Value,
}

/// Runs a script of `tests/clients/` and gives the JSON it printed.
///
/// # Panics
/// With the script's standard error, when it failed or did not end in time.
pub fn python(script: &str, arguments: &[&str], input: &str) -> Value {
    let mut child = Command::new("timeout")
        .args(["--kill-after=5", "300", "python3"])
        .arg(repository().join("tests/clients").join(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the script ends");
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script} {arguments:?}: {}\n{text}\n{errors}", output.status);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{script} printed {text:?}: {error}"))
}

/// The longest wait for a reply: longer than the scanner's own limit.
const PATIENCE: Duration = Duration::from_secs(60);

/// A complete message: From, To, Subject and a text.
#[must_use]
pub fn message(from: &str, to: &str, subject: &str, text: &str) -> String {
    let id =
        format!("<{}.{}@test.example>", subject.replace(|c: char| !c.is_ascii_alphanumeric(), "-"), std::process::id());
    format!(
        "From: {from}\nTo: {to}\nSubject: {subject}\nDate: Mon, 02 Mar 2026 10:00:00 +0000\nMessage-ID: {id}\n\n{text}\n"
    )
}

/// Sends on port 25 as a stranger does.
#[must_use]
pub fn receive_from_outside(node: &Running, from: &str, to: &[&str], message: &str) -> Submission {
    send(node.port("smtp"), "plain", None, from, to, message)
}

/// Sends as a person of the site, over `submission` (STARTTLS) or `submissions` (TLS).
#[must_use]
pub fn submit(node: &Running, listener: &str, login: Login, to: &[&str], message: &str) -> Submission {
    let mode = if listener == "submissions" { "tls" } else { "starttls" };
    send(node.port(listener), mode, Some(login), login.user, to, message)
}

/// Sends a message by Python's smtplib; `mode` says how TLS is used.
#[must_use]
pub fn send(port: u16, mode: &str, login: Option<Login>, from: &str, to: &[&str], message: &str) -> Submission {
    let port = port.to_string();
    let mut arguments = vec![port.as_str(), mode, from];
    arguments.extend(to);
    if let Some(login) = &login {
        arguments.extend(["--login", login.user, login.password]);
    }
    let said = python("smtp.py", &arguments, message);
    Submission {
        code: said.get("code").and_then(Value::as_u64).unwrap_or_default(),
        text: said.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
        refused: said.get("refused").cloned().unwrap_or_default(),
    }
}

/// Waits until the mailbox holds a message of this subject, by IMAP; gives it whole.
///
/// # Panics
/// When there is none within a minute.
pub fn await_message(node: &Running, login: Login, subject: &str) -> String {
    let port = node.port("imaps").to_string();
    let said = python("imap_wait.py", &[&port, login.user, login.password, subject, "60"], "");
    assert!(said.get("count").and_then(Value::as_u64) > Some(0), "no message with subject {subject:?} within a minute");
    said.get("message").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How many messages of this subject the mailbox holds now.
#[must_use]
pub fn count_messages(node: &Running, login: Login, subject: &str) -> u64 {
    let port = node.port("imaps").to_string();
    let said = python("imap_wait.py", &[&port, login.user, login.password, subject, "0"], "");
    said.get("count").and_then(Value::as_u64).expect("the script counts")
}

/// Runs `postkiln test` against the listeners on these ports.
///
/// # Panics
/// When the program cannot be started, or does not end.
#[must_use]
pub fn accept(ports: &BTreeMap<String, u16>, site: &Path, login: Login) -> Ended {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let (file, password) = (folder.path().join("ports"), folder.path().join("password"));
    fs::write(&file, serde_json::json!({ "ports": ports }).to_string()).expect("our own directory");
    fs::write(&password, format!("{}\n", login.password)).expect("our own directory");
    let mut test = Command::new(binary("postkiln"));
    test.arg("test").arg(site).arg("--ports").arg(&file);
    test.args(["--as", login.user, "--wait", "120"]).arg("--password-file").arg(&password);
    finish(&mut test, Duration::from_secs(400))
}

/// A client that sends exactly the bytes it is given and reads lines.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<TcpStream>,
}

impl Lines {
    /// Connects and takes the greeting.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn connect(port: u16) -> Self {
        Self::try_connect(port).expect("a greeting of 220")
    }

    /// Connects and takes the greeting, if there is one and it is 220.
    #[must_use]
    pub fn try_connect(port: u16) -> Option<Self> {
        let mut client = Self::over(TcpStream::connect(("127.0.0.1", port)).ok()?);
        client.reply().starts_with("220").then_some(client)
    }

    /// Connects and reads nothing.
    ///
    /// # Panics
    /// When nobody accepts.
    #[must_use]
    pub fn raw(port: u16) -> Self {
        Self::over(TcpStream::connect(("127.0.0.1", port)).expect("the listener accepts"))
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self { reader: BufReader::new(stream) }
    }

    /// Sends these bytes; false when the peer has closed the connection.
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.reader.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// The next whole reply of SMTP, all its lines; empty when the connection is closed.
    pub fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(count) if count > 0 => reply.push_str(&line),
                _ => return reply,
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    /// Sends a line and reads the reply.
    pub fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n"));
        self.reply()
    }

    /// Sends a line and insists on the class or code of the reply.
    ///
    /// # Panics
    /// When the reply has another code.
    pub fn expect(&mut self, line: &str, code: &str) -> String {
        let reply = self.ask(line);
        assert!(reply.starts_with(code), "{line:?} was answered {reply:?}, not {code}");
        reply
    }
}
