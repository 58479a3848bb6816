//! RCPT (RFC 5321 §4.1.1.3).

use postkiln_address::{Address, LocalPart};
use postkiln_mail::Status;

use crate::context::Context;
use crate::mail::Transaction;
use crate::reply::{Stage, refusal};
use crate::state::{Asking, State};
use crate::{Answer, Question};

pub(crate) fn rcpt(transaction: Transaction, context: &mut Context, address: Address) -> State {
    if transaction.barred {
        let reply = "553 5.7.1 sorry, your envelope sender is in my badmailfrom list (#5.7.1)";
        let patience = context.refuse_recipient(reply);
        return State::Transaction(transaction).after(patience);
    }
    if transaction.recipients.len() >= context.config.limits.max_recipients {
        // RFC 5321 §4.5.3.1.10: the client sends the rest in another transaction. No fault of its.
        context.say("452 4.5.3 too many recipients (#4.5.3)");
        return State::Transaction(transaction);
    }
    let Some(address) = with_suffix(address, context.peer.relay_client.as_deref()) else {
        let patience = context.refuse_recipient("553 5.1.3 sorry, that recipient cannot be relayed (#5.1.3)");
        return State::Transaction(transaction).after(patience);
    };
    context.ask(Question::Recipient { address: address.clone() });
    State::Asking(Asking::Recipient(transaction, address))
}

pub(crate) fn answered(transaction: Transaction, address: Address, context: &mut Context, answer: Answer) -> State {
    let patience = match answer {
        Answer::Accepted => return accept(transaction, address, context),
        Answer::NotOurs if context.may_relay() => return accept(transaction, address, context),
        Answer::NotOurs => {
            context.refuse_recipient("553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
        }
        Answer::Refused(status @ Status(5, ..), text) => context.refuse_recipient(&refusal(Stage::Rcpt, status, &text)),
        Answer::Refused(status, text) => {
            context.say(&refusal(Stage::Rcpt, status, &text));
            return State::Transaction(transaction);
        }
        Answer::Authenticated(_) | Answer::Kept(_) => {
            context.say(&refusal(Stage::Rcpt, Status(4, 3, 0), "internal trouble"));
            return State::Transaction(transaction);
        }
    };
    State::Transaction(transaction).after(patience)
}

fn accept(mut transaction: Transaction, address: Address, context: &mut Context) -> State {
    context.say("250 2.1.5 ok");
    transaction.recipients.push(address);
    State::Transaction(transaction)
}

/// qmail appends the value of `RELAYCLIENT` to every recipient. With a value like `@gateway` the old address becomes the
/// local part.
fn with_suffix(address: Address, suffix: Option<&str>) -> Option<Address> {
    let suffix = match suffix {
        None | Some("") => return Some(address),
        Some(suffix) => suffix,
    };
    let text = format!("{}@{}{suffix}", address.local().as_str(), address.domain());
    let (local, domain) = text.rsplit_once('@')?;
    Some(Address::new(LocalPart::new(local).ok()?, domain.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relayclient_is_appended() {
        let check = |suffix, expected: Option<&str>| {
            let address = "ada@example.org".parse().unwrap();
            assert_eq!(with_suffix(address, suffix).map(|a| a.to_string()).as_deref(), expected, "{suffix:?}");
        };
        check(None, Some("ada@example.org"));
        check(Some(""), Some("ada@example.org"));
        check(Some(".relay.example"), Some("ada@example.org.relay.example"));
        check(Some("@relay"), Some("\"ada@example.org\"@relay"));
        check(Some("@"), None);
    }
}
