//! LIST and LSUB (RFC 3501 §6.3.8, §6.3.9) with CHILDREN (RFC 3348) and SPECIAL-USE (RFC 6154).

use std::collections::BTreeMap;

use crate::cursor::{Bad, Cursor};
use crate::job::{Context, Job, Reply, Step};
use crate::question::{Answer, Folder, Question};
use crate::wire::mailbox;

/// `list = "LIST" SP mailbox SP list-mailbox`: reference and pattern.
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<(String, String), Bad> {
    cursor.space()?;
    let reference = String::from_utf8(cursor.astring()?).map_err(|_| "a folder name is not modified UTF-7")?;
    cursor.space()?;
    let pattern = String::from_utf8(cursor.list_mailbox()?).map_err(|_| "a pattern is not modified UTF-7")?;
    Ok((reference, pattern))
}

pub(crate) fn list(reference: &str, pattern: &str, subscribed: bool, context: &mut Context) -> Step {
    if pattern.is_empty() {
        // Only the delimiter is asked for.
        context.untagged(&format!("{} (\\Noselect) \"/\" \"\"", name(subscribed)));
        return Step::Reply(Reply::ok("done"));
    }
    let pattern = format!("{reference}{pattern}");
    // An endless pattern would cost time for every name.
    if pattern.len() > 1000 {
        return Step::Reply(Reply::bad("the pattern is too long"));
    }
    Step::Ask(Question::Folders, Box::new(List { pattern, subscribed }))
}

const fn name(subscribed: bool) -> &'static str {
    if subscribed { "LSUB" } else { "LIST" }
}

#[derive(Debug)]
struct List {
    pattern: String,
    subscribed: bool,
}

impl Job for List {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let folders = match answer {
            Answer::Folders(folders) => folders,
            other => return Step::Reply(Reply::other(&other, "NONEXISTENT")),
        };
        let mut out = Vec::new();
        for (folder, here) in hierarchy(&folders, self.subscribed) {
            if !matches(&self.pattern, &folder) {
                continue;
            }
            let attributes = self.attributes(&folder, here);
            let line = format!("* {} ({attributes}) \"/\" {}\r\n", name(self.subscribed), mailbox(&folder));
            out.extend_from_slice(line.as_bytes());
        }
        context.send(out);
        Step::Reply(Reply::ok("done"))
    }
}

/// The things at one name.
#[derive(Clone, Copy, Debug, Default)]
struct Here {
    /// A folder is there (for LSUB: is subscribed), not only one below it.
    selectable: bool,
    children: bool,
}

/// All names with their parents, INBOX first as clients like it.
fn hierarchy(folders: &[Folder], subscribed: bool) -> Vec<(String, Here)> {
    let mut names: BTreeMap<&str, Here> = BTreeMap::new();
    for folder in folders.iter().filter(|folder| if subscribed { folder.subscribed } else { folder.exists }) {
        names.entry(&folder.name).or_default().selectable = true;
        for (at, _) in folder.name.match_indices('/') {
            names.entry(folder.name.get(..at).unwrap_or_default()).or_default().children = true;
        }
    }
    let mut names: Vec<_> = names.into_iter().map(|(name, here)| (name.to_owned(), here)).collect();
    names.sort_by_key(|(name, _)| name != "INBOX");
    names
}

impl List {
    fn attributes(&self, folder: &str, here: Here) -> String {
        if self.subscribed {
            // A name that is only there for those below it (§6.3.9).
            return if here.selectable { String::new() } else { "\\Noselect".to_owned() };
        }
        let children = if here.children { "\\HasChildren" } else { "\\HasNoChildren" };
        let selectable = (!here.selectable).then_some("\\Noselect");
        let special =
            SPECIAL.iter().find(|(name, _)| here.selectable && *name == folder).map(|(_, attribute)| *attribute);
        [Some(children), selectable, special].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Folders with a use, by the names that Maildir++ reserves and clients make.
const SPECIAL: [(&str, &str); 6] = [
    ("Sent", "\\Sent"),
    ("Drafts", "\\Drafts"),
    ("Trash", "\\Trash"),
    ("Junk", "\\Junk"),
    ("Spam", "\\Junk"),
    ("Archive", "\\Archive"),
];

/// Whether a name fits: `*` is anything, `%` anything within one level; INBOX ignores case.
fn matches(pattern: &str, name: &str) -> bool {
    let inbox = name == "INBOX" && matches_octets(pattern.to_ascii_uppercase().as_bytes(), name.as_bytes());
    inbox || matches_octets(pattern.as_bytes(), name.as_bytes())
}

/// Row by row over the pattern: `reached[i]` says that the pattern so far can stand for the first `i` octets
/// of the name.
fn matches_octets(pattern: &[u8], name: &[u8]) -> bool {
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for &sign in pattern {
        let mut next = vec![false; name.len() + 1];
        let mut open = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1).and_then(|at| name.get(at)).copied();
            *slot = match sign {
                b'*' => {
                    open |= here;
                    open
                }
                b'%' => {
                    open = here || (open && before != Some(b'/'));
                    open
                }
                _ => before == Some(sign) && at.checked_sub(1).and_then(|at| reached.get(at)) == Some(&true),
            };
        }
        reached = next;
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*", "A/B", true),
            ("%", "A/B", false),
            ("%", "A", true),
            ("A/%", "A/B", true),
            ("A/%", "A/B/C", false),
            ("A%C", "A/C", false),
            ("*C", "A/B/C", true),
            ("inbox", "INBOX", true),
            ("a", "A", false),
            ("%/%", "A/B", true),
            ("", "A", false),
            ("A*B*C", "AxxBxxC", true),
            ("%%%%%%%%%%%%%%%%%%%%%%%%x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
