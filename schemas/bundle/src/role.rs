//! The node's roles and the users they run as.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A service of the node. A final `d` means that it waits to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// PID 1: mounts, supervises, hands over descriptors.
    Init,
    /// DHCP and addresses.
    Netd,
    /// Holds private keys and signs with them.
    Keyd,
    /// Answers operators.
    Controld,
    /// Receives mail: ports 25, 465, 587.
    Smtpd,
    /// The one writer of the queue.
    Queued,
    /// Sends mail to other hosts.
    Remote,
    /// Delivers to mailboxes.
    Local,
    /// Mailbox access by IMAP.
    Imapd,
    /// Mailbox access by POP3.
    Pop3d,
    /// Users, passwords, routes.
    Directoryd,
    /// ClamAV's scanner.
    Clamd,
    /// ClamAV's signature updater.
    Freshclam,
}

impl Role {
    /// Every role, in the order in which `init` starts them.
    pub const ALL: [Self; 13] = [
        Self::Init,
        Self::Netd,
        Self::Keyd,
        Self::Directoryd,
        Self::Queued,
        Self::Local,
        Self::Remote,
        Self::Clamd,
        Self::Freshclam,
        Self::Smtpd,
        Self::Imapd,
        Self::Pop3d,
        Self::Controld,
    ];

    /// The name on the command line of `postkiln-node` and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Netd => "netd",
            Self::Keyd => "keyd",
            Self::Controld => "controld",
            Self::Smtpd => "smtpd",
            Self::Queued => "queued",
            Self::Remote => "remote",
            Self::Local => "local",
            Self::Imapd => "imapd",
            Self::Pop3d => "pop3d",
            Self::Directoryd => "directoryd",
            Self::Clamd => "clamd",
            Self::Freshclam => "freshclam",
        }
    }
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

/// The Unix users of the node. The ids are fixed: data on disk outlives an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the users")]
pub enum User {
    Root,
    Net,
    Keys,
    Control,
    Smtp,
    Queue,
    Remote,
    Mail,
    Directory,
    Clamav,
}

impl User {
    /// Every user, for the image's `/etc/passwd`.
    pub const ALL: [Self; 10] = [
        Self::Root,
        Self::Net,
        Self::Keys,
        Self::Control,
        Self::Smtp,
        Self::Queue,
        Self::Remote,
        Self::Mail,
        Self::Directory,
        Self::Clamav,
    ];

    /// The name in `/etc/passwd`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Net => "net",
            Self::Keys => "keys",
            Self::Control => "control",
            Self::Smtp => "smtp",
            Self::Queue => "queue",
            Self::Remote => "remote",
            Self::Mail => "mail",
            Self::Directory => "directory",
            Self::Clamav => "clamav",
        }
    }

    /// User and group id.
    #[must_use]
    pub const fn id(self) -> u32 {
        match self {
            Self::Root => 0,
            Self::Net => 201,
            Self::Keys => 202,
            Self::Control => 203,
            Self::Smtp => 204,
            Self::Queue => 205,
            Self::Remote => 206,
            Self::Mail => 207,
            Self::Directory => 208,
            Self::Clamav => 209,
        }
    }
}
