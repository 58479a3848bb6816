//! Whether a service can be started, and whether a program that says nothing by itself answers. Knows the line of the
//! service table, not the program. Start at [`obstacle`].

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use postkiln_bundle::{Prerequisite, Program, Readiness, Service};

/// The reason why a service cannot be started now, for `status` and the console.
pub(super) fn obstacle(data: &Path, service: &Service) -> Option<String> {
    let missing = match (&service.program, &service.prerequisite) {
        (Program::External { path, .. }, _) if !Path::new(path).exists() => {
            format!("{} is not installed", service.role)
        }
        (_, Some(wanted)) if !is_there(data, wanted) => format!("no {}", wanted.what),
        _ => return None,
    };
    Some(if service.without.is_empty() { missing } else { format!("{missing}: {}", service.without) })
}

fn is_there(data: &Path, wanted: &Prerequisite) -> bool {
    let Ok(entries) = fs::read_dir(data.join(&wanted.directory)) else { return false };
    let is_wanted = |entry: io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        let ending = path.extension()?.to_str()?;
        wanted.endings.iter().any(|one| one == ending).then_some(())
    };
    entries.filter_map(is_wanted).next().is_some()
}

/// Whether a service whose process runs answers. One that says so itself is not asked.
pub(super) fn answers(data: &Path, readiness: &Readiness) -> bool {
    match readiness {
        Readiness::Says => false,
        Readiness::Runs => true,
        Readiness::Answers { socket, question, reply } => ask(&data.join(socket), question, reply).unwrap_or(false),
    }
}

fn ask(socket: &Path, question: &str, reply: &str) -> io::Result<bool> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(question.as_bytes())?;
    let mut heard = vec![0; reply.len()];
    stream.read_exact(&mut heard)?;
    Ok(heard == reply.as_bytes())
}

/// How long a program may take to answer; it takes microseconds when it answers at all.
const PATIENCE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use postkiln_bundle::Role;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_missing_is_said_with_what_it_means() {
        let data = tempfile::tempdir().unwrap();
        let program = |path: &str| Program::External { path: path.to_owned(), arguments: Vec::new() };
        let prerequisite = Prerequisite {
            directory: "clamav".to_owned(),
            endings: vec!["ndb".to_owned()],
            what: "virus signatures".to_owned(),
        };
        let mut service = Service {
            program: program("/nonexistent"),
            prerequisite: Some(prerequisite),
            without: "mail is deferred".to_owned(),
            ..Service::new(Role::Clamd)
        };
        let obstacle = |service: &Service| super::obstacle(data.path(), service);
        assert_eq!(obstacle(&service).as_deref(), Some("clamd is not installed: mail is deferred"));
        service.program = program("/bin/sh");
        assert_eq!(obstacle(&service).as_deref(), Some("no virus signatures: mail is deferred"));
        fs::create_dir(data.path().join("clamav")).unwrap();
        fs::write(data.path().join("clamav/own.txt"), "").unwrap();
        assert!(obstacle(&service).is_some());
        fs::write(data.path().join("clamav/own.ndb"), "").unwrap();
        assert_eq!(obstacle(&service), None);
        assert_eq!(obstacle(&Service::new(Role::Smtpd)), None);
    }

    #[test]
    fn a_program_answers_when_it_says_what_is_expected() {
        let data = tempfile::tempdir().unwrap();
        let question = |reply: &str| Readiness::Answers {
            socket: "sock".to_owned(),
            question: "zPING\0".to_owned(),
            reply: reply.to_owned(),
        };
        assert!(answers(data.path(), &Readiness::Runs) && !answers(data.path(), &Readiness::Says));
        assert!(!answers(data.path(), &question("PONG\0")));
        let listener = UnixListener::bind(data.path().join("sock")).unwrap();
        let clamd = std::thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 6];
                stream.read_exact(&mut asked).unwrap();
                stream.write_all(b"PONG\0").unwrap();
            }
        });
        assert!(answers(data.path(), &question("PONG\0")) && !answers(data.path(), &question("DONE\0")));
        clamd.join().unwrap();
    }
}
