//! Suggestions for a domain, an address or a quantity that cannot be read: the text without signs that were
//! copied along with it, and, in domains, with letters beyond ASCII in the form that the DNS has (RFC 5890).
//! Start at [`Wanted`].

/// The kind of value that a text was to be: its description alone, or a [`Name`].
pub(super) trait Wanted {
    /// The description, for a sentence: "a size".
    fn called(&self) -> &str;

    /// Another way to write the text, when there is one; the caller judges whether that one is valid.
    fn meant(&self, text: &str) -> Option<String>;
}

impl Wanted for &str {
    fn called(&self) -> &str {
        self
    }

    fn meant(&self, text: &str) -> Option<String> {
        meant(text)
    }
}

/// A text that is, or begins with, a domain; by its description.
pub(super) struct Name(pub(super) &'static str);

impl Wanted for Name {
    fn called(&self) -> &str {
        self.0
    }

    fn meant(&self, text: &str) -> Option<String> {
        meant_name(text)
    }
}

/// Of an address the domain is put into the DNS's form: a local part has no such form.
fn meant(text: &str) -> Option<String> {
    let tidy = tidied(text);
    let Some((local, domain)) = tidy.rsplit_once('@') else { return other(tidy.to_owned(), text) };
    other(format!("{local}@{}", a_labels(domain)?), text)
}

fn meant_name(text: &str) -> Option<String> {
    other(a_labels(tidied(text))?, text)
}

fn other(better: String, text: &str) -> Option<String> {
    (better != text).then_some(better)
}

/// The text without signs that were copied along with it.
fn tidied(text: &str) -> &str {
    let tidy = text.trim();
    // "Ada Lovelace <ada@example.org>", as a mail program copies it.
    let tidy = tidy.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>')).unwrap_or(tidy);
    let tidy = ["mailto:", "https://", "http://"].iter().find_map(|scheme| tidy.strip_prefix(scheme)).unwrap_or(tidy);
    tidy.trim_end_matches(['.', '/', ',', ';'])
}

fn a_labels(domain: &str) -> Option<String> {
    Some(domain.split('.').map(a_label).collect::<Option<Vec<_>>>()?.join("."))
}

/// A label as the DNS has it. `None` for signs that would have to be put together first (RFC 5891 §5.3, NFC).
fn a_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    let lower: Vec<char> = label.chars().flat_map(char::to_lowercase).collect();
    if lower.iter().any(|letter| COMBINING.contains(letter) || !letter.is_alphanumeric() && *letter != '-') {
        return None;
    }
    punycode(&lower).map(|code| format!("xn--{code}"))
}

/// The encoding procedure of RFC 3492 §6.3.
fn punycode(label: &[char]) -> Option<String> {
    let mut code: String = label.iter().filter(|letter| letter.is_ascii()).collect();
    let basic = u32::try_from(code.len()).ok()?;
    if basic > 0 {
        code.push('-');
    }
    let (mut next, mut delta, mut bias, mut handled) = (128_u32, 0_u32, 72_u32, basic);
    while (handled as usize) < label.len() {
        let smallest = label.iter().map(|letter| u32::from(*letter)).filter(|point| *point >= next).min()?;
        delta = delta.checked_add((smallest - next).checked_mul(handled + 1)?)?;
        next = smallest;
        for point in label.iter().map(|letter| u32::from(*letter)) {
            if point < next {
                delta += 1;
            } else if point == next {
                put(&mut code, delta, bias)?;
                bias = adapted(delta, handled + 1, handled == basic);
                (delta, handled) = (0, handled + 1);
            }
        }
        (delta, next) = (delta + 1, next + 1);
    }
    Some(code)
}

/// A number with digits of growing weight.
fn put(code: &mut String, mut number: u32, bias: u32) -> Option<()> {
    for weight in (BASE..).step_by(BASE as usize) {
        let threshold = weight.saturating_sub(bias).clamp(1, 26);
        if number < threshold {
            break;
        }
        code.push(digit(threshold + (number - threshold) % (BASE - threshold))?);
        number = (number - threshold) / (BASE - threshold);
    }
    code.push(digit(number)?);
    Some(())
}

fn digit(number: u32) -> Option<char> {
    let letter = u8::try_from(number).ok()?;
    Some(char::from(if letter < 26 { b'a' + letter } else { b'0' + letter - 26 }))
}

/// The bias adaptation of RFC 3492 §6.1.
const fn adapted(delta: u32, handled: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / handled;
    let mut bias = 0;
    while delta > 455 {
        delta /= BASE - 1;
        bias += BASE;
    }
    bias + BASE * delta / (delta + 38)
}

const BASE: u32 = 36;
/// The Unicode block Combining Diacritical Marks.
const COMBINING: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(meant(text).as_deref(), expected, "{text}");
    }

    fn check_name(text: &str, expected: Option<&str>) {
        assert_eq!(meant_name(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn what_was_copied_along_is_left_out() {
        check("example.org", None);
        check("example.org.", Some("example.org"));
        check(" ada@example.org ", Some("ada@example.org"));
        check("Ada Lovelace <ada@example.org>", Some("ada@example.org"));
        check("mailto:ada@example.org", Some("ada@example.org"));
        check("https://example.org/", Some("example.org"));
        check("", None);
    }

    #[test]
    fn letters_beyond_ascii_are_written_as_in_the_dns() {
        check_name("b\u{fc}cher.example", Some("xn--bcher-kva.example"));
        check_name("B\u{dc}CHER.Example", Some("xn--bcher-kva.Example"));
        check("ada@\u{4f8b}\u{5b50}.example", Some("ada@xn--fsqu00a.example"));
        check_name("\u{440}\u{443}.example", Some("xn--p1ag.example"));
        check_name("bu\u{308}cher.example", None);
    }

    #[test]
    fn a_local_part_has_no_form_in_the_dns() {
        check("j\u{fc}rgen", None);
        check("j\u{fc}rgen.m\u{fc}ller ", Some("j\u{fc}rgen.m\u{fc}ller"));
        check("j\u{fc}rgen@b\u{fc}cher.example", Some("j\u{fc}rgen@xn--bcher-kva.example"));
    }
}
