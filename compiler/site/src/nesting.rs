//! How deeply the brackets of a text are nested, found before a recursive parser sees it. Brackets in strings
//! and comments do not count.

use postkiln_findings::nickel;

/// The byte at which brackets are nested more deeply than any site needs.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let Some((_, end)) = nickel::piece(bytes, at) {
            at = end.max(at + 1);
            continue;
        }
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return Some(at);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The deepest nesting that is allowed. No site comes near; the evaluator's stack holds some thousands.
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
