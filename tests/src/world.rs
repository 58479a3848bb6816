//! A world of its own: a network namespace in which an ordinary user may have ports 25 and 53, with a real name server.
//! Knows nothing about the node.
//!
//! A test that needs it calls [`inside`] first; the test executable is started again, for this one test, by `unshare`.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::{eventually, finish};

/// The environment variable that is set within the namespace.
const MARK: &str = "POSTKILN_TESTS_NAMESPACE";

/// Whether this process is in the namespace already.
#[must_use]
pub fn is_inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Whether this process is in the namespace already. If not, runs the test of this name there and gives `false`; the
/// caller then returns, and has passed.
///
/// # Panics
/// When the test fails there, or no namespace can be had (a kernel that refuses user namespaces to ordinary users).
#[must_use]
pub fn inside(test: &str) -> bool {
    inside_for(test, Duration::from_secs(300))
}

/// Like [`inside`], for a test that takes as long as `limit`.
///
/// # Panics
/// As [`inside`].
#[must_use]
pub fn inside_for(test: &str, limit: Duration) -> bool {
    if is_inside() {
        let _ = finish(Command::new("ip").args(["link", "set", "lo", "up"]), Duration::from_secs(10)).success();
        return true;
    }
    let executable = std::env::current_exe().expect("a test knows where it is");
    // The user keeps its own id: some programs do other things as root. The capabilities count in the namespace only.
    let ended = finish(
        Command::new("unshare")
            .args(["--user", "--map-current-user", "--keep-caps", "--net", "--"])
            .arg(executable)
            .args(["--exact", test, "--nocapture"])
            .env(MARK, "1"),
        limit,
    );
    // The output of the test is worth reading in any case.
    print!("{}", ended.output);
    assert!(ended.status.success(), "in its own network, {test} fails\n{}\n{}", ended.output, ended.errors);
    assert!(ended.output.contains("1 passed"), "{test} did not run in its own network\n{}", ended.output);
    false
}

/// A name server (dnsmasq) on 127.0.0.1:53 with the given options; it ends when dropped.
#[derive(Debug)]
pub struct NameServer(Child);

impl NameServer {
    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    /// When the server does not answer.
    #[must_use]
    pub fn start(options: &[&str]) -> Self {
        let child = Command::new("/usr/sbin/dnsmasq")
            .args(["--keep-in-foreground", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"])
            .args(["--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file", "--local=/#/"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("dnsmasq is installed");
        eventually("the name server answers", Duration::from_secs(10), || {
            std::net::TcpStream::connect("127.0.0.1:53").ok()
        });
        Self(child)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
