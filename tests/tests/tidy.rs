//! Rules that run: who may name whom, headers, sizes, comments, READMEs, where `unsafe` lives. Reads the table in
//! `ARCHITECTURE.md` and the manifests; knows nothing about what the code does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{finish, repository};
use serde_json::Value;

/// A crate as cargo sees it.
struct Member {
    /// The path from the top of the repository: `schemas/address`.
    folder: String,
    /// The names of ours it depends on, in any kind of dependency, as the table writes them: `address`.
    names: BTreeSet<String>,
}

fn members() -> Vec<Member> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository()).args(["metadata", "--no-deps", "--offline", "--format-version=1"]);
    let ended = finish(&mut cargo, Duration::from_secs(60)).success();
    let metadata: Value = serde_json::from_str(&ended.output).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("packages").iter().map(member).collect()
}

fn member(package: &Value) -> Member {
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    let folder = folder_of(manifest.parent().expect("a folder"));
    let ours = |dependency: &Value| dependency["path"].as_str().map(|path| folder_of(Path::new(path)));
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    Member { folder, names: dependencies.iter().filter_map(ours).map(|folder| short(&folder)).collect() }
}

fn folder_of(path: &Path) -> String {
    let root = repository().canonicalize().expect("the repository");
    let path = path.canonicalize().expect("a crate's folder");
    path.strip_prefix(root).expect("in the repository").to_string_lossy().into_owned()
}

fn short(folder: &str) -> String {
    folder.rsplit('/').next().unwrap_or(folder).to_owned()
}

/// The table "Who may name whom".
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(repository().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let section = text.split("## Who may name whom").nth(1).expect("the section").split("\n## ").next().expect("it");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (folder, rest) = row.split_once("` |").expect("a row of two cells");
        let names = rest.trim_end_matches('|').split(',').map(str::trim).filter(|name| !name.is_empty());
        (folder.to_owned(), names.map(ToOwned::to_owned).collect())
    })
    .collect()
}

/// Every file with this ending that git knows or would add.
fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(repository(), &mut found);
    found.retain(|path| path.to_string_lossy().ends_with(ending));
    assert!(!found.is_empty(), "no {ending} at all: the walk is wrong");
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.') || name == "target";
        let kind = entry.file_type().expect("a type");
        match (hidden, kind.is_dir()) {
            (true, _) => {}
            (false, true) => walk(&entry.path(), found),
            (false, false) => found.push(entry.path()),
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}

/// Applies a rule to every Rust file; `wrong` tells whether a file, by path and text, breaks it.
fn check(rule: &str, wrong: impl Fn(&str, &str) -> bool) {
    let read = |path: &PathBuf| fs::read_to_string(path).expect("text");
    let bad: Vec<String> = files(".rs")
        .iter()
        .map(|path| (shown(path), read(path)))
        .filter(|(path, text)| wrong(path, text))
        .map(|(path, _)| path)
        .collect();
    assert!(bad.is_empty(), "{rule}:\n{}", bad.join("\n"));
}

#[test]
fn a_module_lies_in_a_file_of_its_name() {
    // Cargo would take `tests/support.rs` for a program of tests.
    let elsewhere = |path: &str, _: &str| path.ends_with("/mod.rs") && !path.ends_with("tests/support/mod.rs");
    check("name.rs beside the folder name/, not name/mod.rs", elsewhere);
}

#[test]
fn crates_name_only_whom_the_table_lets_them() {
    let table = table();
    let members = members();
    let folders: BTreeSet<&str> = members.iter().map(|member| member.folder.as_str()).collect();
    let rows: BTreeSet<&str> = table.keys().map(String::as_str).collect();
    assert_eq!(folders, rows, "the table has a row for each crate and none besides");
    let mut wrong = Vec::new();
    for member in &members {
        let allowed = &table[&member.folder];
        wrong.extend(member.names.difference(allowed).map(|name| format!("{} may not name {name}", member.folder)));
    }
    assert!(wrong.is_empty(), "{}\nChange ARCHITECTURE.md first, and say why.", wrong.join("\n"));
}

