//! The NBD conversation, and as much of a client as the server's tests need. Section names are those of `doc/proto.md`.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

use super::Cache;

const INIT_PASSWORD: u64 = 0x4e42_444d_4147_4943; // "NBDMAGIC"
const I_HAVE_OPT: u64 = 0x4948_4156_454f_5054; // "IHAVEOPT"
const OPTION_REPLY: u64 = 0x0003_e889_0455_65a9;
const REQUEST: u32 = 0x2560_9513;
const SIMPLE_REPLY: u32 = 0x6744_6698;

const FIXED_NEWSTYLE_NO_ZEROES: u16 = 0b11;
/// The flags `HAS_FLAGS`, `SEND_FLUSH`, `SEND_FUA`, `SEND_WRITE_ZEROES`.
const TRANSMISSION: u16 = 1 | 1 << 2 | 1 << 3 | 1 << 6;

const OPT_EXPORT_NAME: u32 = 1;
const OPT_ABORT: u32 = 2;
const OPT_INFO: u32 = 6;
const OPT_GO: u32 = 7;
const REP_ACK: u32 = 1;
const REP_INFO: u32 = 3;
const REP_ERR_UNSUP: u32 = (1 << 31) + 1;

const CMD_READ: u16 = 0;
const CMD_WRITE: u16 = 1;
const CMD_DISC: u16 = 2;
const CMD_FLUSH: u16 = 3;
const CMD_WRITE_ZEROES: u16 = 6;
const CMD_FLAG_FUA: u16 = 1;

/// The longest request in octets; QEMU sends none that is longer.
const LONGEST: u32 = 32 << 20;

/// Serves one client until it leaves.
pub(super) fn serve(stream: &UnixStream, cache: &Mutex<Cache>) {
    // A client that hangs up, as a killed QEMU does, is the normal end.
    if let Ok(true) = negotiate(stream, cache) {
        while let Ok(true) = transmit(stream, cache) {}
    }
}

/// Fixed newstyle negotiation; true when transmission follows.
fn negotiate(mut stream: &UnixStream, cache: &Mutex<Cache>) -> io::Result<bool> {
    let size = lock(cache).size();
    stream.write_all(&[&INIT_PASSWORD.to_be_bytes()[..], &I_HAVE_OPT.to_be_bytes()].concat())?;
    stream.write_all(&FIXED_NEWSTYLE_NO_ZEROES.to_be_bytes())?;
    let client_flags = u32::from_be_bytes(take(stream)?);
    loop {
        let magic = u64::from_be_bytes(take(stream)?);
        let option = u32::from_be_bytes(take(stream)?);
        let length = u32::from_be_bytes(take(stream)?);
        if magic != I_HAVE_OPT || length > 4096 {
            return Ok(false);
        }
        drop(taken(stream, length)?);
        match option {
            OPT_EXPORT_NAME => {
                stream.write_all(&[&size.to_be_bytes()[..], &TRANSMISSION.to_be_bytes()].concat())?;
                let zeroes = if client_flags & 2 == 0 { 124 } else { 0 };
                stream.write_all(&vec![0; zeroes])?;
                return Ok(true);
            }
            OPT_INFO | OPT_GO => {
                let export = [&0_u16.to_be_bytes()[..], &size.to_be_bytes(), &TRANSMISSION.to_be_bytes()].concat();
                reply(stream, option, REP_INFO, &export)?;
                reply(stream, option, REP_ACK, &[])?;
                if option == OPT_GO {
                    return Ok(true);
                }
            }
            OPT_ABORT => {
                reply(stream, option, REP_ACK, &[])?;
                return Ok(false);
            }
            _ => reply(stream, option, REP_ERR_UNSUP, &[])?,
        }
    }
}

fn reply(mut stream: &UnixStream, option: u32, kind: u32, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?;
    let head = [&OPTION_REPLY.to_be_bytes()[..], &option.to_be_bytes(), &kind.to_be_bytes(), &length.to_be_bytes()];
    stream.write_all(&[&head.concat()[..], payload].concat())
}

