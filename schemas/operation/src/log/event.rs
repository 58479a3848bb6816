//! The events that the node's programs log, by name. A new event is a line of the table.

use std::fmt;
use std::str::FromStr;

macro_rules! events {
    ($($event:ident = $name:literal: $doc:literal;)+) => {
        /// An event, as the value of `event=` names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Event {
            $(#[doc = $doc] $event,)+
        }

        impl Event {
            /// All events there are, for readers that count or list them.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$event),+];

            /// The name in a log line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$event => $name,)+
                }
            }
        }
    };
}

events! {
    // The life of a message.
    Received = "received": "`smtpd` took a message from a client and passed it to the queue.";
    Accepted = "accepted": "The queue keeps a message on stable storage.";
    Delivered = "delivered": "An attempt reached its recipient.";
    Deferred = "deferred": "An attempt failed and is repeated later, or a client was told to come again.";
    Failed = "failed": "An attempt failed for good.";
    Cut = "cut": "The role that made an attempt ended in the middle of it.";
    End = "end": "A message left the queue: nobody waits for it any more.";
    Bounce = "bounce": "A failure was reported to the sender.";
    TripleBounce = "triple_bounce": "A failure has nobody left to be reported to.";
    Notice = "notice": "A report of failures could not be written; it is tried again.";
    Unreadable = "unreadable": "A report of failures lacks the original, which could not be read.";
    Session = "session": "A conversation with another host ended.";
    List = "list": "A list took a post.";
    ListIgnored = "list_ignored": "A list ignored a message.";
    Respond = "respond": "An autoresponder answered, or had answered already.";

    // Events of the queue and of the messages in it.
    Recovered = "recovered": "The queue was read at a start.";
    Damaged = "damaged": "An entry of the queue makes no sense and was set aside.";
    Forgotten = "forgotten": "A message that nobody was promised was removed.";
    Stuck = "stuck": "An entry of the queue can be neither read nor set aside.";
    Gone = "gone": "A message's file is gone.";
    Mark = "mark": "A recipient could not be marked as done: a restart delivers once more.";
    Remove = "remove": "A finished message could not be removed.";
    Flush = "flush": "An operator made all mail due.";

    // Events of clients that connect to the node.
    Refused = "refused": "A client, a stranger's message or a submission was refused.";
    Broken = "broken": "A client's connection broke.";
    Infected = "infected": "A message with a virus was refused.";
    NotScanned = "not-scanned": "The scanner could not judge a message.";
    Login = "login": "A password was checked.";
    LoginDeferred = "login-deferred": "A password could not be checked.";
    LoginNotRecorded = "login-not-recorded": "The time of a login could not be written.";
    Mailbox = "mailbox": "A mailbox could not be used.";
    Memory = "memory": "The memory of strangers could not be used.";

    // Keys, secrets and users.
    CertificateMade = "certificate-made": "A certificate was made.";
    CertificateKept = "certificate-kept": "A certificate could not be made anew; the old one stays.";
    NoCertificate = "no-certificate": "A role got no certificate and offers no TLS.";
    NotSigned = "not-signed": "Something was not signed.";
    SecretsDelivered = "secrets-delivered": "The site's secrets were taken over.";
    SecretsNotDelivered = "secrets-not-delivered": "The site's secrets could not be taken over.";
    SecretsLost = "secrets-lost": "The kept secrets cannot be opened.";
    HashNotKept = "hash-not-kept": "A password's hash could not be kept.";
    PasswordsNotWritten = "passwords-not-written": "Named passwords could not be written to the database.";
    SeedNotApplied = "seed-not-applied": "The users of the bundle could not be written to the database.";
    CannotSay = "cannot-say": "`directoryd` could not answer a question.";

    // Roles and the change of bundles.
    Started = "started": "A service's process was started.";
    NotStarted = "not-started": "A service's process could not be started.";
    Ready = "ready": "A service answers.";
    Impaired = "impaired": "A directory that services write to cannot be used.";
    Restored = "restored": "A directory that services write to can be used again.";
    ServiceEnded = "service-ended": "A service's process ended.";
    ForbiddenCall = "forbidden-call": "A role was ended for a system call that is not among those of its row: it may have been taken over.";
    OverMemory = "over-memory": "A service was ended because it wanted more memory than its limit.";
    Ended = "ended": "A program of the node ends, and why.";
    Usage = "usage": "A program of the node was called wrongly.";
    Stopping = "stopping": "The node begins to stop.";
    Stopped = "stopped": "The node has stopped.";
    SignalNotSent = "signal-not-sent": "A signal could not be sent.";
    DoorSpoiled = "door-spoiled": "A door between two services was shut down and is made anew.";
    DoorNotRenewed = "door-not-renewed": "A door could not be made anew.";
    CallDropped = "call-dropped": "A call from a neighbour made no sense.";
    Unconfined = "unconfined": "This kernel cannot confine a role.";
    Prepared = "prepared": "A service can use the bundle on offer.";
    BundleApplied = "bundle-applied": "All services run the bundle on offer.";
    BundleRefused = "bundle-refused": "The bundle on offer cannot be used.";
    ChangeRefused = "change-refused": "No bundle can be offered now.";
    ChangeNotFollowed = "change-not-followed": "Services did not say that they run the new bundle.";
    RunsAnotherBundle = "runs-another-bundle": "A service runs another bundle and is started again.";
    StatusNotWritten = "status-not-written": "The status file could not be written.";
    LinesLost = "lines-lost": "Log lines were lost, since nobody took them.";

    // Events of the machine under the services.
    Lease = "lease": "An address was leased or has ended.";
    DhcpNotSent = "dhcp-not-sent": "A question for an address could not be sent.";
    AddressNotRemoved = "address-not-removed": "An address whose lease has ended could not be removed.";
    ResolversNotWritten = "resolvers-not-written": "The name servers could not be written down.";
    ModuleNotLoaded = "module-not-loaded": "A kernel module could not be loaded.";
    SettingRefused = "setting-refused": "The kernel refused a setting.";
    SlotNotMarked = "slot-not-marked": "The boot slot could not be marked as good.";
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Event {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|event| event.name() == name).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_for_one_event() {
        for event in Event::ALL {
            assert_eq!(event.name().parse(), Ok(event));
        }
        assert!("nonsense".parse::<Event>().is_err());
    }
}
