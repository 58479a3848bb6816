//! W0305, W0390: the machine, its network, and the programs on it.

use super::{Code, Entry};

codes! {
    NO_RESOLVER = "W0305" {
        title: "a fixed address without DNS servers",
        meaning: r#"
            The machine has nobody to ask where other domains take their mail: what is sent to them waits in the queue. With
            `'dhcp` the network names its DNS servers; with a fixed address the site does.
        "#,
        wrong: r#"
            appliance.network = { address = "192.0.2.25/24", gateway = "192.0.2.1" },
        "#,
        right: r#"
            appliance.network = { address = "192.0.2.25/24", gateway = "192.0.2.1", resolvers = ["192.0.2.53"] },
        "#,
    }
    NOT_YET = "W0390" {
        title: "the node does not act on an option yet",
        meaning: r#"
            The option is understood, checked and kept in the bundle, and the node of this version behaves as if it were not
            written. The warning is there so that you do not rely on it; it goes away with the version that obeys.
        "#,
        wrong: r#"
            ldap.enabled = true,
        "#,
        right: r#"
            ldap.enabled = false,
        "#,
    }
}
