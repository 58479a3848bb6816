//! Numbers and names of things, as sentences have them.

/// A number with its noun: `1 user`, `2 users`.
pub(crate) fn counted(number: usize, word: &str) -> String {
    let ending = match word {
        _ if number == 1 => "",
        "alias" => "es",
        _ => "s",
    };
    format!("{number} {word}{ending}")
}

/// The first few names, and the number of further ones.
pub(crate) fn some<T: AsRef<str>>(names: &[T]) -> String {
    let shown = names.iter().take(MOST_NAMES).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > MOST_NAMES { format!("{shown} and {} more", names.len() - MOST_NAMES) } else { shown }
}

/// The largest number of names in a list of reasons.
const MOST_NAMES: usize = 4;
