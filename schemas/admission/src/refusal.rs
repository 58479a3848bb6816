//! Refusals: what the client hears, and what a person is told who asks why.

/// Why a recipient is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `badmailfrom` names the sender.
    BadSender,
    /// `RELAYCLIENT`'s value makes no address of the recipient.
    NotRelayed,
    /// `RBLSMTPD` is set for the client.
    Blocked,
    /// `badrcptto` names the recipient.
    BadRecipient,
    /// The client may not relay, and neither `rcpthosts` nor `morercpthosts` names the domain.
    NotListed,
}

/// A recipient that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason for it.
    pub cause: Cause,
    /// Class, subject and detail of RFC 3463: class 4 for now, class 5 for good.
    pub status: (u8, u16, u16),
    /// The words for the client, in one line.
    pub text: String,
}

impl Refusal {
    /// The refusal with the words that qmail, or the patch that brought the file, has for it.
    pub(crate) fn of(cause: Cause) -> Self {
        let (status, text) = match cause {
            Cause::BadSender => ((5, 7, 1), "sorry, your envelope sender is in my badmailfrom list (#5.7.1)"),
            Cause::NotRelayed => ((5, 1, 3), "sorry, that recipient cannot be relayed (#5.1.3)"),
            Cause::BadRecipient => ((5, 7, 1), "sorry, this recipient is in my badrcptto list (#5.7.1)"),
            Cause::NotListed => ((5, 7, 1), "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
            Cause::Blocked => ((5, 7, 1), "sorry, no mail is taken from you (#5.7.1)"),
        };
        Self { cause, status, text: text.to_owned() }
    }

    /// The meaning of `RBLSMTPD`: nothing when it is empty, for good behind a hyphen, else for now (rblsmtpd(1)).
    #[must_use]
    pub fn blocked(variable: &str) -> Option<Self> {
        let refusal = |class, text: &str| Self { cause: Cause::Blocked, status: (class, 7, 1), text: text.to_owned() };
        match variable.strip_prefix('-') {
            _ if variable.is_empty() => None,
            Some(text) => Some(refusal(5, text)),
            None => Some(refusal(4, variable)),
        }
    }

    /// Whether it may be tried again.
    #[must_use]
    pub const fn is_for_now(&self) -> bool {
        self.status.0 == 4
    }

    /// The words for the person who runs the site: which file or option refuses.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.cause {
            Cause::BadSender => "badmailfrom names the sender".to_owned(),
            Cause::NotRelayed => "RELAYCLIENT makes no address of the recipient".to_owned(),
            Cause::Blocked => format!("`smtp.networks` answers the client: {}", self.text),
            Cause::BadRecipient => "badrcptto names the recipient".to_owned(),
            Cause::NotListed => "rcpthosts does not name the domain".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rblsmtpds_hyphen_is_for_good() {
        let check = |variable: &str, expected: Option<((u8, u16, u16), &str)>| {
            let blocked = Refusal::blocked(variable);
            assert_eq!(blocked.as_ref().map(|refusal| (refusal.status, refusal.text.as_str())), expected, "{variable}");
        };
        check("", None);
        check("-go away", Some(((5, 7, 1), "go away")));
        check("later", Some(((4, 7, 1), "later")));
    }
}
