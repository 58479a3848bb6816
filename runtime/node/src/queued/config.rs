//! The configuration of `queued` from the control files.

use std::time::Duration;

use postkiln_address::{Address, Domain};
use postkiln_control::{
    Bouncefrom, Bouncehost, Concurrencylocal, Concurrencyremote, Doublebouncehost, Doublebounceto, Locals, Me,
    Queuelifetime, Virtualdomains,
};
use postkiln_queue::{Channel, Limits};
use postkiln_sys::BundleDirectory;

use crate::contents::control;
use crate::error::NodeError;

/// The settings of the role.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    locals: Locals,
    virtual_domains: Virtualdomains,
    local: u32,
    remote: u32,
    lifetime: Duration,
    pub(crate) hostname: Domain,
    /// The author of notices.
    pub(crate) bounce_from: Address,
    /// The address that gets notices which could not be delivered.
    pub(crate) double_bounce_to: Address,
}

impl Config {
    pub(crate) fn read(bundle: &BundleDirectory) -> Result<Self, NodeError> {
        Ok(Self {
            locals: control(bundle)?,
            virtual_domains: control(bundle)?,
            local: control::<Concurrencylocal>(bundle)?.0,
            remote: control::<Concurrencyremote>(bundle)?.0,
            lifetime: Duration::from_secs(control::<Queuelifetime>(bundle)?.0),
            hostname: control::<Me>(bundle)?.0,
            bounce_from: Address::new(control::<Bouncefrom>(bundle)?.0, control::<Bouncehost>(bundle)?.0),
            double_bounce_to: Address::new(
                control::<Doublebounceto>(bundle)?.0,
                control::<Doublebouncehost>(bundle)?.0,
            ),
        })
    }

    /// qmail-send's decision: `locals` before `virtualdomains`, everything else goes out. What is put before a virtual
    /// local part is `directoryd`'s affair: `local` asks it with the address as it was written.
    pub(crate) fn channel(&self, recipient: &Address) -> Channel {
        let ours = self.locals.0.contains(recipient.domain()) || self.virtual_domains.prepend(recipient).is_some();
        if ours { Channel::Local } else { Channel::Remote }
    }

    pub(crate) fn limits(&self) -> Limits {
        let number = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        Limits { local: number(self.local), remote: number(self.remote), lifetime: self.lifetime }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(locals: &str, virtual_domains: &str, recipient: &str, expected: Channel) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("control")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join("control").join(name), text).unwrap();
        write("me", "mail.example.org\n");
        write("locals", locals);
        write("virtualdomains", virtual_domains);
        let config = Config::read(&BundleDirectory::open(directory.path()).unwrap()).unwrap();
        assert_eq!(config.channel(&recipient.parse().unwrap()), expected, "{recipient}");
    }

    #[test]
    fn the_channel_is_chosen_in_qmails_order() {
        let table = "a.example:a.example\n.b.example:b\nbob@c.example:c\nout.b.example:\n";
        check("", table, "x@a.example", Channel::Local);
        check("", table, "x@A.Example", Channel::Local);
        check("", table, "x@sub.b.example", Channel::Local);
        check("", table, "x@b.example", Channel::Remote);
        check("", table, "x@out.b.example", Channel::Remote);
        check("out.b.example\n", table, "x@out.b.example", Channel::Local);
        check("", table, "Bob@c.example", Channel::Local);
        check("", table, "x@c.example", Channel::Remote);
        check("", "", "x@mail.example.org", Channel::Remote);
    }
}
