//! Inputs made from other inputs by a few random changes. The random numbers follow from a seed: the same seed gives
//! the same inputs on every machine.

/// A source of changed inputs.
#[derive(Debug)]
pub struct Mutation {
    state: u64,
}

impl Mutation {
    /// Starts a sequence of changes; any seed is good.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed | 1 }
    }

    /// A number below `bound` (xorshift64*, which is good enough for choosing); 0 when `bound` is 0.
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let number = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap_or(0).checked_rem(bound).unwrap_or(0)
    }

    /// One input of the corpus with one to eight changes.
    pub fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let chosen = self.below(corpus.len());
        let mut input = corpus.get(chosen).cloned().unwrap_or_default();
        for _ in 0..=self.below(8) {
            self.change(&mut input, corpus);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let length = self.below(16).min(input.len() - at);
        match self.below(6) {
            0 => {
                if let Some(octet) = input.get_mut(at) {
                    *octet ^= 1 << self.below(8);
                }
            }
            1 => drop(input.drain(at..at + length)),
            2 => {
                let again: Vec<u8> = input.get(at..at + length).unwrap_or_default().to_vec();
                input.splice(at..at, again);
            }
            3 => {
                let token = TOKENS.get(self.below(TOKENS.len())).copied().unwrap_or_default();
                input.splice(at..at + length, token.bytes());
            }
            4 => input.insert(at, u8::try_from(self.below(256)).unwrap_or(0)),
            _ => {
                let other = corpus.get(self.below(corpus.len())).cloned().unwrap_or_default();
                let from = self.below(other.len() + 1);
                let to = (from + self.below(64)).min(other.len());
                input.splice(at..at + length, other.get(from..to).unwrap_or_default().iter().copied());
            }
        }
    }
}

/// Words of the languages that the targets read.
const TOKENS: &[&str] = &[
    "\"",
    "\"\"",
    ",",
    ";",
    "\t",
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "\u{e9}",
    "\u{1f600}",
    "\\u0000",
    "\\ud83d\\ude00",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    "null",
    "true",
    "false",
    "-1",
    "0",
    "1e400",
    "99999999999999999999",
    "0.5",
    "name",
    "full_name",
    "quota",
    "5 GiB",
    "password_hash",
    "$6$salt$",
    "aliases",
    "targets",
    "forward",
    "forward_keep",
    "deny",
    "imap",
    "'reject",
    "'deliver_to",
    "ada",
    "grace",
    "ada@example.org",
    "@",
    "example.org",
    "xn--",
    "..",
    "/",
    "default",
    "-",
    "+",
    "*",
    "#",
    "&",
    "|vdelivermail '' ",
    "|ezmlm-send ",
    ":allow",
    ":deny",
    "RELAYCLIENT=\"\"",
    "=host",
    "1-5.",
    ".\n",
    "::",
    "virtualdomains ",
    "assign ",
    "user ",
    "file ",
    "closed",
    "[secrets.x]",
    "'",
    " = ",
];
/// The largest input, in octets: longer ones find nothing that shorter ones do not.
const LONGEST: usize = 32 << 10;
