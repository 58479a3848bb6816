//! E0314, E0315, W0302, W0377, W0378: zones and their records.

use super::{Code, Entry};

codes! {
    RECORD = "E0314" {
        title: "a DNS record is malformed or contradicts another",
        meaning: r#"
            A name server would refuse the zone, or other mail servers would read it in another way than you: a CNAME beside other
            records (RFC 1034 §3.6.2), an MX that names no host with an address, two SPF records for one name.
        "#,
        wrong: r#"
            dns.records."example.org" = [
              { name = "www", type = 'CNAME, value = "web.example.com." },
              { name = "www", type = 'A, value = "192.0.2.80" },
            ],
        "#,
        right: r#"
            dns.records."example.org" = [{ name = "www", type = 'A, value = "192.0.2.80" }],
        "#,
    }
    SPF = "E0315" {
        title: "an SPF record needs more than ten look-ups",
        meaning: r#"
            Receivers stop after ten terms that ask the DNS (`include`, `a`, `mx`, `ptr`, `exists`, `redirect`) and treat the
            record as broken (RFC 7208 §4.6.4): mail may be refused that it was meant to protect. Use `ip4` and `ip6`, which
            ask nothing.
        "#,
        wrong: r#"
            dns.records."example.org" = [
              { name = "news", type = 'TXT, value = "v=spf1 a:a.example a:b.example a:c.example a:d.example a:e.example a:f.example a:g.example a:h.example a:i.example a:j.example mx -all" },
            ],
        "#,
        right: r#"
            dns.records."example.org" = [
              { name = "news", type = 'TXT, value = "v=spf1 ip4:192.0.2.0/24 mx -all" },
            ],
        "#,
    }
    PLACEHOLDER_ADDRESS = "W0302" {
        title: "no public address is known for the zones",
        meaning: r#"
            The machine gets its address by DHCP, and the site does not say at which address others reach it. Zones are
            written with 192.0.2.1, which is nobody's (RFC 5737), so that a zone published by mistake sends mail to nobody.
        "#,
        wrong: r#"
            appliance.network = 'dhcp,
        "#,
        right: r#"
            appliance.network = 'dhcp,
            dns.address = "192.0.2.25",
        "#,
    }
    SERIALS = "W0377" {
        title: "secondaries will not notice changes of a zone",
        meaning: r#"
            A secondary takes a zone when its serial number is larger than that of the zone it has (RFC 1982). The number of a
            zone is the time of the newest commit that touched the site, where the site's files are as they were committed;
            else what `--serial` says; else the one after that of an earlier bundle, which `--after` names. None of these is
            known, so every bundle gets the number 1, and a secondary keeps the first zone that it saw.
        "#,
        wrong: r#"
            # The site lies in no repository, or was changed since the last commit.
            dns.name_servers = ["ns1.example.net", "ns2.example.net"],
        "#,
        right: r#"
            # Committed, or checked with --serial 2026010100, which grows with each change.
            dns.name_servers = ["ns1.example.net", "ns2.example.net"],
        "#,
    }
    SHALLOW = "W0378" {
        title: "the history is cut off before the site's newest commit",
        meaning: r#"
            The serial number of zones is the time of the newest commit that touched the site. In a clone without the whole
            history (`git clone --depth`) the commit at its end seems to have made everything, so its time says nothing: zones
            get the number 1, and the bundle is another one than that of a whole clone. Fetch the history, or give `--serial`.
        "#,
        wrong: r#"
            # In a clone made with --depth 1:
            dns.publish = true,
        "#,
        right: r#"
            # The same with --serial 2026010100, or after `git fetch --unshallow`:
            dns.publish = true,
        "#,
    }
}
