//! The node's roles and the users they run as: two tables. A role's powers are its line of the service table.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $role:ident = $name:literal, $user:ident;)+) => {
        /// A service of the node. A final `d` means that it waits to be asked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Role {
            $($(#[doc = $doc])+ $role,)+
        }

        impl Role {
            /// Every role, in the order in which `init` starts them.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$role),+];

            /// The name on the command line of `postkiln-node` and in logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$role => $name,)+
                }
            }

            /// The user it runs as on the node.
            #[must_use]
            pub const fn user(self) -> User {
                match self {
                    $(Self::$role => User::$user,)+
                }
            }
        }
    };
}

roles! {
    /// PID 1: mounts, supervises, hands over descriptors.
    Init = "init", Root;
    /// DHCP and addresses.
    Netd = "netd", Net;
    /// Holds private keys and signs with them.
    Keyd = "keyd", Keys;
    /// Users, passwords, routes.
    Directoryd = "directoryd", Directory;
    /// The one writer of the queue.
    Queued = "queued", Queue;
    /// Remembers strangers for checks.
    Policyd = "policyd", Policy;
    /// Delivers to mailboxes.
    Local = "local", Mail;
    /// Sends mail to other hosts.
    Remote = "remote", Remote;
    /// The virus scanner of ClamAV.
    Clamd = "clamd", Clamav;
    /// ClamAV's signature updater.
    Freshclam = "freshclam", Clamav;
    /// Receives mail: ports 25, 465, 587.
    Smtpd = "smtpd", Smtp;
    /// Mailbox access by IMAP.
    Imapd = "imapd", Mail;
    /// Mailbox access by POP3.
    Pop3d = "pop3d", Mail;
    /// Answers the questions of operators.
    Controld = "controld", Control;
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| format!("no role is called {text:?}"))
    }
}

macro_rules! users {
    ($($user:ident = $name:literal, $id:literal;)+) => {
        /// The Unix users of the node. The ids are fixed: data on disk outlives an image.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[allow(missing_docs, reason = "the names are the users")]
        pub enum User {
            $($user,)+
        }

        impl User {
            /// Every user, for the image's `/etc/passwd`.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$user),+];

            /// The name in `/etc/passwd`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$user => $name,)+
                }
            }

            /// User and group id.
            #[must_use]
            pub const fn id(self) -> u32 {
                match self {
                    $(Self::$user => $id,)+
                }
            }
        }
    };
}

users! {
    Root = "root", 0;
    Net = "net", 201;
    Keys = "keys", 202;
    Control = "control", 203;
    Smtp = "smtp", 204;
    Queue = "queue", 205;
    Remote = "remote", 206;
    Mail = "mail", 207;
    Directory = "directory", 208;
    Clamav = "clamav", 209;
    Policy = "policy", 210;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_ids_are_given_once_and_printed_as_they_are_parsed() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("{:?}", role.name()));
        }
        let ids: BTreeSet<u32> = User::ALL.iter().map(|user| user.id()).collect();
        assert_eq!(ids.len(), User::ALL.len());
    }
}
