//! E028x, E035x, W035x: relaying, routes, and the load that the machine can bear.

use super::{Code, Entry};

codes! {
    PASSWORD_IN_SITE = "E0280" {
        title: "a password stands in the site",
        meaning: r#"
            A site is kept in a repository and copied into every bundle, so a password in it is known to everybody who reads
            either. Give the secret a name here, and its value with `postkiln secret set`. A password that stood in a
            repository is better replaced than moved.
        "#,
        wrong: r#"
            smtp.smarthost = { host = "relay.example.net", user = "office", password = "correct horse" },
        "#,
        right: r#"
            smtp.smarthost = { host = "relay.example.net", user = "office", password.secret = "relay" },
        "#,
    }
    HALF_LOGIN = "E0281" {
        title: "a login is half given",
        meaning: r#"
            A server that asks for a login asks for a name and a password. With one of them the connection would be made
            without a login, and the mail refused.
        "#,
        wrong: r#"
            smtp.smarthost = { host = "relay.example.net", user = "office" },
        "#,
        right: r#"
            smtp.smarthost = { host = "relay.example.net", user = "office", password.secret = "relay" },
        "#,
    }
    SAME_NETWORK = "E0350" {
        title: "two rules are about the same clients",
        meaning: r#"
            Of the rules that fit a client the most special one counts, and these two are equally special: tcpserver would
            take the first and never look at the second. Say in one rule what shall hold.
        "#,
        wrong: r#"
            smtp.networks = [
              { from = "192.0.2.0/24", relay = true },
              { from = "192.0.2.", size = "50 MiB" },
            ],
        "#,
        right: r#"
            smtp.networks = [{ from = "192.0.2.0/24", relay = true, size = "50 MiB" }],
        "#,
    }
    ROUTE_LOOP = "E0351" {
        title: "a route leads back to this machine",
        meaning: r#"
            Mail that takes this route comes back and takes it again, until it has collected a hundred `Received` fields and
            is returned. A route names the machine that takes the mail next.
        "#,
        wrong: r#"
            smtp.routes."partner.example" = "mail.example.org",
        "#,
        right: r#"
            smtp.routes."partner.example" = "mail.partner.example",
        "#,
    }
    ROUTE_FOR_OURS = "E0352" {
        title: "a route for a domain of this site is never used",
        meaning: r#"
            Mail for a domain that is declared here is delivered here; routes are asked about the others. To hand a domain's
            mail to another server, take the domain out of `domains`, and add it to `rcpthosts` if strangers may send to it.
        "#,
        wrong: r#"
            smtp.routes."example.org" = "other.example.net",
        "#,
        right: r#"
            smtp.routes."example.com" = "other.example.net",
        "#,
    }
    MACHINE_MEMORY = "E0353" {
        title: "the machine cannot hold its services",
        meaning: r#"
            Counted are the system itself, our services at rest, every client that may be connected at the same time, every
            delivery that may be under way, and ClamAV with its signatures, twice while it reloads beside. What does not
            fit ends with a killed process in the busiest hour. The manual's page `smtp.md` has the figures.
        "#,
        wrong: r#"
            antivirus.engine = 'clamav,
            appliance.memory = "1 GiB",
        "#,
        right: r#"
            antivirus.engine = 'clamav,
            appliance.memory = "3 GiB",
        "#,
    }
    OWN_NETWORK = "E0355" {
        title: "an address of the network cannot be what it is said to be",
        meaning: r#"
            The first and the last address of a network belong to no machine; a gateway, a DNS server or a time server is
            another machine than this one, which runs none of them.
        "#,
        wrong: r#"
            appliance.network = { address = "192.0.2.25/24", gateway = "192.0.2.25", resolvers = ["192.0.2.53"] },
        "#,
        right: r#"
            appliance.network = { address = "192.0.2.25/24", gateway = "192.0.2.1", resolvers = ["192.0.2.53"] },
        "#,
    }
    CERTIFICATE = "E0356" {
        title: "the certificate's file cannot be used",
        meaning: r#"
            The file holds the certificate of this host and then those above it, each between `-----BEGIN CERTIFICATE-----`
            and its end. The private key does not belong there, since the file is copied into every bundle: it is the secret
            that the site names.
        "#,
        wrong: r#"
            tls.certificate = 'own { secret = "tls", chain = "chain.pem" },
            -- chain.pem
            not a certificate
        "#,
        right: r#"
            tls.certificate = 'self_signed,
        "#,
    }
    ACME = "E0357" {
        title: "no authority would give this certificate",
        meaning: r#"
            An authority gives certificates to those who agreed to its terms, for names that everybody can look up. It
            answers on port 80 of the host, which must be reachable from everywhere.
        "#,
        wrong: r#"
            tls.certificate = 'acme { email = "ada@example.org" },
        "#,
        right: r#"
            tls.certificate = 'acme { email = "ada@example.org", agree = true },
        "#,
    }
    OVERRIDDEN = "W0350" {
        title: "a control file overrides another part of the site",
        meaning: r#"
            What stands in `control` is the last word. The value that is written elsewhere has no effect, and whoever changes
            it there will wonder. Keep one of the two.
        "#,
        wrong: r#"
            smtp.size = "50 MiB",
            control.databytes = 10000000,
        "#,
        right: r#"
            smtp.size = "50 MiB",
        "#,
    }
    NOT_INHERITED = "W0351" {
        title: "a special rule leaves out what the wider one gives",
        meaning: r#"
            Of the rules that fit a client the most special one counts alone: nothing is taken over from the wider one. These
            clients may not relay although their network may. Write `relay = true` or `relay = false` to say what is meant.
        "#,
        wrong: r#"
            smtp.networks = [
              { from = "192.0.2.0/24", relay = true },
              { from = "192.0.2.7", size = "100 MiB" },
            ],
        "#,
        right: r#"
            smtp.networks = [
              { from = "192.0.2.0/24", relay = true },
              { from = "192.0.2.7", size = "100 MiB", relay = true },
            ],
        "#,
    }
    WIDE_RELAY = "W0352" {
        title: "a very wide network may relay",
        meaning: r#"
            Every machine in this network may send to anybody in your name, also one that is not yours or has been broken
            into. Name the networks you really have; people are better served by a login.
        "#,
        wrong: r#"
            smtp.networks = [{ from = "10.0.0.0/8", relay = true }],
        "#,
        right: r#"
            smtp.networks = [{ from = "10.20.30.0/24", relay = true }],
        "#,
    }
    DEAD_NETWORK = "W0353" {
        title: "a rule is never used",
        meaning: r#"
            Every client it is about has a more special rule, which counts alone.
        "#,
        wrong: r#"
            smtp.networks = [
              { from = "192.0.2.0/24", size = "50 MiB" },
              { from = "192.0.2.0/25" },
              { from = "192.0.2.128/25" },
            ],
        "#,
        right: r#"
            smtp.networks = [
              { from = "192.0.2.0/24", size = "50 MiB" },
              { from = "192.0.2.0/25" },
            ],
        "#,
    }
    TIGHT_MEMORY = "W0354" {
        title: "the machine holds its services and little else",
        meaning: r#"
            Less than a tenth of the memory would be left in the busiest hour, for files in the cache and for whatever was
            not counted; or less than 256 MiB, which each service may have beyond its share before it is ended: one that
            goes wrong would take memory from the others. The manual's page `smtp.md` has the figures.
        "#,
        wrong: r#"
            antivirus.engine = 'clamav,
            appliance.memory = "1900 MiB",
        "#,
        right: r#"
            antivirus.engine = 'clamav,
            appliance.memory = "3 GiB",
        "#,
    }
    IN_CLEAR = "W0356" {
        title: "something confidential crosses the network in clear",
        meaning: r#"
            Whoever can listen on the way between the two machines reads passwords and names. `'off` is for a server on the
            same machine.
        "#,
        wrong: r#"
            storage.database = 'postgresql { host = "db.example.org", password.secret = "database", tls = 'off },
        "#,
        right: r#"
            storage.database = 'postgresql { host = "db.example.org", password.secret = "database" },
        "#,
    }
    REFUSES_OURS = "W0358" {
        title: "a declared address is refused",
        meaning: r#"
            The address is declared in this site, and a list of bad senders or recipients names it: mail to it, or from it,
            is refused.
        "#,
        wrong: r#"
            smtp.bad_recipients = ["grace@example.org"],
        "#,
        right: r#"
            smtp.bad_recipients = ["former@example.org"],
        "#,
    }
}
