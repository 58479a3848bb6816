//! QEMU: finding it and its firmware, its command line, its console, and the power button over QMP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use super::watch::Watch;
use crate::outcome::{Exit, Failure};

const PROGRAM: &str = "qemu-system-x86_64";
/// Debian's names of the UEFI firmware, newest first, with the file of variables that belongs to each.
const OVMF: [(&str, &str); 2] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
];
/// Octets of a disk that `boot` makes: sparse, so it takes only what is written.
pub(super) const NEW_DISK: u64 = 4 << 30;
/// The longest time that services and file system may take to stop, in emulation.
const PATIENCE: Duration = Duration::from_secs(80);
/// The time after which the button is pressed again: a machine that is still starting does not notice it.
const AGAIN: Duration = Duration::from_secs(5);
/// The time to wait for output that is still in QEMU's pipe after its end.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// The firmware that starts the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Firmware {
    /// UEFI, by OVMF
    Uefi,
    /// PC BIOS, by SeaBIOS
    Bios,
}

/// The parts of a machine.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) image: PathBuf,
    pub(super) keep: bool,
    /// The disk in QEMU's notation.
    pub(super) disk: Option<String>,
    pub(super) firmware: Firmware,
    pub(super) memory: String,
    /// Pairs of a port here and a port of the machine.
    pub(super) forwards: Vec<(u16, u16)>,
}

/// A running machine.
pub(super) struct Machine {
    child: Child,
    errors: PathBuf,
    monitor: PathBuf,
}

/// The output of a machine on its serial line.
pub(super) struct Console(tokio::process::ChildStdout);

impl Console {
    /// The next octets. Waits for ever when there are no more, since the end of the process is noticed elsewhere.
    pub(super) async fn next(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        match self.0.read(&mut bytes).await {
            Ok(count) if count > 0 => {
                bytes.truncate(count);
                bytes
            }
            _ => std::future::pending().await,
        }
    }
}

/// Reports a missing program or firmware before anything is built.
pub(super) fn find(firmware: Firmware) -> Result<(), Failure> {
    if program(PROGRAM).is_none() {
        return Err(Failure::unavailable(format!("{PROGRAM} is not installed: apt-get install qemu-system-x86 ovmf")));
    }
    if firmware == Firmware::Uefi { ovmf().map(drop) } else { Ok(()) }
}

fn ovmf() -> Result<(&'static str, &'static str), Failure> {
    let found = OVMF.into_iter().find(|(code, variables)| Path::new(code).is_file() && Path::new(variables).is_file());
    found.ok_or_else(|| {
        Failure::unavailable("the UEFI firmware is not installed: apt-get install ovmf; or use --firmware bios")
    })
}

/// A disk in QEMU's notation; a plain file is made when it does not exist.
pub(super) fn disk(named: &str) -> Result<String, Failure> {
    let path = Path::new(named);
    let is_address = named.split_once(':').is_some_and(|(scheme, _)| !scheme.contains('/')) && !path.exists();
    if !is_address && !path.exists() {
        let file = fs::File::create_new(path).and_then(|file| file.set_len(NEW_DISK));
        file.map_err(|error| Failure::environment(format!("cannot make {named}"), error))?;
    }
    Ok(named.to_owned())
}

impl Machine {
    /// Switches the machine on.
    pub(super) fn start(setup: &Setup, scratch: &Path) -> Result<(Self, Console), Failure> {
        let (errors, monitor) = (scratch.join("qemu.log"), scratch.join("monitor"));
        let failed = |error| Failure::environment(format!("cannot start {PROGRAM}"), error);
        let log = fs::File::create(&errors).map_err(failed)?;
        let mut command = leashed();
        command.args(arguments(setup, scratch, &monitor)?);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        let console = child.stdout.take().ok_or_else(|| Failure::unavailable("QEMU has no output"))?;
        Ok((Self { child, errors, monitor }, Console(console)))
    }

    /// Waits for QEMU's end.
    pub(super) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// The process id of QEMU.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The last complaint of QEMU, for the end of a sentence.
    pub(super) fn complaint(&self) -> String {
        let text = fs::read_to_string(&self.errors).unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        if lines.is_empty() { String::new() } else { format!(": {}", lines.join("; ")) }
    }

    /// Presses the power button until the machine is off.
    pub(super) async fn switch_off(&mut self, console: &mut Console, watch: &mut Watch) -> Result<Exit, Failure> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            // A monitor that does not answer is noticed by the deadline.
            let _ = timeout(AGAIN, press(&self.monitor)).await;
            let until = Instant::now() + AGAIN;
            while Instant::now() < until {
                tokio::select! {
                    bytes = console.next() => watch.show(&bytes),
                    status = self.child.wait() => {
                        let status = status.map_err(|error| Failure::environment("cannot attend to the machine", error))?;
                        // The last output of the console is still shown.
                        while let Ok(bytes) = timeout(LAST_WORDS, console.next()).await {
                            watch.show(&bytes);
                        }
                        return super::end(status, self);
                    }
                    () = tokio::time::sleep_until(until) => {}
                }
            }
        }
        Err(self.kill(&format!("it did not switch off within {} s", PATIENCE.as_secs())).await)
    }

    /// Kills QEMU; the machine loses its power.
    pub(super) async fn kill(&mut self, why: &str) -> Failure {
        // Killing fails when QEMU has just ended, which is fine.
        let _ = self.child.kill().await;
        Failure::unavailable(format!("the machine was killed: {why}"))
    }
}

