//! E0270 to E0276, E04xx, W027x, W04xx: secrets, and the file of their versions.

use super::{Code, Entry};

codes! {
    LOCK = "E0270" {
        title: "secrets.lock cannot be read",
        meaning: r#"
            The file beside the site that holds the versions and public halves of its secrets is not TOML, is no ordinary file, or is not
            text. `postkiln secret` writes it; what people leave in it by hand are the marks of a merge.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            <<<<<<< ours
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    LOCK_FORMAT = "E0271" {
        title: "secrets.lock is of another format",
        meaning: r#"
            The first line that is no comment says in which format the file is written. A newer Postkiln has written this one.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 2
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    RECIPIENT = "E0272" {
        title: "a recipient is no public key",
        meaning: r#"
            Those who can open `secrets.age` are named by public keys: `age1…`, as `postkiln secret identity` and `age-keygen` print them,
            or an SSH key as it stands in `id_ed25519.pub`. A private key never belongs into this file.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = ["ada@example.org"]
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    PUBLIC_KEY = "E0273" {
        title: "a public half is no key",
        meaning: r#"
            The public half of a DKIM key is published as it stands here. This one is not what its algorithm takes, so no receiver could
            check a signature with it; RSA keys under 1024 bits are refused by all of them (RFC 8301).
        "#,
        wrong: r#"
            domains."example.org".dkim = { secret = "dkim", algorithm = 'ed25519 },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "ed25519", state = "signing", public = "bm90IGEga2V5" },
            ]
        "#,
        right: r#"
            domains."example.org".dkim = { secret = "dkim", algorithm = 'ed25519 },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "ed25519", state = "signing", public = "e+gjazESZxMVP/5+9xoiw+ayXVEnCFqh9iJjY+nQgQ8=" },
            ]
        "#,
    }
    LOCK_VALUE = "E0274" {
        title: "a value in secrets.lock is malformed",
        meaning: r#"
            Versions have 16 hex digits, digests 64, and days are written as `2026-11-22`. The file is written by `postkiln secret`.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "1"
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    DKIM_STATES = "E0275" {
        title: "the keys of a DKIM secret contradict one another",
        meaning: r#"
            Of the keys of one secret exactly one signs and at most one waits to sign; they are numbered from 1 upwards, and a number is
            never used again, because selectors are made from them. Two branches that both rotated a key end like this when merged.
        "#,
        wrong: r#"
            domains."example.org".dkim = { secret = "dkim", algorithm = 'ed25519 },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "ed25519", state = "signing", public = "e+gjazESZxMVP/5+9xoiw+ayXVEnCFqh9iJjY+nQgQ8=" },
              { number = 2, algorithm = "ed25519", state = "signing", public = "e+gjazESZxMVP/5+9xoiw+ayXVEnCFqh9iJjY+nQgQ8=" },
            ]
        "#,
        right: r#"
            domains."example.org".dkim = { secret = "dkim", algorithm = 'ed25519 },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "ed25519", state = "signing", public = "e+gjazESZxMVP/5+9xoiw+ayXVEnCFqh9iJjY+nQgQ8=" },
              { number = 2, algorithm = "ed25519", state = "published", public = "e+gjazESZxMVP/5+9xoiw+ayXVEnCFqh9iJjY+nQgQ8=" },
            ]
        "#,
    }
    EXPOSED = "E0276" {
        title: "a value or a private key stands in secrets.lock",
        meaning: r#"
            `secrets.lock` is committed and read by everybody. Values belong into `secrets.age`, where `postkiln secret set` puts them,
            and private keys into a file outside the repository. What stood here is known to all who have a copy: replace it.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
            value = "correct horse"
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    MISSING_KEY = "E0401" {
        title: "a key is needed that is not in secrets.lock",
        meaning: r#"
            The site names a secret that must be a key, and the zones or the listeners need its public half, which stands in `secrets.lock`.
            Make the key, or correct the name.
        "#,
        wrong: r#"
            domains."example.org".dkim = { selector = "postkiln", secret = "dkim" },
        "#,
        right: r#"
            domains."example.org".dkim = { selector = "postkiln", secret = "dkim" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "ed25519", state = "signing", public = "e+gjazESZxMVP/5+9xoiw+ayXVEnCFqh9iJjY+nQgQ8=" },
            ]
        "#,
    }
    WRONG_SECRET = "E0402" {
        title: "a secret is of another kind than its use",
        meaning: r#"
            A password, a key for DKIM and a key for TLS are different things. The site uses one where another is needed.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "tls-key"
            version = "0123456789abcdef"
            spki_sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    UNSEALED = "W0270" {
        title: "secrets.age and secrets.lock do not belong together",
        meaning: r#"
            The lock holds the digest of the encrypted file it was written with, and another one lies beside it: one of the two was not
            committed, was taken from another branch, or a command was cut off between writing them. `postkiln secret check` tells which
            secrets differ.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
            -- secrets.age
            of another commit
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    WEAK_KEY = "W0271" {
        title: "a DKIM key is weak",
        meaning: r#"
            RSA keys for DKIM should have 2048 bits (RFC 8301); those of 1024 are still taken by receivers, and some of them give such mail
            a worse mark. Rotating makes a key as it should be.
        "#,
        wrong: r#"
            domains."example.org".dkim = { secret = "dkim", algorithm = 'rsa2048 },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "rsa", state = "signing", public = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/KjD69ehOtmn8sVR2ioUkVqd265vc5siszQlUE4mxRs/AOBuOr1xUElc/BYuFfPa1tKDD+p21vNYf4rchgjIuYpGGmBrZ8KsOwDkrAy7lBqpjCoKlbPJhmYeQaMzGLVteOKQYHtFVNz3zM02tALYa9HCBtdWdGCcFXYTr87MRrQIDAQAB" },
            ]
        "#,
        right: r#"
            domains."example.org".dkim = { secret = "dkim", algorithm = 'rsa2048 },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "rsa", state = "signing", public = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAp3xqROyGOrYsmlI3kdoC/Z6XT7SPFPfJnMx6tFbM0T/rc01fok0R0r1DMK2oq0FYIC7krv0mOqCgaIxfcapgq90pVbAOu9Myh/l/spBm6d86D52dT9pne791wpwgSb+Qs0MJ5MId46AeDgt/IHzVs2jwAW6fxh+5HCo4erOvhyWQrvS5uDsqWlJyWyet8m9erPSPmqs4kbc/jDc2pDuwntOjrXrjxihe5xwD6BNcpJPk+fyV6/AH0JealZqV7BSJxnkOCbU7f2kIFpNY7PYi9vOK+03gmR9HpAo5ffbn3wyNs3e/H+s4TA+BAZlorrYm8b+VKOhqwFH7Gv+IJMDHMQIDAQAB" },
            ]
        "#,
    }
    MISSING_SECRET = "W0401" {
        title: "a secret is named that is not in secrets.lock",
        meaning: r#"
            The site can be compiled without it, since no file needs the value; the node will not have it either. Set its value, or correct
            the name.
        "#,
        wrong: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    UNUSED_SECRET = "W0402" {
        title: "a secret that nothing uses",
        meaning: r#"
            A secret in `secrets.lock` is not named anywhere in the site: it is left over, or a use of it is misspelt.
        "#,
        wrong: r#"
            # Nobody has a password of this name.
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
        right: r#"
            domains."example.org".users.linus.password = { secret = "linus" },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."linus"]
            kind = "password"
            version = "0123456789abcdef"
        "#,
    }
    OTHER_ALGORITHM = "W0403" {
        title: "the DKIM key that signs is not what the site asks for",
        meaning: r#"
            `dkim.algorithm` says what a key is to be, and the one that signs was made otherwise: the site was changed, or the
            key was. Rotating makes a key as asked, publishes it beside the old one, and changes over when you say so.
        "#,
        wrong: r#"
            domains."example.org".dkim = { selector = "postkiln", algorithm = 'rsa2048 },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim.example.org"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "ed25519", state = "signing", public = "e+gjazESZxMVP/5+9xoiw+ayXVEnCFqh9iJjY+nQgQ8=" },
            ]
        "#,
        right: r#"
            domains."example.org".dkim = { selector = "postkiln", algorithm = 'rsa2048 },
            -- secrets.lock
            format = 1
            recipients = []
            [secrets."dkim.example.org"]
            kind = "dkim"
            version = "0123456789abcdef"
            keys = [
              { number = 1, algorithm = "rsa", state = "signing", public = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAp3xqROyGOrYsmlI3kdoC/Z6XT7SPFPfJnMx6tFbM0T/rc01fok0R0r1DMK2oq0FYIC7krv0mOqCgaIxfcapgq90pVbAOu9Myh/l/spBm6d86D52dT9pne791wpwgSb+Qs0MJ5MId46AeDgt/IHzVs2jwAW6fxh+5HCo4erOvhyWQrvS5uDsqWlJyWyet8m9erPSPmqs4kbc/jDc2pDuwntOjrXrjxihe5xwD6BNcpJPk+fyV6/AH0JealZqV7BSJxnkOCbU7f2kIFpNY7PYi9vOK+03gmR9HpAo5ffbn3wyNs3e/H+s4TA+BAZlorrYm8b+VKOhqwFH7Gv+IJMDHMQIDAQAB" },
            ]
        "#,
    }
}
