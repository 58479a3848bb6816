//! E0365 to E0380, W0365 to W0380: records in the DNS about mail.

use super::{Code, Entry};

codes! {
    TWO_VOICES = "E0365" {
        title: "a setting and a record of the site speak of the same thing",
        meaning: r#"
            A record below `dns.records` takes the place of the one that would be made for the same purpose. When a setting says
            something about it too, one of the two would be passed over silently. Keep the setting, or the record.
        "#,
        wrong: r#"
            domains."example.org".mx = ["mx2.example.net"],
            dns.records."example.org" = [{ name = "@", type = 'MX, value = "10 mail.example.org." }],
        "#,
        right: r#"
            domains."example.org".mx = ["mx2.example.net"],
        "#,
    }
    ALIAS_TARGET = "E0366" {
        title: "a mail exchanger, name server or service is an alias",
        meaning: r#"
            MX, NS and SRV records name a machine that has addresses, never a CNAME (RFC 2181 §10.3, RFC 2782): some senders give
            up there, and name servers refuse the zone.
        "#,
        wrong: r#"
            dns.records."example.org" = [
              { name = "@", type = 'MX, value = "10 mx" },
              { name = "mx", type = 'CNAME, value = "mail.example.org." },
            ],
        "#,
        right: r#"
            dns.records."example.org" = [{ name = "@", type = 'MX, value = "10 mail.example.org." }],
        "#,
    }
    NULL_MX = "E0367" {
        title: "a null MX contradicts what stands beside it",
        meaning: r#"
            `0 .` says that a name takes no mail at all (RFC 7505). It stands alone, and not at a domain that this site takes mail
            for.
        "#,
        wrong: r#"
            dns.records."example.org" = [{ name = "@", type = 'MX, value = "0 ." }],
        "#,
        right: r#"
            dns.records."example.org" = [{ name = "www", type = 'MX, value = "0 ." }],
        "#,
    }
    TARGET_TWICE = "E0368" {
        title: "a mail exchanger or name server stands twice",
        meaning: r#"
            The same machine stands twice among the MX or NS records of a name, with two preferences or in two settings. The
            appliance is the first exchanger of its domains without being named; `mx` has the further ones.
        "#,
        wrong: r#"
            domains."example.org".mx = ["mail.example.org"],
        "#,
        right: r#"
            domains."example.org".mx = ["mx2.example.net"],
        "#,
    }
    SPF_TERMS = "E0369" {
        title: "an SPF record cannot be read",
        meaning: r#"
            Receivers that find a term they do not know, a term after `all`, an include without a record behind it or a circle of
            includes treat the whole record as broken (RFC 7208 §4.6): mail is judged as if there were none, or refused.
        "#,
        wrong: r#"
            dns.records."example.org" = [{ name = "news", type = 'TXT, value = "v=spf1 ipv4:192.0.2.7 -all" }],
        "#,
        right: r#"
            dns.records."example.org" = [{ name = "news", type = 'TXT, value = "v=spf1 ip4:192.0.2.7 -all" }],
        "#,
    }
    SPF_EVERYBODY = "E0370" {
        title: "an SPF record lets everybody send",
        meaning: r#"
            `all` without a minus, or with a plus, says that every machine of the world may send mail of the domain. That helps
            those who forge it and nobody else.
        "#,
        wrong: r#"
            dns.records."example.org" = [{ name = "@", type = 'TXT, value = "v=spf1 mx +all" }],
        "#,
        right: r#"
            dns.records."example.org" = [{ name = "@", type = 'TXT, value = "v=spf1 mx -all" }],
        "#,
    }
    DMARC = "E0371" {
        title: "a DMARC record cannot be read",
        meaning: r#"
            A record with a tag or value that DMARC does not know (RFC 7489 §6.3) is read in part or not at all, so the policy you
            wanted does not hold.
        "#,
        wrong: r#"
            dns.records."example.org" = [{ name = "_dmarc", type = 'TXT, value = "v=DMARC1; p=refuse" }],
        "#,
        right: r#"
            domains."example.org".dmarc.policy = 'reject,
        "#,
    }
    DKIM = "E0372" {
        title: "a DKIM record holds no key that anybody takes",
        meaning: r#"
            A record below `_domainkey` holds the public half of a key that signs mail (RFC 6376 §3.6.1). Its key is cut, is not of
            the type it says, or is RSA with fewer than 1024 bits, which receivers must refuse (RFC 8301 §3.2): signatures fail.
        "#,
        wrong: r#"
            dns.records."example.org" = [
              { name = "news._domainkey", type = 'TXT, value = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg==" },
            ],
        "#,
        right: r#"
            dns.records."example.org" = [
              { name = "news._domainkey", type = 'TXT, value = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" },
            ],
        "#,
    }
    TEXT = "E0373" {
        title: "a text does not fit in a TXT record, or has quotes of its own",
        meaning: r#"
            The text of a TXT record is written whole and without quotes; it is cut into strings of 255 octets for you (RFC 1035
            §3.3.14, RFC 7208 §3.3). Quotes that were copied from a zone file would become part of the text. Over 4096 octets
            answers no longer reach everybody.
        "#,
        wrong: r#"
            dns.records."example.org" = [{ name = "news", type = 'TXT, value = "\"v=spf1 \" \"-all\"" }],
        "#,
        right: r#"
            dns.records."example.org" = [{ name = "news", type = 'TXT, value = "v=spf1 -all" }],
        "#,
    }
    WRONG_ZONE = "E0374" {
        title: "a record lies in another zone",
        meaning: r#"
            Each mail domain has a zone of its own, and NS records hand names below a zone to others. What the zone above says
            about such names is not heard (RFC 1034 §4.2.1), but for the addresses of name servers.
        "#,
        wrong: r#"
            domains."sub.example.org".alias_of = "example.org",
            dns.records."example.org" = [{ name = "www.sub", type = 'A, value = "192.0.2.80" }],
        "#,
        right: r#"
            domains."sub.example.org".alias_of = "example.org",
            dns.records."sub.example.org" = [{ name = "www", type = 'A, value = "192.0.2.80" }],
        "#,
    }
    STS_SELF_SIGNED = "E0375" {
        title: "an enforced policy about TLS without a certificate the world trusts",
        meaning: r#"
            With `mta_sts = 'enforce` others send mail only to a server whose certificate an authority vouches for (RFC 8461 §4).
            A self-signed one is none: they would send nothing at all.
        "#,
        wrong: r#"
            domains."example.org".mta_sts = 'enforce,
        "#,
        right: r#"
            domains."example.org".mta_sts = 'enforce,
            tls.certificate = 'acme { email = "ada@example.org", agree = true },
        "#,
    }
    TLSA_KEY = "E0376" {
        title: "a TLSA record without a key that is known",
        meaning: r#"
            The record holds a digest of the certificate's key. The key of a certificate that the node makes or fetches by itself is
            made on the node, so it cannot stand in a zone that is made before. That of an own certificate stands in `secrets.lock`.
        "#,
        wrong: r#"
            dns.tlsa = true,
        "#,
        right: r#"
            dns.tlsa = false,
        "#,
    }
    SPF_PTR = "W0365" {
        title: "an SPF record uses ptr",
        meaning: r#"
            `ptr` asks the world's reverse zones about each sender. RFC 7208 §5.5 says not to publish it: it is slow and unreliable,
            and some receivers skip the record because of it.
        "#,
        wrong: r#"
            dns.records."example.org" = [{ name = "news", type = 'TXT, value = "v=spf1 ptr -all" }],
        "#,
        right: r#"
            dns.records."example.org" = [{ name = "news", type = 'TXT, value = "v=spf1 a:mail.example.org -all" }],
        "#,
    }
    SPF_WITHOUT_US = "W0366" {
        title: "an SPF record does not let the appliance send",
        meaning: r#"
            The domain's SPF record names machines that send its mail, and the appliance is not among them: mail from its own
            users fails SPF. That is right only when all mail leaves by another system.
        "#,
        wrong: r#"
            dns.records."example.org" = [{ name = "@", type = 'TXT, value = "v=spf1 ip4:198.51.100.7 -all" }],
        "#,
        right: r#"
            domains."example.org".spf.addresses = ["198.51.100.7"],
        "#,
    }
    SPF_UNCOUNTED = "W0367" {
        title: "an SPF record is near ten look-ups, not counting those of others",
        meaning: r#"
            Receivers stop after ten look-ups, and those that an included record causes in its turn count too. What other domains
            publish is not asked here, so only you can see whether it is still ten.
        "#,
        wrong: r#"
            domains."example.org".spf.include = [
              "a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "h.example",
            ],
        "#,
        right: r#"
            domains."example.org".spf.include = ["a.example"],
        "#,
    }
    REPORTS_ELSEWHERE = "W0368" {
        title: "DMARC reports go to a domain that has to agree",
        meaning: r#"
            Reports are sent to another domain only when that one says so in its own zone (RFC 7489 §7.1), so that nobody can flood
            strangers with them. Zones of this site get the record by themselves; others need it from whoever keeps them.
        "#,
        wrong: r#"
            domains."example.org".dmarc.reports = "reports@dmarc.example",
        "#,
        right: r#"
            domains."example.org".dmarc.reports = "ada",
        "#,
    }
    DKIM_SHORT = "W0369" {
        title: "a DKIM key is short",
        meaning: r#"
            RSA keys that sign mail should have 2048 bits (RFC 8301 §3.2). Shorter ones are within reach of those who want to forge,
            and some receivers treat them as no signature.
        "#,
        wrong: r#"
            dns.records."example.org" = [
              { name = "old._domainkey", type = 'TXT, value = "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDvh3RVQThnoyhqjPw8AhgE+t4AmVdBfWYbhRrwNoYZCP/bDSmWO+AviL0snlhsweHw1fmjpSRKfc6Qh0CUMxHa3Ul5yoEpaN6XWRuCIbdv7cwswIr/ergVQ85UJtz+reC1PvfM+p+tEnekcLLxmc8HYkNlwH1tlPDo7SsNrvXaMQIDAQAB" },
            ],
        "#,
        right: r#"
            dns.records."example.org" = [
              { name = "new._domainkey", type = 'TXT, value = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" },
            ],
        "#,
    }
    PRIVATE_ADDRESS = "W0370" {
        title: "a zone has an address the world does not reach",
        meaning: r#"
            Addresses of private networks, of the machine itself and of the link mean another machine, or none, wherever else they
            are read. Mail servers of others cannot connect to them.
        "#,
        wrong: r#"
            dns.address = "10.0.0.25",
        "#,
        right: r#"
            dns.address = "192.0.2.25",
        "#,
    }
    STS_TESTING = "W0371" {
        title: "a policy about TLS under test without a certificate the world trusts",
        meaning: r#"
            With `mta_sts = 'testing` others try the certificate and report what is wrong with it (RFC 8461 §5). A self-signed one is
            always wrong, so the test says nothing.
        "#,
        wrong: r#"
            domains."example.org".mta_sts = 'testing,
        "#,
        right: r#"
            domains."example.org".mta_sts = 'testing,
            tls.certificate = 'acme { email = "ada@example.org", agree = true },
        "#,
    }
    TLSA_UNSIGNED = "W0372" {
        title: "a TLSA record counts only in a signed zone",
        meaning: r#"
            Senders obey TLSA records that DNSSEC vouches for and pass over others (RFC 7672 §2.2). The zones made here are not
            signed; many name servers sign what they serve.
        "#,
        wrong: r#"
            dns.tlsa = true,
            tls.certificate = 'own { secret = "tls", chain = "chain.pem" },
            -- chain.pem
            -----BEGIN CERTIFICATE-----
            MIIBqTCCAVCgAwIBAgIUIsMPjioZDg/EfQB2WO/TqF5tnLIwCgYIKoZIzj0EAwIw
            GzEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzAgFw0yNjExMjIxOTA5MTFaGA8y
            MTI2MTAyOTE5MDkxMVowGzEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzBZMBMG
            ByqGSM49AgEGCCqGSM49AwEHA0IABG843ix93q7rvzJ9KeHiPrTBbrnPIBZnK7rP
            YsOHkBfM9Xekq6azb1RYbIsqptw10W6J6Ayrjb+PdHf777IX1cajcDBuMB0GA1Ud
            DgQWBBRTHnItOhajw9+I8DMqAnDPl0pc2DAfBgNVHSMEGDAWgBRTHnItOhajw9+I
            8DMqAnDPl0pc2DAPBgNVHRMBAf8EBTADAQH/MBsGA1UdEQQUMBKCEG1haWwuZXhh
            bXBsZS5vcmcwCgYIKoZIzj0EAwIDRwAwRAIgLz28q1+PzIFFuUUBfYznaCyuKbGW
            ZTOnGnKkN/wSVaMCIEz4Qnji3GyFkmZ9/ZTj12Kvio227Luoq6iGh/c6Ta9q
            -----END CERTIFICATE-----
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."tls"]
            kind = "tls-key"
            version = "0123456789abcdef"
            spki_sha256 = "e1defe37bfcc51010266101a3810edddb0e384b7e41dcbead700ed947ee0f661"
        "#,
        right: r#"
            dns.tlsa = false,
        "#,
    }
    CAA_ACME = "W0373" {
        title: "CAA records forbid the authority that the certificate comes from",
        meaning: r#"
            With CAA records only the authorities they name may issue certificates (RFC 8659 §3), and the one of
            `tls.certificate` is not among them: it will refuse.
        "#,
        wrong: r#"
            dns.caa = ["ca.example"],
            tls.certificate = 'acme { email = "ada@example.org", agree = true },
        "#,
        right: r#"
            dns.caa = ["letsencrypt.org"],
            tls.certificate = 'acme { email = "ada@example.org", agree = true },
        "#,
    }
    SPF_SMARTHOST = "W0374" {
        title: "an SPF record does not name the smarthost",
        meaning: r#"
            Mail of the domain leaves through the smarthost, so others see the smarthost's address, and the domain's SPF record
            tells them to refuse what does not come from the machines it names. Providers say what to include; a server of
            one's own is named by its addresses.
        "#,
        wrong: r#"
            smtp.smarthost = { host = "relay.example.net", port = 25 },
        "#,
        right: r#"
            smtp.smarthost = { host = "relay.example.net", port = 25 },
            domains."example.org".spf.include = ["_spf.example.net"],
        "#,
    }
    SPF_IPV6 = "W0375" {
        title: "mail may leave by IPv6 from an address that SPF does not name",
        meaning: r#"
            With `ipv6 = 'auto` the machine takes an address that the network announces, and calls other servers by IPv6 where
            they have it. No zone can name an address that the site does not, so that mail fails SPF, and large providers refuse
            it. Say which address it is, or do without IPv6.
        "#,
        wrong: r#"
            appliance.ipv6 = 'auto,
            dns.address = "192.0.2.25",
        "#,
        right: r#"
            appliance.ipv6 = 'auto,
            dns.address = "192.0.2.25",
            dns.address6 = "2001:db8::25",
        "#,
    }
    NO_IPV6 = "W0376" {
        title: "the DNS names an IPv6 address, and the machine has no IPv6",
        meaning: r#"
            Others try the IPv6 address first, and wait until they give up, or never come by the other one. Give the machine the
            address, or take it out of the DNS. Beside a fixed IPv4 address there is no IPv6 unless `appliance.ipv6` says so.
        "#,
        wrong: r#"
            appliance.ipv6 = 'none,
            dns.address6 = "2001:db8::25",
        "#,
        right: r#"
            appliance.ipv6 = 'auto,
            dns.address6 = "2001:db8::25",
        "#,
    }
}
