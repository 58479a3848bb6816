//! Keeping password hashes out of quoted source lines. Knows the form of hashes, and which findings are about one.

use std::ops::Range;

use crate::{Code, codes};

/// Whether such a finding may point at a password, which is never quoted.
pub(crate) fn is_about(code: Code) -> bool {
    [codes::HASH, codes::RECIPIENT, codes::EXPOSED].contains(&code)
}

/// Replaces the characters of password hashes in a line by `*`, and those of `meant`, the part that a finding about a
/// hash points at.
///
/// A hash is a string that begins with `$`, or one that is given to a field called `hash` or `password`.
pub(crate) fn mask(line: &mut [char], meant: Option<Range<usize>>) {
    let mut hide = Vec::new();
    let mut at = 0;
    while at < line.len() {
        if line.get(at) == Some(&'"') {
            let end = string_end(line, at);
            let begins = line.get(at + 1) == Some(&'$');
            if begins || is_given_to_hash(line.get(..at).unwrap_or_default()) {
                hide.push(at + 1..end);
            }
            at = end;
        }
        at += 1;
    }
    for part in hide {
        within(line, part).fill('*');
    }
    for letter in within(line, meant.unwrap_or_default()).iter_mut().filter(|letter| **letter != '"') {
        *letter = '*';
    }
}

/// A part of the line, as far as the line goes.
fn within(line: &mut [char], part: Range<usize>) -> &mut [char] {
    let end = part.end.min(line.len());
    line.get_mut(part.start.min(end)..end).unwrap_or_default()
}

/// The closing quote of the string that begins at `from`, or the end of the line.
fn string_end(line: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(letter) = line.get(at) {
        match letter {
            '"' => return at,
            '\\' => at += 2,
            _ => at += 1,
        }
    }
    line.len()
}

/// Whether a line so far ends in `hash =`, `"password_hash":`, `password =` or the like.
fn is_given_to_hash(before: &[char]) -> bool {
    let is_between = |letter: &char| letter.is_whitespace() || "=:\"".contains(*letter);
    let length = before.iter().rposition(|letter| !is_between(letter)).map_or(0, |last| last + 1);
    let name = before.get(..length).unwrap_or_default();
    let ends_with = |word: &str| name.iter().rev().copied().take(word.len()).eq(word.chars().rev());
    // A password in the place of a hash is reported as a mistake, and the password itself is not shown.
    ends_with("hash") || ends_with("password")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, meant: Option<Range<usize>>, expected: &str) {
        let mut letters: Vec<char> = line.chars().collect();
        mask(&mut letters, meant);
        assert_eq!(letters.into_iter().collect::<String>(), expected);
    }

    #[test]
    fn hashes_are_never_quoted() {
        check("hash = \"$6$salt$abc\", name = \"Ada\"", None, "hash = \"***********\", name = \"Ada\"");
        check("password.hash = \"secret\",", None, "password.hash = \"******\",");
        check("\"hash\": \"sec\\\"ret\", \"a\": \"b\"", None, "\"hash\": \"********\", \"a\": \"b\"");
        check("let h = \"$argon2id$\u{2026}", None, "let h = \"***********");
        check("let h = \"secret\" in", Some(8..16), "let h = \"******\" in");
        check("quota = \"5 GiB\"", None, "quota = \"5 GiB\"");
        check("hash = \"", None, "hash = \"");
        check("\"password\": \"secret\"", None, "\"password\": \"******\"");
        check("ash = \"no\"", None, "ash = \"no\"");
    }
}
