//! `examples/full`, which has every option of a user and of a domain, in the tables vpopmail's programs read.

use postkiln_tests::Database;

use super::site::{Site, dump};

pub(crate) fn everything_a_site_can_say_arrives(database: &Database) {
    let site = Site::example("full");
    let _ = database.done(site.seed(database));
    let once = dump(database);
    let _ = database.done(site.seed(database));
    assert_eq!(dump(database), once);
    let people = database.done(
        "SELECT pw_name, pw_domain, CASE WHEN pw_passwd = '*' THEN '-' ELSE substr(pw_passwd, 1, 3) END, pw_gid, pw_gecos, pw_shell \
         FROM vpopmail ORDER BY pw_domain, pw_name;",
    );
    assert_eq!(people, PEOPLE);
    let limits = "SELECT domain, maxpopaccounts, maxforwards, defaultquota, defaultmaxmsgcount, disable_pop, disable_smtp, perm_account \
                  FROM limits ORDER BY domain;";
    assert_eq!(database.done(limits), LIMITS);
    assert_eq!(database.done("SELECT alias, domain FROM aliasdomains;"), "example.net|example.org\n");
    let forwards = "SELECT alias, valias_line FROM valias WHERE valias_line LIKE '&%.example' ORDER BY 1, 2;";
    assert_eq!(database.done(forwards), FORWARDS);
    // A seed of an older `generation` is refused.
    let older = Site::of("ada = {}");
    assert!(database.run(older.seed(database)).is_err());
    assert_eq!(dump(database), once);
}

/// Name, domain, beginning of the hash, flags (4096 administrator, 2078 closed, 1 2 4 8 2048 what is
/// denied), name, quota.
const PEOPLE: &str = "\
emmy|club.example|$6$|6147|Emmy Noether|524288000S
sofya|club.example|$6$|2051|Sofya Kovalevskaya|524288000S
ada|example.org|$ar|4096|Ada Lovelace|21474836480S,200000C
alan|example.org|-|0|Alan Turing|5368709120S,50000C
annie|example.org|$6$|6|Annie Easley|5368709120S,50000C
dorothy|example.org|$ar|2048|Dorothy Vaughan|5368709120S,50000C
edsger|example.org|$6$|2078|Edsger Dijkstra|5368709120S,50000C
grace|example.org|-|0|Grace Hopper|5368709120S,50000C
hedy|example.org|$ar|2078|Hedy Lamarr|5368709120S,50000C
joan|example.org|$ar|15|Joan Clarke|5368709120S,50000C
katherine|example.org|$6$|4096|Katherine Johnson|10737418240S,100000C
kathleen|example.org|-|0|Booth, Kathleen|1073741824S,50000C
mary|example.org|$6$|0|Mary Jackson|5368709120S,50000C
postmaster|press.example|-|2062||NOQUOTA
counter|shop.example|$ar|0|The counter|NOQUOTA
";

const LIMITS: &str = "\
club.example|200|0|524288000|0|1|1|0
example.org|50|10|5368709120|50000|0|0|7
press.example|-1|-1|0|0|1|1|7
shop.example|-1|-1|0|0|0|0|7
";

const FORWARDS: &str = "\
alan|&alan@bletchley.example
dorothy|&dorothy@langley.example
mary|&mary@langley.example
postmaster|&counter@shop.example
postmaster|&emmy@club.example
printer|&orders@printer.example
reading.room|&reader@archive.example
sonya|&sofya@club.example
";
