//! The order of Debian versions (deb-version(7)): epoch, upstream version, revision.

use std::cmp::Ordering;

/// Compares two versions; `Greater` when `one` is newer.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let (epoch_one, rest_one) = epoch(one);
    let (epoch_other, rest_other) = epoch(other);
    let (up_one, rev_one) = rest_one.rsplit_once('-').unwrap_or((rest_one, ""));
    let (up_other, rev_other) = rest_other.rsplit_once('-').unwrap_or((rest_other, ""));
    epoch_one.cmp(&epoch_other).then_with(|| part(up_one, up_other)).then_with(|| part(rev_one, rev_other))
}

fn epoch(version: &str) -> (u64, &str) {
    version.split_once(':').map_or((0, version), |(epoch, rest)| (epoch.parse().unwrap_or(0), rest))
}

/// Compares alternating runs of non-digits and digits. `~` sorts before the end, the end before letters, letters before
/// others.
fn part(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while !one.is_empty() || !other.is_empty() {
        let (word_one, word_other) = (take(&mut one, false), take(&mut other, false));
        for at in 0..word_one.len().max(word_other.len()) {
            let order = weight(word_one.get(at)).cmp(&weight(word_other.get(at)));
            if order.is_ne() {
                return order;
            }
        }
        let number = |digits: &[u8]| std::str::from_utf8(digits).unwrap_or("").parse::<u128>().unwrap_or(0);
        let order = number(take(&mut one, true)).cmp(&number(take(&mut other, true)));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn take<'t>(text: &mut &'t [u8], digits: bool) -> &'t [u8] {
    let end = text.iter().position(|octet| octet.is_ascii_digit() != digits).unwrap_or(text.len());
    let (head, tail) = text.split_at(end);
    *text = tail;
    head
}

fn weight(octet: Option<&u8>) -> i32 {
    match octet {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_dpkg_sorts_them() {
        let check = |one: &str, other: &str| {
            assert_eq!(compare(one, other), Ordering::Less, "{one} < {other}");
            assert_eq!(compare(other, one), Ordering::Greater, "{other} > {one}");
        };
        check("6.12.107-1", "6.12.117-1");
        check("1.0~rc1-1", "1.0-1");
        check("1.4.3+dfsg-1", "1.4.3+dfsg-1+deb13u1");
        check("20250419", "20250419+deb13u1");
        check("9.9-1", "1:0.1-1");
        check("2.12-9", "2.12-9+deb13u2");
        check("6.12.115+deb13-1", "6.12.115+deb13.1-1");
        assert_eq!(compare("1.0-1", "1.0-1"), Ordering::Equal);
    }
}