/// QEMU in a process group of its own, because a signal to our group (Control-C, `timeout`) is for us: QEMU would pull
/// the plug. When we are killed, the kernel ends QEMU (`setpriv` of util-linux, which every Debian has). Without that
/// program QEMU stays in our group, so that a signal to the group at least ends both.
fn leashed() -> Command {
    let Some(setpriv) = program("setpriv") else { return Command::new(PROGRAM) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", PROGRAM]).process_group(0);
    command
}

fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Sends `system_powerdown` of the QEMU Machine Protocol: the ACPI power button.
async fn press(monitor: &Path) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(monitor).await?;
    let (reading, mut writing) = stream.split();
    let mut lines = BufReader::new(reading).lines();
    let _greeting = lines.next_line().await?;
    for command in ["qmp_capabilities", "system_powerdown"] {
        writing.write_all(format!("{{\"execute\":\"{command}\"}}\n").as_bytes()).await?;
        // Events may come in between; an answer has one of these keys.
        while let Some(line) = lines.next_line().await? {
            if line.contains("\"return\"") || line.contains("\"error\"") {
                break;
            }
        }
    }
    Ok(())
}

fn arguments(setup: &Setup, scratch: &Path, monitor: &Path) -> Result<Vec<String>, Failure> {
    let mut arguments: Vec<String> = Vec::new();
    let mut put = |option: &str, value: String| arguments.extend([option.to_owned(), value]);
    put("-machine", "q35,accel=tcg".to_owned());
    put("-cpu", "max".to_owned());
    put("-m", setup.memory.clone());
    put("-display", "none".to_owned());
    put("-chardev", "stdio,id=console,signal=off".to_owned());
    put("-serial", "chardev:console".to_owned());
    put("-qmp", format!("unix:{},server=on,wait=off", escaped(&monitor.to_string_lossy())));
    if setup.firmware == Firmware::Uefi {
        let (code, variables) = ovmf()?;
        let own = scratch.join("variables.fd");
        fs::copy(variables, &own)
            .map_err(|error| Failure::environment("cannot copy the firmware's variables", error))?;
        put("-drive", format!("if=pflash,format=raw,unit=0,readonly=on,file={code}"));
        put("-drive", format!("if=pflash,format=raw,unit=1,file={}", escaped(&own.to_string_lossy())));
    }
    let image = escaped(&setup.image.to_string_lossy());
    let snapshot = if setup.keep { "off" } else { "on" };
    put("-drive", format!("if=none,id=system,format=raw,snapshot={snapshot},file={image}"));
    put("-device", "virtio-blk-pci,drive=system,bootindex=1".to_owned());
    if let Some(disk) = &setup.disk {
        put("-drive", format!("if=none,id=data,format=raw,file={}", escaped(disk)));
        put("-device", "virtio-blk-pci,drive=data".to_owned());
    }
    let forwards: Vec<String> =
        setup.forwards.iter().map(|(host, guest)| format!(",hostfwd=tcp:127.0.0.1:{host}-:{guest}")).collect();
    put("-netdev", format!("user,id=net{}", forwards.concat()));
    put("-device", "virtio-net-pci,netdev=net,romfile=".to_owned());
    put("-device", "virtio-rng-pci".to_owned());
    arguments.extend(["-nodefaults".to_owned(), "-no-reboot".to_owned()]);
    Ok(arguments)
}

/// QEMU splits options at commas; a doubled one stands for itself.
fn escaped(text: &str) -> String {
    text.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_and_an_address_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.img");
        assert_eq!(disk(path.to_str().unwrap()).unwrap(), path.to_str().unwrap());
        assert_eq!(fs::metadata(&path).unwrap().len(), NEW_DISK);
        for address in ["nbd:unix:/run/x.sock", "nbd+unix:///?socket=/run/x.sock"] {
            assert_eq!(disk(address).unwrap(), address);
            assert!(!Path::new(address).exists());
        }
    }

    #[test]
    fn commas_in_paths_reach_qemu() {
        let setup = Setup {
            image: PathBuf::from("/a,b.img"),
            keep: false,
            disk: Some("nbd+unix:///?socket=/x,y".to_owned()),
            firmware: Firmware::Bios,
            memory: "1G".to_owned(),
            forwards: vec![(10025, 25), (10143, 143)],
        };
        let line = arguments(&setup, Path::new("/s"), Path::new("/s/monitor")).unwrap().join(" ");
        for part in [
            "snapshot=on,file=/a,,b.img ",
            "file=nbd+unix:///?socket=/x,,y ",
            "user,id=net,hostfwd=tcp:127.0.0.1:10025-:25,hostfwd=tcp:127.0.0.1:10143-:143 ",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(!line.contains("pflash"));
    }
}
