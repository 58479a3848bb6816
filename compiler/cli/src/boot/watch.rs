//! The watch over a machine's console and SMTP port: the output is shown, and the moment is noticed when all is ready.

use std::fs::File;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use postkiln_operation::ready;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::outcome::Failure;

const KNOCK: Duration = Duration::from_millis(100);

/// The watch over one machine.
pub(super) struct Watch {
    console: Box<dyn Write>,
    since: Instant,
    line: Vec<u8>,
    said_ready: watch::Sender<bool>,
    first_220: watch::Receiver<Option<f64>>,
    has_smtp: bool,
}

impl Watch {
    /// Starts the clock; tries this SMTP port until it answers.
    pub(super) fn new(console: Option<&Path>, smtp: Option<u16>) -> Result<Self, Failure> {
        let console: Box<dyn Write> = match console {
            Some(path) => Box::new(
                File::create(path)
                    .map_err(|error| Failure::environment(format!("cannot write {}", path.display()), error))?,
            ),
            None => Box::new(std::io::stderr()),
        };
        let since = Instant::now();
        let (told, first_220) = watch::channel(None);
        if let Some(port) = smtp {
            tokio::spawn(async move {
                while !greets(port).await {
                    sleep(KNOCK).await;
                }
                let _ = told.send(Some(since.elapsed().as_secs_f64()));
            });
        }
        let (said_ready, _) = watch::channel(false);
        Ok(Self { console, since, line: Vec::new(), said_ready, first_220, has_smtp: smtp.is_some() })
    }

    /// Shows output of the console.
    pub(super) fn show(&mut self, bytes: &[u8]) {
        // A closed pipe or a full disk must not end the machine.
        let _ = self.console.write_all(bytes).and_then(|()| self.console.flush());
        for octet in bytes {
            match octet {
                b'\n' => {
                    if String::from_utf8_lossy(&self.line).trim() == ready::CONSOLE {
                        self.said_ready.send_replace(true);
                    }
                    self.line.clear();
                }
                other if self.line.len() < 256 => self.line.push(*other),
                _ => {}
            }
        }
    }

    /// Waits until the console has shown the ready line and SMTP has sent its greeting.
    pub(super) fn ready(&self) -> impl Future<Output = ()> + use<> {
        let mut said = self.said_ready.subscribe();
        let mut greeted = self.first_220.clone();
        let has_smtp = self.has_smtp;
        async move {
            let console = said.wait_for(|said| *said).await.is_ok();
            let greeting = !has_smtp || greeted.wait_for(Option::is_some).await.is_ok();
            if !(console && greeting) {
                std::future::pending().await
            }
        }
    }

    /// Seconds from power on to now.
    pub(super) fn seconds(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }

    /// Seconds from power on to the first greeting.
    pub(super) fn first_220(&self) -> Option<f64> {
        *self.first_220.borrow()
    }
}

/// Whether a server sends 220 on this port. QEMU accepts before the machine does, so a connection alone means nothing.
async fn greets(port: u16) -> bool {
    let greeting = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let mut code = [0; 3];
        stream.read_exact(&mut code).await?;
        Ok::<_, std::io::Error>(&code == b"220")
    };
    // A packet that came before the machine's network is resent after one second, then two, four: a new connection is
    // faster.
    timeout(Duration::from_millis(1500), greeting).await.is_ok_and(|greeted| greeted.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn ready_is_the_console_and_the_greeting() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let console = folder.path().join("console");
        let mut watch = Watch::new(Some(&console), Some(port)).unwrap();
        watch.show(b"noise Postkiln: ready\r\nPostkiln: re");
        assert!(!*watch.said_ready.borrow());
        watch.show(b"ady\r\n");
        let mut ready = std::pin::pin!(watch.ready());
        assert!(timeout(Duration::from_millis(20), ready.as_mut()).await.is_err(), "nobody greeted yet");
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.example.org\r\n").await.unwrap();
        ready.await;
        assert!(watch.first_220().is_some());
        assert!(std::fs::read_to_string(&console).unwrap().ends_with("Postkiln: ready\r\n"));
    }
}
