//! "Did you mean": the known name nearest to a misspelt one.

/// The nearest of `known` to `name`, when it is near enough to be meant.
#[must_use]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name: String = name.to_lowercase().chars().take(LONGEST).collect();
    let distances = known.iter().map(|candidate| (distance(&name, &candidate.to_lowercase()), *candidate));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong, at least one.
    let allowed = (candidate.chars().count().max(name.chars().count()) / 3).max(1);
    (distance <= allowed && distance < candidate.chars().count()).then_some(candidate)
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
        assert_eq!(nearest(name, &["quota", "password", "aliases", "to"]), expected, "{name}");
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
