//! The commands of a list: what mail to one of its addresses brings about. A new command is a file of its own and a
//! line of [`COMMANDS`]; its words must be among those that no other address may have (`schemas/control`, `list.rs`).

use postkiln_address::Address;
use postkiln_control::list::List;
use postkiln_mail::Outcome;

use crate::message::{Message, Outgoing};
use crate::post::Post;

/// The behaviour of a list at some of its addresses.
pub(crate) trait Command: Sync {
    /// The words between the list's name and the address that the command is about: `subscribe` in
    /// `announce-subscribe-ada=example.org`. The empty word is the list's own address.
    fn words(&self) -> &'static [&'static str];

    /// The consequence of a message to such an address.
    fn obey(&self, list: &Listing<'_>, message: &Message<'_>) -> Decision;
}

/// Every command that a list obeys.
const COMMANDS: &[&dyn Command] = &[&Post];

/// A list, as a command sees it.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// The list's own address.
    pub address: &'a Address,
    /// The settings in the bundle.
    pub settings: &'a List,
    /// The address that stands for the list as sender and contact, once it is known.
    pub owner: Option<&'a Address>,
}

/// The consequence of a message to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This message goes out.
    Send(Outgoing),
    /// Somebody has to stand for the list: find out who ([`crate::candidates`]) and ask again.
    OwnerWanted,
    /// The message is dropped for this reason: a refusal would be one more automatic message.
    Ignore(&'static str),
    /// The message is refused.
    Refuse(Outcome),
}

/// The consequence of a message to the address of a list with this word. `None`: the list has no such command.
#[must_use]
pub fn obey(word: &str, list: &Listing<'_>, message: &Message<'_>) -> Option<Decision> {
    let command = COMMANDS.iter().find(|command| command.words().contains(&word))?;
    Some(command.obey(list, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_means_one_command_and_is_kept_free_for_it() {
        let mut words: Vec<&str> = COMMANDS.iter().flat_map(|command| command.words()).copied().collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count, "{words:?}");
        let is_kept = |word: &&str| word.is_empty() || List::is_command("l", &format!("l-{word}"));
        assert!(words.iter().all(is_kept), "{words:?}");
    }

    #[test]
    fn an_unknown_word_is_no_command() {
        crate::message::tests::with_message("ada@example.org", "\n", |message| {
            let (address, settings) = ("l@example.org".parse().unwrap(), List::default());
            let list = Listing { address: &address, settings: &settings, owner: None };
            assert!(obey("frobnicate", &list, message).is_none());
            assert!(obey("", &list, message).is_some());
        });
    }
}
