//! Modified UTF-7 (RFC 3501 §5.1.3): how folder names spell what is not ASCII. Only checked here: names pass
//! as they are.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// Whether a name is in the one form the standard allows.
pub(crate) fn is_canonical(name: &str) -> bool {
    decode(name).is_some_and(|text| encode(&text) == name)
}

fn decode(name: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = name;
    while let Some((plain, shifted)) = rest.split_once('&') {
        text.push_str(plain);
        let (inner, after) = shifted.split_once('-')?;
        if inner.is_empty() {
            text.push('&');
        } else {
            let octets = ENGINE.decode(inner).ok()?;
            let units: Vec<u16> =
                octets.chunks(2).map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?))).collect::<Option<_>>()?;
            text.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn encode(text: &str) -> String {
    let mut name = String::new();
    let mut shifted: Vec<u8> = Vec::new();
    let flush = |name: &mut String, shifted: &mut Vec<u8>| {
        if !shifted.is_empty() {
            name.push('&');
            name.push_str(&ENGINE.encode(&*shifted));
            name.push('-');
            shifted.clear();
        }
    };
    for c in text.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut name, &mut shifted);
            name.push(c);
            if c == '&' {
                name.push('-');
            }
        } else {
            shifted.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut name, &mut shifted);
    name
}

const ENGINE: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        for (name, text) in [
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\u{53f0}\u{5317}/\u{65e5}\u{672c}\u{8a9e}"),
            ("A&-B", "A&B"),
            ("&2D3eAA-", "\u{1f600}"),
        ] {
            assert_eq!(decode(name).as_deref(), Some(text));
            assert_eq!(encode(text), name);
            assert!(is_canonical(name));
        }
        for bad in ["&", "&AC4-", "&AGE-", "a\u{e9}", "&U,BTFw-&ZeVnLIqe-", "&!-", "&2D0-"] {
            assert!(!is_canonical(bad), "{bad:?}");
        }
    }
}
