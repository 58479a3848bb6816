//! How deeply the brackets of a text are nested, found before a recursive parser sees it. Knows only as much of
//! Nickel's and JSON's lexing as keeps brackets in strings and comments from counting.

/// The byte at which brackets are nested more deeply than any site needs.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return Some(at);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' => at = line_end(bytes, at),
            b'"' => at = string_end(bytes, at),
            b'%' => at = multiline_end(bytes, at).unwrap_or(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The end of a comment.
fn line_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| from + length)
}

/// The closing quote of the string that begins at `from`.
fn string_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The last `%` of a string in the form `m%"…"%`, whose signs stand from `from`; `None` when none begins here.
fn multiline_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let signs = rest.iter().take_while(|byte| **byte == b'%').count();
    if rest.get(signs) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(signs + 1, b'%');
    let body = rest.get(signs + 1..)?;
    let length = body.windows(close.len()).position(|window| window == close)?;
    Some(from + signs + 1 + length + signs)
}

/// No site comes near; the evaluator's stack holds some thousands.
const DEEPEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<usize>) {
        assert_eq!(too_deep(text), expected, "{}", text.get(..40).unwrap_or(text));
    }

    #[test]
    fn only_real_brackets_count() {
        check(&"[".repeat(2000), Some(256));
        check(&format!("{}{}", "[".repeat(256), "]".repeat(256)), None);
        check(&"[] ".repeat(2000), None);
        check(&format!("\"{}\"", "[".repeat(2000)), None);
        check(&format!("\"\\\"{}", "[".repeat(2000)), None);
        check(&format!("# {}\n{}", "[".repeat(2000), "(".repeat(257)), Some(2259));
        check(&format!("m%\"{}\"%", "{".repeat(2000)), None);
        check(&format!("m%%\"{}\"% \"%%[", "{".repeat(2000)), None);
        check(&format!("5 % 2{}", "{".repeat(2000)), Some(261));
        check("\"open", None);
        check("m%\"open", None);
    }
}
