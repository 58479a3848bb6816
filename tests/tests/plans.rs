//! Plans as a person sees them: each folder below `tests/plans` holds a base, a new site, and the expected output,
//! which `UPDATE=1` rewrites. Also bases that are no folder: bundles, and revisions of git.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postkiln_tests::{Ended, binary, finish, repository};
use serde_json::Value;

#[test]
fn plans_say_what_is_pinned() {
    let entries = fs::read_dir(repository().join("tests/plans")).expect("tests/plans");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(cases.len() >= 6, "only {cases:?}");
    let failures: Vec<String> = cases.iter().flat_map(|case| check(case)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn check(case: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let document: Value =
        serde_json::from_str(&plan(case, "new", "base", &["--json", "--serial", "1"]).output).expect("JSON");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ids = [&document["base"]["bundle"], &document["new"]["bundle"], &document["plan_id"]].map(word);
    for (file, form) in [("plan.txt", "--full"), ("plan.md", "--markdown"), ("plan.json", "--json")] {
        let form = if file == "plan.txt" { None } else { Some(form) };
        let log = case.join("mail.log").exists().then_some(["--replay", "mail.log"]);
        let serial = ["--serial", "1"];
        let arguments: Vec<&str> = form.into_iter().chain(log.into_iter().flatten()).chain(serial).collect();
        let ended = plan(case, "new", "base", &arguments);
        let said = format!("{}exit {}\n", masked(&ended.output, &ids), ended.code());
        let path = case.join(file);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &said).expect("our own folder");
            continue;
        }
        let pinned = fs::read_to_string(&path).unwrap_or_default();
        if pinned != said {
            wrong.push(format!("{}\n--- pinned\n{pinned}--- found\n{said}{}", path.display(), ended.errors));
        }
    }
    wrong
}