/// Serves one request; true when another may follow.
fn transmit(mut stream: &UnixStream, cache: &Mutex<Cache>) -> io::Result<bool> {
    let magic = u32::from_be_bytes(take(stream)?);
    let flags = u16::from_be_bytes(take(stream)?);
    let command = u16::from_be_bytes(take(stream)?);
    let cookie: [u8; 8] = take(stream)?;
    let offset = u64::from_be_bytes(take(stream)?);
    let length = u32::from_be_bytes(take(stream)?);
    if magic != REQUEST || command == CMD_DISC || (length > LONGEST && command != CMD_WRITE_ZEROES) {
        return Ok(false);
    }
    let is_forced = flags & CMD_FLAG_FUA != 0;
    let done = match command {
        CMD_READ => lock(cache).read(offset, u64::from(length)),
        CMD_WRITE => {
            let bytes = taken(stream, length)?;
            lock(cache).write(offset, &bytes, is_forced).map(|()| Vec::new())
        }
        CMD_FLUSH => lock(cache).flush().map(|()| Vec::new()),
        CMD_WRITE_ZEROES => zeroes(cache, offset, length, is_forced).map(|()| Vec::new()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    let error = done.as_ref().err().map_or(0, |error| if error.kind() == io::ErrorKind::InvalidInput { 22 } else { 5 });
    let head = [&SIMPLE_REPLY.to_be_bytes()[..], &u32::to_be_bytes(error), &cookie].concat();
    stream.write_all(&head)?;
    stream.write_all(&done.unwrap_or_default())?;
    Ok(true)
}

fn zeroes(cache: &Mutex<Cache>, offset: u64, length: u32, is_forced: bool) -> io::Result<()> {
    let piece = vec![0; 1 << 20];
    let mut done = 0;
    while done < u64::from(length) {
        let now = usize::try_from(u64::from(length) - done).map_err(io::Error::other)?.min(piece.len());
        lock(cache).write(offset + done, &piece[..now], is_forced)?;
        done += now as u64;
    }
    Ok(())
}

fn lock(cache: &Mutex<Cache>) -> std::sync::MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take<const N: usize>(mut stream: &UnixStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn taken(mut stream: &UnixStream, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A client for the tests of the server.
#[cfg(test)]
pub(super) struct Client {
    stream: UnixStream,
    pub(super) size: u64,
}

#[cfg(test)]
impl Client {
    pub(super) fn connect(socket: &std::path::Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        let greeting: [u8; 18] = take(&stream).unwrap();
        assert_eq!(&greeting[..16], b"NBDMAGICIHAVEOPT");
        (&stream).write_all(&3_u32.to_be_bytes()).unwrap();
        (&stream).write_all(b"IHAVEOPT\0\0\0\x07\0\0\0\x06\0\0\0\0\0\0").unwrap();
        let info: [u8; 20] = take(&stream).unwrap();
        assert_eq!(&info[8..], [0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0, 12]);
        let export: [u8; 12] = take(&stream).unwrap();
        let acknowledgement: [u8; 20] = take(&stream).unwrap();
        assert_eq!(&acknowledgement[12..], [0, 0, 0, 1, 0, 0, 0, 0]);
        Self { stream, size: u64::from_be_bytes(export[2..10].try_into().unwrap()) }
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8], is_forced: bool) {
        assert_eq!(self.request(u16::from(is_forced), CMD_WRITE, offset, bytes.len(), bytes), 0);
    }

    pub(super) fn try_write(&mut self, offset: u64, bytes: &[u8]) -> bool {
        self.request(0, CMD_WRITE, offset, bytes.len(), bytes) == 0
    }

    pub(super) fn flush(&mut self) {
        assert_eq!(self.request(0, CMD_FLUSH, 0, 0, &[]), 0);
    }

    pub(super) fn read(&mut self, offset: u64, length: usize) -> Vec<u8> {
        assert_eq!(self.request(0, CMD_READ, offset, length, &[]), 0);
        taken(&self.stream, u32::try_from(length).unwrap()).unwrap()
    }

    fn request(&mut self, flags: u16, command: u16, offset: u64, length: usize, payload: &[u8]) -> u32 {
        let length = u32::try_from(length).unwrap();
        let head = [&REQUEST.to_be_bytes()[..], &flags.to_be_bytes(), &command.to_be_bytes(), b"a cookie"];
        let tail = [&offset.to_be_bytes()[..], &length.to_be_bytes(), payload];
        self.stream.write_all(&[head.concat(), tail.concat()].concat()).unwrap();
        let answer: [u8; 16] = take(&self.stream).unwrap();
        assert_eq!((&answer[..4], &answer[8..]), (&SIMPLE_REPLY.to_be_bytes()[..], &b"a cookie"[..]));
        u32::from_be_bytes(answer[4..8].try_into().unwrap())
    }
}