#[test]
fn the_two_halves_never_name_each_other() {
    let (compiler, runtime): (Vec<_>, Vec<_>) = members()
        .into_iter()
        .filter(|member| member.folder.starts_with("compiler/") || member.folder.starts_with("runtime/"))
        .partition(|member| member.folder.starts_with("compiler/"));
    for (half, other) in [(&compiler, &runtime), (&runtime, &compiler)] {
        let others: BTreeSet<String> = other.iter().map(|member| short(&member.folder)).collect();
        for member in half.iter() {
            let crossing: Vec<_> = member.names.intersection(&others).collect();
            assert!(crossing.is_empty(), "{} names {crossing:?}", member.folder);
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    check("files without a `//!` header", |_, text| {
        !text
            .lines()
            .find(|line| !line.starts_with("#!") && !line.trim().is_empty())
            .is_some_and(|line| line.starts_with("//!"))
    });
}

#[test]
fn long_files_have_a_reason() {
    check("files over 500 lines; split along a noun, or begin with `//! … Long because …`", |_, text| {
        text.lines().count() > 500 && !text.lines().take(30).any(|line| line.contains("Long because"))
    });
}

#[test]
fn unsafe_lives_in_runtime_sys_alone() {
    check("files that use `unsafe`", |path, text| {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let uses =
            |line: &str| line.contains(concat!("unsafe", " {")) || line.contains(concat!("allow(unsafe", "_code"));
        // Tests take over a process by ptrace(2), which nothing that is shipped does.
        let ours = path.starts_with("runtime/sys/") || path == "tests/src/taken.rs";
        !ours && code.into_iter().any(uses)
    });
}

/// The code of a file before its tests, without comments.
fn code(text: &str) -> String {
    let before = text.split("#[cfg(test)]").next().unwrap_or_default();
    before.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The driver of dialogs: for tests alone, whose files it reads.
const DIALOGS: &str = "runtime/proto/session/src/dialog.rs";

/// Checks that no file below these folders holds one of these words.
fn check_words(rule: &str, folders: &[&str], words: &[&str]) {
    check(rule, |path, text| {
        folders.iter().any(|folder| path.starts_with(folder) && path.contains("/src/"))
            && !path.ends_with("/tests.rs")
            && path != DIALOGS
            && words.iter().any(|word| code(text).contains(word))
    });
}

#[test]
fn pure_crates_are_given_clock_files_and_environment() {
    let pure = [
        "runtime/proto/",
        "runtime/mail/",
        "runtime/lists/",
        "runtime/policy/",
        "schemas/address/",
        "schemas/control/",
        "schemas/routing/",
    ];
    let compiler = ["compiler/blueprint/", "compiler/render/"];
    let edge =
        ["Instant::now(", "SystemTime::now(", "Timestamp::now(", "std::fs", "std::env::", "std::net::Tcp", "tokio::"];
    check_words("pure crates that reach for the world; make it an argument", &[&pure[..], &compiler].concat(), &edge);
}

#[test]
fn no_index_is_chosen_by_input() {
    let lint = "#![warn(clippy::indexing_slicing)]";
    check("a crate of the node without the lint", |path, text| {
        let is_root = path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs");
        path.starts_with("runtime/") && is_root && !text.contains(lint)
    });
}

#[test]
fn the_compiler_keeps_things_in_order() {
    let unordered = ["HashMap", "HashSet"];
    check_words("unordered maps: the same site must give the same bytes", &["compiler/", "images/"], &unordered);
}

#[test]
fn the_node_resolves_names_itself() {
    // In a static program getaddrinfo(3) loads the shared NSS libraries of whatever glibc is there.
    check_words("names resolved by libc", &["runtime/"], &["to_socket_addrs", "lookup_host", "getaddrinfo"]);
}

#[test]
fn every_folder_down_to_the_crates_has_a_readme() {
    let crates = members().into_iter().map(|member| member.folder);
    let above = ["schemas", "compiler", "runtime", "runtime/proto", "examples"].map(ToOwned::to_owned);
    let missing: Vec<String> =
        crates.chain(above).filter(|folder| !repository().join(folder).join("README.md").is_file()).collect();
    assert!(missing.is_empty(), "no README.md in {missing:?}");
}

#[test]
fn the_top_level_stays_short() {
    let listing = finish(
        Command::new("git").current_dir(repository()).args(["ls-files", "--others", "--cached", "--exclude-standard"]),
        Duration::from_secs(60),
    );
    if !listing.status.success() {
        return; // An export without git: nothing to look at.
    }
    let tops: BTreeSet<&str> = listing.output.lines().filter_map(|path| path.split('/').next()).collect();
    let known = BTreeSet::from([
        ".cargo",
        ".ci",
        ".gitignore",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "clippy.toml",
        "compiler",
        "examples",
        "images",
        "runtime",
        "rust-toolchain.toml",
        "rustfmt.toml",
        "schemas",
        "tests",
    ]);
    let strangers: Vec<_> = tops.difference(&known).collect();
    assert!(strangers.is_empty(), "on the top level: {strangers:?} (pages for people belong into schemas/manual)");
}

#[test]
fn versions_stand_in_the_workspace_manifest_once() {
    let own = |text: &str| -> Vec<String> {
        let lines = text.lines().skip_while(|line| !line.contains("dependencies]"));
        lines
            .filter(|line| {
                line.contains('=') && !line.contains(".workspace = true") && !line.contains("workspace = true")
            })
            .filter(|line| !line.starts_with('#'))
            .map(ToOwned::to_owned)
            .collect()
    };
    for member in members() {
        let manifest = repository().join(&member.folder).join("Cargo.toml");
        let versions = own(&fs::read_to_string(&manifest).expect("a manifest"));
        assert!(versions.is_empty(), "{}: say `name.workspace = true` instead of {versions:?}", member.folder);
    }
}

#[test]
fn every_control_file_is_in_its_registry() {
    let folder = repository().join("schemas/control/src");
    let registry = fs::read_to_string(folder.join("lib.rs")).expect("the registry");
    for entry in fs::read_dir(&folder).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let module = name.trim_end_matches(".rs");
        assert!(module == "lib" || registry.contains(module), "{name} is not in schemas/control/src/lib.rs");
    }
}

#[test]
fn comments_name_their_subject() {
    let mut wrong = Vec::new();
    for path in files(".rs") {
        let shown = shown(&path);
        let text = fs::read_to_string(&path).expect("text");
        wrong.extend(riddles(&text).into_iter().map(|line| format!("{shown}:{line}")));
    }
    assert!(
        wrong.is_empty(),
        "comments that begin with what, whoever or it, or doc lines of one or two words:\n{}",
        wrong.join("\n")
    );
}

/// The numbers of the lines whose comment begins without a subject or says next to nothing. Only the first line of a
/// paragraph is judged; headings, tables, links and code are left out.
fn riddles(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut found = Vec::new();
    let mut is_code = false;
    for (index, line) in lines.iter().enumerate() {
        let Some(comment) = comment(line) else {
            is_code = false;
            continue;
        };
        is_code ^= comment.starts_with("```");
        let previous = index.checked_sub(1).and_then(|before| lines.get(before)).and_then(|line| self::comment(line));
        let next = lines.get(index + 1).and_then(|line| self::comment(line));
        let is_first = previous.is_none_or(str::is_empty);
        if is_code || !is_first || comment.is_empty() || comment.starts_with(['#', '|', '`', '[']) {
            continue;
        }
        let first = comment.split([' ', '\'', '’', ',']).next().unwrap_or_default();
        let is_alone = next.is_none_or(str::is_empty);
        let is_doc = line.starts_with("///") || line.starts_with("//!");
        let is_short = is_doc && is_alone && comment.split(' ').count() <= 2 && !comment.contains(['`', '[']);
        if is_short || ["What", "Whatever", "Whoever", "It"].contains(&first) {
            found.push(index + 1);
        }
    }
    found
}

/// The text of a line that is a comment and nothing else.
fn comment(line: &str) -> Option<&str> {
    let rest = ["///", "//!", "//"].iter().find_map(|mark| line.strip_prefix(mark))?;
    rest.is_empty().then_some(rest).or_else(|| rest.strip_prefix(' ')).map(str::trim)
}

#[test]
fn comments_fit_into_120_columns() {
    let mut wrong = Vec::new();
    for path in files(".rs") {
        let text = fs::read_to_string(&path).expect("text");
        // A row of a table cannot be broken.
        let long = text.lines().enumerate().filter(|(_, line)| {
            comment(line.trim()).is_some_and(|comment| !comment.starts_with('|')) && line.chars().count() > 120
        });
        wrong.extend(long.map(|(index, _)| format!("{}:{}", shown(&path), index + 1)));
    }
    assert!(wrong.is_empty(), "comments over 120 columns:\n{}", wrong.join("\n"));
}

#[test]
fn the_rule_about_comments_sees_riddles_and_lets_sentences_pass() {
    let slashes = "/".repeat(3);
    for (comment, is_wrong) in [
        ("What it has to say.", true),
        ("Whoever writes.", true),
        ("It ends here.", true),
        ("The mailbox.", true),
        ("Its address.", true),
        ("# Errors", false),
        ("`dhcp`.", false),
        ("Ends when dropped.", false),
        ("Itemised lists are left alone.", false),
        ("The largest size in octets.", false),
    ] {
        let line = format!("    {slashes} {comment}");
        assert_eq!(riddles(&line), if is_wrong { vec![1] } else { vec![] }, "{comment}");
    }
    let paragraph = format!("{slashes} A sentence that goes on;\n{slashes} what follows.");
    assert_eq!(riddles(&paragraph), Vec::<usize>::new());
}
