//! Two nodes: one with a certificate of the site's own, whose key is a secret, and one that hands all mail for others
//! to the first and logs in there. Each secret serves its purpose and is seen nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{fs, io, thread};

use postkiln_tests::clients::{Login, message, submit};
use postkiln_tests::world::inside;
use postkiln_tests::{Keeper, Running, Sink, Site, Verdict, check_unseen, eventually, finish, status};
use tempfile::TempDir;

const FRIEND: &str = "friend@elsewhere.example";
/// The same person at both.
const EMMY: Login = Login { user: "emmy@example.org", password: "noether-5d0e6612fb" };
const PATIENCE: Duration = Duration::from_secs(60);

/// A certificate for the office's host, made by openssl, with its key of this kind.
struct Certificate {
    folder: TempDir,
    key: String,
}

impl Certificate {
    fn new(kind: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut request = Command::new("openssl");
        request.current_dir(folder.path()).args([
            "req",
            "-x509",
            "-days",
            "9",
            "-nodes",
            "-subj",
            "/CN=mail.example.org",
        ]);
        request.args([
            "-addext",
            "subjectAltName=DNS:mail.example.org",
            "-keyout",
            "key",
            "-out",
            "chain.pem",
            "-newkey",
        ]);
        let _ = finish(request.args(kind), PATIENCE).success();
        let key = fs::read_to_string(folder.path().join("key")).unwrap();
        Self { folder, key }
    }

    fn chain(&self) -> String {
        fs::read_to_string(self.folder.path().join("chain.pem")).unwrap()
    }

    /// The digest as people are told to find it.
    fn digest(&self) -> String {
        let pipe = "openssl x509 -pubkey -noout -in chain.pem | openssl pkey -pubin -outform DER | sha256sum";
        let mut shell = Command::new("sh");
        let said = finish(shell.current_dir(self.folder.path()).args(["-c", pipe]), PATIENCE).success().output;
        said.split_whitespace().next().unwrap().to_owned()
    }

    /// A line of the key that nothing else has.
    fn line(&self) -> &str {
        self.key.lines().nth(2).unwrap()
    }

    /// A client that trusts this certificate alone is shown it, in this version of TLS.
    fn check_shown(&self, node: &Running, listener: &str, version: &str) {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-connect", &format!("127.0.0.1:{}", node.port(listener)), "-CAfile"]);
        client.arg(self.folder.path().join("chain.pem")).args(["-verify_hostname", "mail.example.org"]);
        let ended = finish(client.args(["-verify_return_error", version]), PATIENCE);
        assert!(ended.status.success(), "{listener} {version}: {}{}", ended.output, ended.errors);
    }
}

fn office(fields: &str) -> Site {
    let emmy = "domains.\"example.org\".users.emmy = { password.secret = \"emmy\" }";
    Site::small_office().without_antivirus().with(emmy).with(fields)
}

fn data() -> TempDir {
    tempfile::Builder::new().prefix("pk-data-").tempdir().unwrap()
}

/// A site whose mail for others goes to this sink, under the certificate.
fn relay(certificate: &Certificate, sink: &Sink) -> Keeper {
    let fields = format!(
        "tls.certificate = 'own {{ secret = \"web\", chain = \"chain.pem\" }}, \
         control.smtproutes | force = [\"elsewhere.example:127.0.0.1:{}\"]",
        sink.port()
    );
    let keeper = Keeper::of(office(&fields).file_beside("chain.pem", certificate.chain()));
    keeper.set("emmy", EMMY.password);
    keeper.set("web", &certificate.key);
    keeper
}

/// A site whose mail for others goes to a relay.
fn sender(relay: &Running, listener: &str, digest: &str) -> Keeper {
    sender_to("127.0.0.1", relay.port(listener), digest)
}

fn sender_to(host: &str, port: u16, digest: &str) -> Keeper {
    let fields = format!(
        "smtp.smarthost = {{ host = \"{host}\", port = {port}, user = \"{}\", password.secret = \"relay\", \
         spki_sha256 = \"{digest}\" }}",
        EMMY.user
    );
    let keeper = Keeper::of(office(&fields));
    keeper.set("emmy", EMMY.password);
    keeper.set("relay", EMMY.password);
    keeper
}

fn send(node: &Running, subject: &str) {
    let said = submit(node, "submissions", EMMY, &[FRIEND], &message(EMMY.user, FRIEND, subject, "hello"));
    assert_eq!(said.code, 250, "{said:?}");
}

