//! The terminals of the grammar (RFC 3501 §9) over one framed command. Every function's doc is its rule.

/// A place in a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

/// The fault of a command, in words for the client.
pub(crate) type Bad = &'static str;

impl<'a> Cursor<'a> {
    pub(crate) const fn new(command: &'a [u8]) -> Self {
        Self { rest: command }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn advance(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Takes this octet, if it is the next.
    pub(crate) fn take(&mut self, octet: u8) -> bool {
        let is_next = self.peek() == Some(octet);
        if is_next {
            self.advance(1);
        }
        is_next
    }

    pub(crate) fn expect(&mut self, octet: u8, otherwise: Bad) -> Result<(), Bad> {
        if self.take(octet) { Ok(()) } else { Err(otherwise) }
    }

    /// `SP`
    pub(crate) fn space(&mut self) -> Result<(), Bad> {
        self.expect(b' ', "a space is missing")
    }

    /// The end of the command.
    pub(crate) const fn end(&self) -> Result<(), Bad> {
        if self.rest.is_empty() { Ok(()) } else { Err("there is more than expected") }
    }

    /// Takes this word, case ignored, if it is the next and ends there.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        let mut ahead = *self;
        let is_next =
            ahead.while_octets(|b| b.is_ascii_alphanumeric() || b == b'.').eq_ignore_ascii_case(word.as_bytes());
        if is_next {
            *self = ahead;
        }
        is_next
    }

    pub(crate) fn while_octets(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self.rest.iter().position(|b| !fits(*b)).unwrap_or(self.rest.len());
        self.advance(count)
    }

    /// `atom = 1*ATOM-CHAR`
    pub(crate) fn atom(&mut self) -> Result<&'a str, Bad> {
        text(self.while_octets(is_atom_char), "an atom is missing")
    }

    /// `tag = 1*<any ASTRING-CHAR except "+">`
    pub(crate) fn tag(&mut self) -> Result<&'a str, Bad> {
        text(self.while_octets(|b| is_astring_char(b) && b != b'+'), "a tag is missing")
    }

    /// `number = 1*DIGIT`, below 2^32.
    pub(crate) fn number(&mut self) -> Result<u32, Bad> {
        let digits = self.while_octets(|b| b.is_ascii_digit());
        text(digits, "a number is missing")?.parse().map_err(|_| "a number is too large")
    }

    /// `number64`, for sizes.
    pub(crate) fn number64(&mut self) -> Result<u64, Bad> {
        let digits = self.while_octets(|b| b.is_ascii_digit());
        text(digits, "a number is missing")?.parse().map_err(|_| "a number is too large")
    }

    /// `nz-number = digit-nz *DIGIT`
    pub(crate) fn nonzero(&mut self) -> Result<u32, Bad> {
        match self.number()? {
            0 => Err("a number must not be 0"),
            number => Ok(number),
        }
    }

    /// `string = quoted / literal`
    pub(crate) fn string(&mut self) -> Result<Vec<u8>, Bad> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(<[u8]>::to_vec),
            _ => Err("a string is missing"),
        }
    }

    /// `astring = 1*ASTRING-CHAR / string`
    pub(crate) fn astring(&mut self) -> Result<Vec<u8>, Bad> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => Ok(text(self.while_octets(is_astring_char), "a string is missing")?.as_bytes().to_vec()),
        }
    }

    /// `nstring = string / nil`
    pub(crate) fn nstring(&mut self) -> Result<Option<Vec<u8>>, Bad> {
        if self.word("NIL") { Ok(None) } else { self.string().map(Some) }
    }

    /// `list-mailbox = 1*list-char / string`
    pub(crate) fn list_mailbox(&mut self) -> Result<Vec<u8>, Bad> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => {
                let pattern = self.while_octets(|b| is_astring_char(b) || matches!(b, b'%' | b'*'));
                Ok(text(pattern, "a pattern is missing")?.as_bytes().to_vec())
            }
        }
    }

    /// `quoted = DQUOTE *QUOTED-CHAR DQUOTE`; 8-bit octets pass, because clients send UTF-8.
    fn quoted(&mut self) -> Result<Vec<u8>, Bad> {
        self.advance(1);
        let mut value = Vec::new();
        loop {
            match self.advance(1) {
                b"\"" => return Ok(value),
                b"\\" => match self.advance(1) {
                    quoted @ (b"\"" | b"\\") => value.extend_from_slice(quoted),
                    _ => return Err("a quoted string has a wrong escape"),
                },
                b"" | b"\r" | b"\n" | b"\0" => return Err("a quoted string does not end"),
                octet => value.extend_from_slice(octet),
            }
        }
    }

    /// `literal = "{" number ["+"] "}" CRLF *CHAR8`
    pub(crate) fn literal(&mut self) -> Result<&'a [u8], Bad> {
        self.expect(b'{', "a literal is missing")?;
        let size = self.number()?;
        self.take(b'+');
        self.expect(b'}', "a literal has no size")?;
        self.take(b'\r');
        self.expect(b'\n', "a literal is not after a line end")?;
        let content = self.advance(usize::try_from(size).map_err(|_| "a literal is too large")?);
        if content.len() as u64 == u64::from(size) { Ok(content) } else { Err("a literal is cut") }
    }

    /// `mailbox = "INBOX" / astring` in modified UTF-7, `/` between levels.
    pub(crate) fn mailbox(&mut self) -> Result<String, Bad> {
        let name = String::from_utf8(self.astring()?).map_err(|_| "a folder name is not modified UTF-7")?;
        Ok(if name.eq_ignore_ascii_case("INBOX") { "INBOX".to_owned() } else { name })
    }

    /// `"(" [x *(SP x)] ")"`
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Bad>) -> Result<Vec<T>, Bad> {
        self.expect(b'(', "a list is missing")?;
        let mut items = Vec::new();
        while !self.take(b')') {
            if !items.is_empty() {
                self.space()?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }
}

fn text(octets: &[u8], otherwise: Bad) -> Result<&str, Bad> {
    std::str::from_utf8(octets).ok().filter(|text| !text.is_empty()).ok_or(otherwise)
}

/// `ATOM-CHAR = <any CHAR except atom-specials>`
fn is_atom_char(octet: u8) -> bool {
    octet.is_ascii_graphic() && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

/// `ASTRING-CHAR = ATOM-CHAR / resp-specials`
pub(crate) fn is_astring_char(octet: u8) -> bool {
    is_atom_char(octet) || octet == b']'
}
