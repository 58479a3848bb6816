//! The head of a message's file: a sealed header of fixed length and the envelope.
//!
//! ```text
//!  0  8  mark and version of the format
//!  8  4  length of the envelope block
//! 12  4  its CRC-32C
//! 16  8  length of the content
//! 24  4  its CRC-32C
//! 28  4  seal: CRC-32C of octets 0 to 27, never zero; zero while the message is being received
//! 32     envelope block: arrival (8, Unix seconds), sender NUL, then each recipient NUL
//! ```
//! Numbers are little-endian. The content follows the envelope block, the journal the content.

use std::time::SystemTime;

use postkiln_address::{Address, ReversePath};
use postkiln_mail::Envelope;

use crate::message::{from_unix_seconds, unix_seconds};
use postkiln_journal::Checksum;

/// The length of the header in octets.
pub(crate) const HEADER: usize = 32;

const MARK: &[u8; 8] = b"PKQUEUE1";

/// The sealed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) envelope_length: u32,
    pub(crate) envelope_sum: u32,
    pub(crate) size: u64,
    pub(crate) content_sum: u32,
}

/// The kinds of files by their first octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Unfinished,
    Sealed(Header),
    Damaged,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MARK);
        bytes[8..12].copy_from_slice(&self.envelope_length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.envelope_sum.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.size.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.content_sum.to_le_bytes());
        let seal = seal(&bytes[..28]);
        bytes[28..].copy_from_slice(&seal.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Head {
        let Some(bytes) = bytes.first_chunk::<HEADER>() else { return Head::Unfinished };
        let (sealed, found) = bytes.split_at(28);
        let Some(found) = number::<4>(found, 0).map(u32::from_le_bytes) else { return Head::Damaged };
        if found == 0 {
            return Head::Unfinished;
        }
        if found != seal(sealed) || !sealed.starts_with(MARK) {
            return Head::Damaged;
        }
        let header = || {
            Some(Self {
                envelope_length: u32::from_le_bytes(number(sealed, 8)?),
                envelope_sum: u32::from_le_bytes(number(sealed, 12)?),
                size: u64::from_le_bytes(number(sealed, 16)?),
                content_sum: u32::from_le_bytes(number(sealed, 24)?),
            })
        };
        header().map_or(Head::Damaged, Head::Sealed)
    }

    /// The offset of the content in octets.
    pub(crate) fn content_offset(&self) -> u64 {
        HEADER as u64 + u64::from(self.envelope_length)
    }
}

/// The envelope block.
pub(crate) fn encode_envelope(arrived: SystemTime, envelope: &Envelope) -> Vec<u8> {
    let mut bytes = unix_seconds(arrived).to_le_bytes().to_vec();
    bytes.extend_from_slice(envelope.sender.to_string().as_bytes());
    bytes.push(0);
    for recipient in &envelope.recipients {
        bytes.extend_from_slice(recipient.to_string().as_bytes());
        bytes.push(0);
    }
    bytes
}

/// The time and the envelope of a block; `None` when the octets are none.
pub(crate) fn decode_envelope(bytes: &[u8]) -> Option<(SystemTime, Envelope)> {
    let (arrived, rest) = bytes.split_first_chunk::<8>()?;
    let mut texts = std::str::from_utf8(rest).ok()?.strip_suffix('\0')?.split('\0');
    let sender = ReversePath::received(texts.next()?).ok()?;
    let recipients = texts.map(|text| Address::received(text).ok()).collect::<Option<Vec<_>>>()?;
    Some((from_unix_seconds(i64::from_le_bytes(*arrived))?, Envelope { sender, recipients }))
}

pub(crate) fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// The checksum with zero replaced by one, since zero means "not sealed".
fn seal(bytes: &[u8]) -> u32 {
    Checksum::of(bytes).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sender: &str, recipients: &[&str]) {
        let envelope = Envelope {
            sender: sender.parse().unwrap(),
            recipients: recipients.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let arrived = from_unix_seconds(1_700_000_000).unwrap();
        let block = encode_envelope(arrived, &envelope);
        assert_eq!(decode_envelope(&block), Some((arrived, envelope)));
        for cut in 0..block.len() {
            let shorter = decode_envelope(&block[..cut]);
            assert!(shorter.is_none_or(|(_, found)| found.recipients.len() < recipients.len()), "cut at {cut}");
        }
    }

    #[test]
    fn envelopes_come_back() {
        check("ada@example.org", &["grace@example.org", "\"a b\"@example.net"]);
        check("", &["grace@example.org"]);
        check("#@[]", &["postmaster@example.org"]);
    }

    #[test]
    fn a_header_with_any_changed_octet_is_not_sealed() {
        let header = Header { envelope_length: 40, envelope_sum: 7, size: 1 << 40, content_sum: 9 };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Head::Sealed(header));
        for at in 0..HEADER {
            let mut changed = bytes;
            changed[at] ^= 0x20;
            assert!(!matches!(Header::decode(&changed), Head::Sealed(_)), "octet {at}");
        }
        assert_eq!(Header::decode(&bytes[..31]), Head::Unfinished);
        assert_eq!(Header::decode(&[0; HEADER]), Head::Unfinished);
    }
}