fn run(keeper: &Keeper, data: &Path) -> Running {
    let node = keeper.run(data);
    assert!(!node.log().contains("W0301") && !node.log().contains("W0390"), "{}", node.log());
    node
}

#[test]
fn mail_leaves_through_a_smarthost_that_asks_for_a_login_and_has_a_certificate_of_the_sites_own() {
    let sink = Sink::listen("127.0.0.1:0", Verdict::Accept);
    for kind in [&["rsa:2048"][..], &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]] {
        let certificate = Certificate::new(kind);
        let (here, there) = (data(), data());
        let at_relay = relay(&certificate, &sink);
        let relay = run(&at_relay, there.path());
        for (listener, version) in [("submissions", "-tls1_3"), ("imaps", "-tls1_2"), ("pop3s", "-tls1_3")] {
            certificate.check_shown(&relay, listener, version);
        }
        let at_sender = sender(&relay, "submission", &certificate.digest());
        let node = run(&at_sender, here.path());
        send(&node, "by smarthost");
        let got = sink.next(PATIENCE);
        assert_eq!((got.from.as_str(), got.to.as_slice()), (EMMY.user, &[FRIEND.to_owned()][..]));
        for running in [&node, &relay] {
            check_unseen(running, EMMY.password);
            check_unseen(running, certificate.line());
        }
        // Both come back with what was delivered before, and no key of another than the site's is shown meanwhile.
        relay.kill_and_see_it_return("keyd");
        certificate.check_shown(&relay, "imaps", "-tls1_3");
        node.kill_and_see_it_return("keyd");
        node.kill_and_see_it_return("remote");
        send(&node, "again");
        assert!(sink.next(PATIENCE).content.contains("Subject: again"));
        assert!(relay.log().contains("event=login service=submission"), "{}", relay.log());
        node.stop();
        relay.stop();
    }
}

/// Takes connections at the address and hands them on to the port.
fn forward(from: &str, to: u16) {
    let listener = TcpListener::bind(from).unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let pairs = [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)];
            for (mut reader, mut writer) in pairs {
                thread::spawn(move || {
                    let _ = io::copy(&mut reader, &mut writer);
                    let _ = writer.shutdown(Shutdown::Write);
                });
            }
        }
    });
}

#[test]
fn on_port_465_encryption_begins_with_the_connection() {
    if !inside("on_port_465_encryption_begins_with_the_connection") {
        return;
    }
    let mut ip = Command::new("ip");
    let _ = finish(ip.args(["address", "add", "192.0.2.9/32", "dev", "lo"]), PATIENCE).success();
    let sink = Sink::listen("127.0.0.1:0", Verdict::Accept);
    let certificate = Certificate::new(&["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let (here, there) = (data(), data());
    let relay = run(&relay(&certificate, &sink), there.path());
    forward("192.0.2.9:465", relay.port("submissions"));
    let node = run(&sender_to("192.0.2.9", 465, &certificate.digest()), here.path());
    send(&node, "implicitly");
    assert!(sink.next(PATIENCE).content.contains("Subject: implicitly"));
    node.stop();
    relay.stop();
}

#[test]
fn a_password_is_told_to_the_smarthost_that_has_the_key_and_to_nobody_else() {
    let sink = Sink::listen("127.0.0.1:0", Verdict::Accept);
    let certificate = Certificate::new(&["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let (here, there) = (data(), data());
    let relay = run(&relay(&certificate, &sink), there.path());
    let node = run(&sender(&relay, "submission", &"0f".repeat(32)), here.path());
    send(&node, "to an impostor");
    node.await_log(&["event=deferred", "could not log in"], PATIENCE);
    node.stop();
    let log = relay.stop();
    assert!(!log.contains("event=login"), "{log}");
    assert!(sink.already().is_none());
}

#[test]
fn what_was_not_delivered_is_said_and_mail_waits() {
    let sink = Sink::listen("127.0.0.1:0", Verdict::Accept);
    let certificate = Certificate::new(&["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let (here, there) = (data(), data());
    let at_relay = relay(&certificate, &sink);
    let relay = at_relay.run_without(there.path());
    assert!(relay.log().contains("the key of the certificate"), "{}", relay.log());
    assert!(status(&relay).contains("the key of the site's certificate was not delivered"), "{}", status(&relay));
    let keeper = sender(&relay, "submission", &certificate.digest());
    let node = keeper.run_without(here.path());
    assert!(node.log().contains("the password at the smarthost"), "{}", node.log());
    // remote asks for the password when it is up, and says what came of it.
    eventually("status names the password", PATIENCE, || status(&node).contains("mail for others waits").then_some(()));
    node.stop();
    relay.stop();
}
