//! The registry: every code of every part of the compiler, one file per subject, numbers in order within each.
//!
//! A code never changes its meaning, and a number is never used again. To add one, write an entry:
//!
//! ```text
//! DANGLING = "E0302" {
//!     title: "a target does not exist",
//!     meaning: "What it means, and why it is refused.",
//!     wrong: r#"a part of a site that gives this finding"#,
//!     right: r#"the same as it should be"#,
//! }
//! ```
//!
//! Examples stand in a site with the domain `example.org`, its users `ada` (postmaster) and `grace`, both with
//! passwords; one that begins with `let` is a whole site. A line `-- staff.csv` begins the content of a file beside the
//! site, and `"$6$…"` stands for a password hash.

use crate::Code;
use crate::code::Entry;
use crate::suggest::distance;

/// Defines constants of one subject, and the list of them.
macro_rules! codes {
    ($($constant:ident = $name:literal {
        title: $title:literal,
        meaning: $meaning:literal,
        wrong: $wrong:literal,
        right: $right:literal $(,)?
    })*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $title, ".")]
            pub const $constant: Code = Code(&Entry {
                name: $name,
                title: $title,
                meaning: $meaning,
                wrong: $wrong,
                right: $right,
            });
        )*

        pub(super) const CODES: &[Code] = &[$($constant),*];
    };
}

/// Declares the modules of all subjects, their constants as this module's, and the list of them.
macro_rules! subjects {
    ($($subject:ident)*) => {
        $(
            mod $subject;
            pub use $subject::*;
        )*

        const SUBJECTS: &[&[Code]] = &[$($subject::CODES),*];
    };
}

subjects! {
    addresses
    decoding
    evaluation
    language
    lists
    machine
    plan
    policy
    population
    publishing
    renames
    secrets
    silencing
    smtp
    space
    zones
}

/// Every code, errors first, by number.
#[must_use]
pub fn all() -> Vec<Code> {
    let mut all: Vec<Code> = SUBJECTS.iter().copied().flatten().copied().collect();
    all.sort();
    all
}

/// The code of this name, with letters of either case.
#[must_use]
pub fn find(name: &str) -> Option<Code> {
    SUBJECTS.iter().copied().flatten().copied().find(|code| code.name().eq_ignore_ascii_case(name))
}

/// The one code that a misspelt name can mean: a sign is wrong, missing, too much, or exchanged with its neighbour.
/// `None` when there are two such codes, since either may be meant.
#[must_use]
pub fn nearest(name: &str) -> Option<Code> {
    let name: String = name.to_uppercase().chars().take(12).collect();
    let mut near = all().into_iter().filter(|code| distance(&name, code.name()) == 1);
    near.next().filter(|_| near.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_given_once_and_in_order() {
        let all = all();
        let twice: Vec<_> = all.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        for subject in SUBJECTS {
            let number = |code: &Code| code.name().get(1..).unwrap_or_default();
            assert!(subject.is_sorted_by_key(|code| (code.severity(), number(code))), "{subject:?}");
        }
    }

    #[test]
    fn every_entry_is_whole() {
        for code in all() {
            let name = code.name();
            let digits = name.trim_start_matches(['E', 'W']);
            assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{name}");
            assert!(!code.title().is_empty() && !code.title().ends_with('.'), "{name}: {}", code.title());
            assert!(code.title().len() <= 72, "{name}: a title fits on a line");
            assert!(code.meaning().len() > 60 && code.meaning().ends_with('.'), "{name}: {}", code.meaning());
            assert!(!code.wrong().is_empty() && !code.right().is_empty() && code.wrong() != code.right(), "{name}");
            assert_eq!(find(&name.to_lowercase()), Some(code));
        }
    }
}