/// Hides identities, sizes and counts, which any change of the compiler changes.
fn masked(text: &str, [base, new, id]: &[String; 3]) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        let is = |whole: &String| word == whole || (!word.is_empty() && whole.get(..6) == Some(word.as_str()));
        match word.as_str() {
            plan if plan == id => out.push_str("PLAN-ID"),
            _ if is(base) => out.push_str("BASE"),
            _ if is(new) => out.push_str("NEW"),
            hash if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => out.push_str("HASH"),
            _ => out.push_str(word),
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '-' {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    let counted = ["\"unchanged\":", "\"bytes\":"];
    let lines = out.lines().map(|line| match counted.iter().find(|name| line.trim_start().starts_with(**name)) {
        Some(name) => {
            let comma = if line.ends_with(',') { "," } else { "" };
            format!("{}{name} 0{comma}", line.split(name).next().unwrap_or_default())
        }
        None => line.split(" things compared").next().map_or(line.to_owned(), |head| {
            if head.len() == line.len() {
                head.to_owned()
            } else {
                format!("{} (all).", head.rsplit_once(" (").unwrap().0)
            }
        }),
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// An independent reader checks by the manual's schema: the expected output and the output for a site with errors are
/// valid, and variations of them are not.
#[test]
fn json_is_what_its_schema_says() {
    let program = "\
import json, sys
from jsonschema import Draft202012Validator as Validator
schema = json.load(open(sys.argv[1]))
Validator.check_schema(schema)
judge = Validator(schema)
for path in sys.argv[2:]:
    with open(path) as file:
        document = json.loads(file.read().rpartition('exit ')[0])
    for error in judge.iter_errors(document):
        print(path, error.json_path, error.message)
    for name in list(document):
        rest = {key: value for key, value in document.items() if key != name}
        if name not in ('replay',) and judge.is_valid(rest):
            print(path, name, 'is not missed')
";
    let cases = fs::read_dir(repository().join("tests/plans")).expect("tests/plans").flatten();
    let mut documents: Vec<PathBuf> =
        cases.map(|case| case.path().join("plan.json")).filter(|path| path.exists()).collect();
    let folder = committed();
    edit(folder.path(), "cryptanalysis = [\"alan\", \"joan\"]", "cryptanalysis = [\"nobody\"]");
    let broken = plan(folder.path(), "mail", "HEAD", &["--json"]);
    documents.push(folder.path().join("broken.json"));
    fs::write(folder.path().join("broken.json"), format!("{}exit 1\n", broken.output)).expect("our own folder");
    assert!(documents.len() >= 9, "{documents:?}");
    // Debian's Python is used, since it has Debian's python3-jsonschema.
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", program]).arg(repository().join("schemas/manual/plan.schema.json")).args(documents);
    assert_eq!(finish(&mut python, LIMIT).success().output, "");
}

fn plan(folder: &Path, site: &str, against: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new(binary("postkiln"));
    command.current_dir(folder).args(["plan", site, "--against", against]).args(arguments);
    finish(&mut command, LIMIT)
}

/// A repository with the example as a committed site in `mail/`.
fn committed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let from = repository().join("examples/small-office");
    let script = "set -e; cp -r \"$1\" mail; git init -q -b main .; git add -A; git commit -q -m one";
    let mut shell = Command::new("sh");
    shell.current_dir(folder.path()).args(["-c", script, "sh"]).arg(from).envs(IDENTITY);
    let _ = finish(&mut shell, LIMIT).success();
    folder
}

fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join("mail/site.ncl");
    let text = fs::read_to_string(&path).expect("a site");
    assert!(text.contains(from));
    fs::write(&path, text.replace(from, to)).expect("our own folder");
}

#[test]
fn a_revision_a_bundle_and_a_packed_bundle_are_bases() {
    let folder = committed();
    let here = folder.path();
    let compile =
        finish(Command::new(binary("postkiln")).current_dir(here).args(["compile", "mail", "-o", "out"]), LIMIT);
    let _ = compile.success();
    let bundle = postkiln_bundle::Bundle::read(&here.join("out")).expect("a bundle");
    fs::write(here.join("packed"), bundle.pack().expect("it fits in memory")).expect("our own folder");
    for base in ["HEAD", "main", "out", "packed", "mail"] {
        let ended = plan(here, "mail", base, &[]);
        assert_eq!(ended.code(), 0, "{base}: {}{}", ended.output, ended.errors);
        assert!(ended.output.contains("No changes"), "{base}: {}", ended.output);
    }
    edit(here, "cryptanalysis = [\"alan\", \"joan\"]", "cryptanalysis = [\"joan\"]");
    for base in ["HEAD", "out", "packed"] {
        let ended = plan(here, "mail/site.ncl", base, &["--json"]);
        assert_eq!(ended.code(), 2, "{base}: {}{}", ended.output, ended.errors);
        let plan: Value = serde_json::from_str(&ended.output).expect("JSON");
        assert_eq!(plan["format"], "plan/1");
        assert_eq!(plan["changes"][0]["id"], "alias/cryptanalysis@example.org");
        assert_eq!(plan["changes"][0]["src"]["file"], "site.ncl");
    }
    // A removed thing has its place in the base, also when the base is a bundle.
    edit(here, "cryptanalysis = [\"joan\"],", "");
    for base in ["HEAD", "packed"] {
        let ended = plan(here, "mail", base, &[]);
        let gone = "- alias/cryptanalysis  -> alan@example.org, joan@example.org  site.ncl:";
        assert!(ended.output.contains(gone), "{base}: {}", ended.output);
    }
    let status = finish(Command::new("git").current_dir(here).args(["status", "--porcelain"]), LIMIT);
    assert_eq!(status.output, " M mail/site.ncl\n?? out/\n?? packed\n", "the index is as it was");
}

/// People keep bundles of old versions; see `tests/bases/README.md`.
#[test]
fn bundles_of_every_version_stay_bases() {
    let bases = repository().join("tests/bases");
    let folders = fs::read_dir(&bases).expect("tests/bases").map(|entry| entry.expect("readable").file_name());
    let versions: Vec<u32> = folders.filter_map(|name| name.to_str()?.parse().ok()).collect();
    assert!(versions.contains(&1), "{versions:?}");
    for version in versions {
        let ended = plan(&bases, "site", &version.to_string(), &["--json"]);
        assert!([0, 2, 3].contains(&ended.code()), "{version}: {}{}", ended.output, ended.errors);
        let plan: Value = serde_json::from_str(&ended.output).expect("JSON");
        assert_eq!(plan["complete"], true);
        // The written site is the same, whatever files this compiler makes of it.
        let is_mail = |change: &&Value| {
            let kind = change["kind"].as_str().expect("a kind");
            ["domain", "user", "alias", "list", "autoresponder", "secret"].contains(&kind)
        };
        let changed: Vec<&Value> = plan["changes"].as_array().expect("a list").iter().filter(is_mail).collect();
        assert!(changed.is_empty(), "{version}: {changed:#?}");
    }
}

#[test]
fn what_is_no_base_is_4() {
    let folder = committed();
    fs::create_dir(folder.path().join("empty")).expect("our own folder");
    fs::write(folder.path().join("noise"), "noise").expect("our own folder");
    for (base, said) in [
        ("no-such-revision", "no revision of git called no-such-revision"),
        ("empty", "neither a bundle nor a site's folder"),
        ("noise", "cannot use noise as a base"),
    ] {
        let ended = plan(folder.path(), "mail", base, &[]);
        assert_eq!((ended.code(), ended.output.as_str()), (4, ""), "{base}: {}", ended.errors);
        assert!(ended.errors.contains(said), "{base}: {}", ended.errors);
    }
}

#[test]
fn exit_codes_are_those_of_the_manual() {
    let folder = committed();
    let code = |arguments: &[&str]| plan(folder.path(), "mail", "HEAD", arguments).code();
    edit(folder.path(), "cryptanalysis = [\"alan\", \"joan\"]", "cryptanalysis = [\"joan\"]");
    assert_eq!((code(&[]), code(&["--exit-zero"])), (2, 0));
    edit(folder.path(), "\"5 GiB\"", "\"4 GiB\"");
    assert_eq!((code(&[]), code(&["--exit-zero"]), code(&["--allow", "shrink-quota"])), (3, 3, 2));
    assert_eq!(code(&["--allow", "shrink"]), 64);
    let sarif = plan(folder.path(), "mail", "HEAD", &["--sarif"]);
    let log: Value = serde_json::from_str(&sarif.output).expect("SARIF");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "E0503");
    edit(folder.path(), "cryptanalysis = [\"joan\"]", "cryptanalysis = [\"nobody\"]");
    assert_eq!(code(&[]), 1);
    let broken: Value = serde_json::from_str(&plan(folder.path(), "mail", "HEAD", &["--json"]).output).expect("JSON");
    assert_eq!((&broken["complete"], &broken["findings"][0]["code"]), (&Value::from(false), &Value::from("E0302")));
}

/// `examples/gitops` in a repository with a change on a branch.
#[test]
fn a_job_says_what_a_change_means() {
    let folder = committed();
    let here = folder.path();
    let job = |allow: &str| {
        let path = format!("{}:{}", binary("postkiln").parent().unwrap().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(repository().join("examples/gitops/plan-comment.sh"));
        command.current_dir(here).env("PATH", path).env("ALLOW", allow).args(["mail", "main", "comment.md"]);
        let ended = finish(&mut command, LIMIT);
        (ended.code(), fs::read_to_string(here.join("comment.md")).unwrap_or_default())
    };
    let branch = finish(Command::new("git").current_dir(here).args(["checkout", "-qb", "change"]), LIMIT);
    let _ = branch.success();
    let (code, comment) = job("");
    assert!(code == 0 && comment.starts_with("<!-- postkiln plan: mail -->\n### Plan"), "{code} {comment}");
    edit(here, "cryptanalysis = [\"alan\", \"joan\"],", "");
    let commit = ["commit", "-qam", "no cryptanalysis any more"];
    let _ = finish(Command::new("git").current_dir(here).envs(IDENTITY).args(commit), LIMIT).success();
    let (code, comment) = job("");
    assert!(code == 0 && comment.contains("\n- alias/cryptanalysis"), "{code} {comment}");
    edit(here, "\"5 GiB\"", "\"4 GiB\"");
    let (code, comment) = job("bug");
    assert!(code == 3 && comment.contains("Stopped by a guard"), "{code} {comment}");
    let (code, comment) = job("bug allow:shrink-quota");
    assert!(code == 0 && comment.contains("quota 5 GiB -> 4 GiB"), "{code} {comment}");
    edit(here, "sales = [\"ada\", \"grace\"]", "sales = [\"nobody\"]");
    let (code, comment) = job("");
    assert!(code == 1 && comment.contains("The site has errors") && comment.contains("E0302"), "{code} {comment}");
}

const IDENTITY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Ada Lovelace"),
    ("GIT_AUTHOR_EMAIL", "ada@example.org"),
    ("GIT_COMMITTER_NAME", "Ada Lovelace"),
    ("GIT_COMMITTER_EMAIL", "ada@example.org"),
];
const LIMIT: Duration = Duration::from_secs(120);
