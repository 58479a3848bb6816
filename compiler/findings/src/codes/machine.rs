//! E0327, W0305, W0390: the machine, its network, and the programs on it.

use super::{Code, Entry};

codes! {
    TOO_LONG = "E0327" {
        title: "a name is longer than what has to hold it",
        meaning: r#"
            The name can be written in a site, and not where it goes: Linux takes host names of 64 octets, the DNS names of 253
            in labels of 63 (RFC 1035 §2.3.4), file systems file names of 255, SMTP addresses of 254 (RFC 5321 §4.5.3.1.3).
            Without this finding the machine would stop while it starts, or mail would be refused on its way.
        "#,
        wrong: r#"
            let pk = import "postkiln/site.ncl" in
            {
              appliance.hostname = "mail-gateway-for-all-of-the-departments-in-the-building.example.org",
              dns.address = "192.0.2.25",
              domains."example.org".users.ada.password.hash = "$6$…",
            } | pk.Site
        "#,
        right: r#"
            let pk = import "postkiln/site.ncl" in
            {
              appliance.hostname = "mail-gateway.example.org",
              dns.address = "192.0.2.25",
              domains."example.org".users.ada.password.hash = "$6$…",
            } | pk.Site
        "#,
    }
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
