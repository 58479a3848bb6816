//! E0314, E0315, W0302: zones and their records.

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
}
