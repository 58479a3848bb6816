//! The interpreter's evaluation errors in words for a person who writes a site and no programs. Knows only the
//! interpreter's texts; a text that is not known here stays as it is.

/// The message and the hint for an error: from its message, the label at the place that is shown, and its notes.
pub(super) fn told(message: &str, label: &str, notes: &[String]) -> (String, Option<String>) {
    let note = notes.first().map(|note| note.trim().trim_end_matches('.').replace('\n', " "));
    let (told, hint) = match message {
        "dynamic type error" => (label.strip_prefix("this expression ").map(|said| format!("this {said}")), note),
        "non mergeable terms" => (Some("a field has two values".to_owned()), Some(MERGE.to_owned())),
        _ if notes.iter().any(|note| is_of_two_lists(note)) => {
            (Some("a list has two values".to_owned()), Some(LISTS.to_owned()))
        }
        "infinite recursion" => (Some("this value needs itself".to_owned()), Some(RECURSION.to_owned())),
        "not a function" => {
            (Some("this is no function, and a value stands behind it".to_owned()), Some(CALL.to_owned()))
        }
        _ if message.starts_with("missing field") => {
            (None, note.map(|note| note.replace("Did you mean", "did you mean")))
        }
        _ if message.starts_with("missing definition for") => (None, Some("give it a value".to_owned())),
        _ if message.starts_with("contract broken by") => (None, note),
        _ => (None, None),
    };
    (told.unwrap_or_else(|| message.to_owned()), hint)
}

/// Whether a note belongs to two lists that met and are not the same.
pub(super) fn is_of_two_lists(note: &str) -> bool {
    note.contains("auto-generated from a merge operation on two arrays")
}

/// The text for a further place of an error.
pub(super) fn beside(label: &str) -> &str {
    match label {
        "expected type" => "the contract",
        "originally merged here" => "merged here with the other one",
        _ if label.starts_with("when combining the definitions") => "the other one",
        _ => label,
    }
}

const MERGE: &str = "remove one, or mark the one that gives way with `| default`";
const LISTS: &str =
    "lists are not joined by themselves: write all of it once, or mark the one that gives way with `| default`";
const RECURSION: &str = "fields, or files, that are made from one another have no value; write one of them out";
const CALL: &str = "between two values stands a comma in a list, `++` between texts, or `=` between name and value";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, label: &str, note: &str, expected: (&str, Option<&str>)) {
        let (message, hint) = told(message, label, &[note.to_owned()]);
        assert_eq!((message.as_str(), hint.as_deref()), expected);
    }

    #[test]
    fn errors_are_told_in_words_of_sites() {
        let label = "this expression has type String, but Number was expected";
        let expected = "this has type String, but Number was expected";
        check("dynamic type error", label, "(+) expects a Number.", (expected, Some("(+) expects a Number")));
        check("dynamic type error", "", "n", ("dynamic type error", Some("n")));
        check("infinite recursion", "", "", ("this value needs itself", Some(RECURSION)));
        let lists = "contract broken by a value        cannot merge unequal arrays";
        let note = "This equality contract was auto-generated from a merge operation on two arrays. Arrays can only";
        check(lists, "applied to this expression", note, ("a list has two values", Some(LISTS)));
        check("something new", "label", "note", ("something new", None));
    }
}
