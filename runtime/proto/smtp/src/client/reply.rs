//! [`Replies`]: a server's replies, put together from pieces of input, and the extensions it offers (RFC
//! 5321 §4.2, §4.1.1.1).

use smtp_proto::Error;
use smtp_proto::response::parser::ResponseReceiver;

use super::auth::Mechanisms;

/// A complete reply: code, enhanced status (zeros without one), text with LF between its lines.
pub(crate) type Reply = smtp_proto::Response<String>;

/// Input that is not yet a complete reply.
#[derive(Default)]
pub(crate) struct Replies {
    input: Vec<u8>,
    receiver: ResponseReceiver,
    /// Octets of the reply under way.
    held: usize,
}

/// The server does not speak SMTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unintelligible;

impl Replies {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Takes the next reply. `None`: more input is needed.
    pub(crate) fn next(&mut self) -> Result<Option<Reply>, Unintelligible> {
        let mut rest = self.input.iter();
        let parsed = self.receiver.parse(&mut rest);
        self.held += self.input.len() - rest.len();
        self.input = rest.as_slice().to_vec();
        match parsed {
            // smtp-proto bounds a line, and not how many there are.
            _ if self.held > LONGEST => Err(Unintelligible),
            Ok(reply) => {
                self.receiver.reset();
                self.held = 0;
                Ok(Some(reply))
            }
            Err(Error::NeedsMoreData { .. }) => Ok(None),
            Err(_) => Err(Unintelligible),
        }
    }

    /// Forgets all input, as after STARTTLS (RFC 3207 §4.2).
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl std::fmt::Debug for Replies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replies").field("input", &self.input.len()).finish_non_exhaustive()
    }
}

/// Octets of the longest reply.
const LONGEST: usize = 16 << 10;

/// The extensions of a server that a session uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub(crate) starttls: bool,
    pub(crate) size: bool,
    pub(crate) eight_bit: bool,
    pub(crate) auth: Mechanisms,
}

impl Extensions {
    /// Those in a reply to EHLO: a keyword at the beginning of each line but the first.
    pub(crate) fn offered(hello: &Reply) -> Self {
        let mut offered = Self::default();
        for line in hello.message.lines().skip(1) {
            // Servers of old wrote `AUTH=LOGIN` for clients of old.
            let mut words = line.split([' ', '\t', '=', '\r']);
            let keyword = words.next().unwrap_or_default();
            offered.starttls |= keyword.eq_ignore_ascii_case("STARTTLS");
            offered.size |= keyword.eq_ignore_ascii_case("SIZE");
            offered.eight_bit |= keyword.eq_ignore_ascii_case("8BITMIME");
            if keyword.eq_ignore_ascii_case("AUTH") {
                offered.auth = Mechanisms::offered(words);
            }
        }
        offered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &[(u16, [u8; 3], &str)]) {
        for size in [1, 3, input.len()] {
            let mut replies = Replies::default();
            let mut found = Vec::new();
            for piece in input.as_bytes().chunks(size) {
                replies.push(piece);
                while let Some(reply) = replies.next().unwrap() {
                    found.push((reply.code, reply.esc, reply.message.trim_end().to_owned()));
                }
            }
            let expected: Vec<_> = expected.iter().map(|(code, esc, text)| (*code, *esc, (*text).to_owned())).collect();
            assert_eq!(found, expected, "{input:?} in pieces of {size}");
        }
    }

    #[test]
    fn replies_come_in_pieces() {
        check("220 hi\r\n", &[(220, [0; 3], "hi")]);
        check("250-a\r\n250 b\r\n354 go\r\n", &[(250, [0; 3], "a\nb"), (354, [0; 3], "go")]);
        check("550 5.1.1 nobody\r\n", &[(550, [5, 1, 1], "nobody")]);
        // Servers that end lines with LF alone exist; nothing depends on it here.
        check("250 ok\n", &[(250, [0; 3], "ok")]);
    }

    #[test]
    fn what_is_no_reply_is_noticed() {
        for nonsense in ["hello\r\n", "SSH-2.0-x\r\n", &"250-x\r\n".repeat(4000)] {
            let mut replies = Replies::default();
            replies.push(nonsense.as_bytes());
            assert_eq!(replies.next().map(|reply| reply.is_some()), Err(Unintelligible), "{nonsense:.20}");
        }
    }

    #[test]
    fn extensions_stand_behind_the_first_line() {
        let hello = |text: &str| {
            let mut replies = Replies::default();
            replies.push(text.as_bytes());
            Extensions::offered(&replies.next().unwrap().unwrap())
        };
        assert_eq!(hello("250-size\r\n250 HELP\r\n"), Extensions::default());
        let auth = Mechanisms { plain: true, login: false };
        let all = Extensions { starttls: true, size: true, eight_bit: true, auth };
        assert_eq!(
            hello("250-there\r\n250-8BITMIME\r\n250-size 1000\r\n250-auth GSSAPI plain\r\n250 STARTTLS\r\n"),
            all
        );
        let old = Extensions { auth: Mechanisms { plain: true, login: true }, ..Extensions::default() };
        assert_eq!(hello("250-there\r\n250 AUTH=LOGIN PLAIN\r\n"), old);
    }
}
