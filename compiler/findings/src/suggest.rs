//! "Did you mean": the known name nearest to a misspelt one.

/// The nearest of `known` to `name`, when it is near enough to be meant: a third of the letters may be wrong, at least
/// one. Of several the first is taken. There may be very many: a name of another length costs next to nothing.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: String = name.to_lowercase().chars().take(LONGEST).collect();
    let length = name.chars().count();
    let near = known.into_iter().filter_map(|candidate| {
        let letters = candidate.chars().count();
        let allowed = (letters.max(length) / 3).max(1);
        if letters.abs_diff(length) > allowed {
            return None;
        }
        let distance = distance(&name, &candidate.to_lowercase());
        (distance <= allowed && distance < letters).then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// The number of letters to insert, remove, replace, or exchange with their neighbour, to turn one text into the other.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = at(&row, j) + usize::from(a != b);
            let mut best = replaced.min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if i > 0 && j > 0 && Some(a) == other.get(j - 1) && one.get(i - 1) == Some(b) {
                best = best.min(at(&above, j - 1) + 1);
            }
            next.push(best);
        }
        above = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

/// The longest name that is compared, in characters. No field is that long, and the distance takes quadratic time.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<&str>) {
        assert_eq!(nearest(name, ["quota", "password", "aliases", "to"]), expected, "{name}");
    }

    #[test]
    fn near_names_are_suggested() {
        check("quotta", Some("quota"));
        check("qutoa", Some("quota"));
        check("Passwort", Some("password"));
        check("alias", Some("aliases"));
        check("ot", Some("to"));
        check("x", None);
        check("t", Some("to"));
        check("mailbox", None);
        check(&"x".repeat(100_000), None);
    }
}
