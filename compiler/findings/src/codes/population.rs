//! E0250 to E0261, W0250: files of people and of aliases beside the site.

use super::{Code, Entry};

codes! {
    NOT_TEXT = "E0250" {
        title: "a file of rows is not text in UTF-8",
        meaning: r#"
            Files of people and aliases are plain text in UTF-8, with or without a byte order mark. Spreadsheets offer it as "CSV
            UTF-8"; what they call "Unicode text" is UTF-16.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,Tim\0Lin
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,Tim Lin
        "#,
    }
    UNKNOWN_COLUMN = "E0251" {
        title: "a file of rows has an unknown column",
        meaning: r#"
            The first line of a CSV file, and the names of a JSON object, say which field of a user or an alias a value is. A
            name that nobody reads would be silently without effect.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,fullname
            tim,Tim Lin
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,Tim Lin
        "#,
    }
    COLUMN_TWICE = "E0252" {
        title: "a column or field stands there twice",
        meaning: r#"
            Which of the two should be taken, nobody can know, so the file has to say it once.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.jsonl",
            -- staff.jsonl
            {"name": "tim", "quota": "1 GiB", "quota": "2 GiB"}
        "#,
        right: r#"
            domains."example.org".users_from = "staff.jsonl",
            -- staff.jsonl
            {"name": "tim", "quota": "2 GiB"}
        "#,
    }
    NO_COLUMN = "E0253" {
        title: "a column or value that every row needs is missing",
        meaning: r#"
            A CSV file begins with a line that names its columns. Every user needs a `name`: the part of the address before the
            `@`. Every alias needs a `name` and `targets`.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            tim,Tim Lin
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,Tim Lin
        "#,
    }
    CELLS = "E0254" {
        title: "a row has more or fewer cells than the header",
        meaning: r#"
            An empty value keeps its place between two separators, and a value with a separator in it stands in double quotes;
            else all that follows would land in the wrong column.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,Lin, Tim
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,"Lin, Tim"
        "#,
    }
    QUOTING = "E0255" {
        title: "quotes in a CSV file do not match",
        meaning: r#"
            Either a whole value stands in double quotes, with those within it written twice, or it holds none (RFC 4180).
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,Tim "Timmy" Lin
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,"Tim ""Timmy"" Lin"
        "#,
    }
    CELL = "E0256" {
        title: "a cell does not have the form its column wants",
        meaning: r#"
            A cell is text. Where a site has `true` or `false`, or a number, the text has to be one; a `name` is always a string.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,forward,forward_keep
            tim,tim@elsewhere.example,yes
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,forward,forward_keep
            tim,tim@elsewhere.example,true
        "#,
    }
    NOT_JSON = "E0257" {
        title: "a line of a JSON lines file is no JSON object",
        meaning: r#"
            Each line holds one whole object (RFC 8259): names and strings in double quotes, no comma after the last value.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.jsonl",
            -- staff.jsonl
            {'name': 'tim'}
        "#,
        right: r#"
            domains."example.org".users_from = "staff.jsonl",
            -- staff.jsonl
            {"name": "tim"}
        "#,
    }
    TOO_LARGE = "E0258" {
        title: "a file of rows is larger than any that is meant",
        meaning: r#"
            A value, or a line of JSON, has at most 64 KiB, and a file at most a million rows. A value that long is nearly always a
            quote that is not closed.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,… (70,000 letters)
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,Tim Lin
        "#,
    }
    NO_POPULATION = "E0259" {
        title: "a file that is no population by its name",
        meaning: r#"
            `users_from` and `aliases_from` read files ending in `.csv`, or in `.jsonl`: one JSON object on each line. A table of a
            spreadsheet program has to be saved as CSV; a `.json` file is imported: `users = import "staff.json"`.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.xlsx",
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name
            tim
        "#,
    }
    MORE = "E0260" {
        title: "there are more mistakes of the same kind in a file",
        meaning: r#"
            Of each kind of mistake, the first ten of a file are shown: a wrong column in a large file would bury everything else.
            This says how many there are besides.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,quota
            u1,5
            u2,5
            u3,5
            u4,5
            u5,5
            u6,5
            u7,5
            u8,5
            u9,5
            u10,5
            u11,5
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,quota
            u1,5 GiB
        "#,
    }
    REFINES_NOTHING = "E0261" {
        title: "a cell refines a value that is not there",
        meaning: r#"
            `forward_keep` says whether mail that is forwarded stays in the mailbox too. Without `forward` it means nothing, so one of
            the two is a mistake.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,forward,forward_keep
            tim,,true
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,forward,forward_keep
            tim,tim@elsewhere.example,true
        "#,
    }
    NOBODY = "W0250" {
        title: "a file of rows holds nobody",
        meaning: r#"
            The file has a header and no rows, or no lines at all. Where people leave in bulk this may be meant; it may also be an
            export that went wrong.
        "#,
        wrong: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
        "#,
        right: r#"
            domains."example.org".users_from = "staff.csv",
            -- staff.csv
            name,full_name
            tim,Tim Lin
        "#,
    }
}
