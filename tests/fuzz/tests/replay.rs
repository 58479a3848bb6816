//! Every target takes its corpus and some thousand inputs made from it, the same in every run. `FUZZ_ROUNDS` sets how
//! many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is the failure of a test")]

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use postkiln_fuzz::{Mutation, TARGETS};

#[test]
fn no_input_breaks_a_promise() {
    let rounds: usize = std::env::var("FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let broken: Vec<String> = TARGETS.iter().filter_map(|(name, target)| run(name, *target, rounds)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Runs a target; gives the first input that broke it, with the place where the input is kept.
fn run(name: &str, target: fn(&[u8]), rounds: usize) -> Option<String> {
    let corpus = corpus(name);
    let mut mutation = Mutation::new(1);
    let made = std::iter::repeat_with(|| mutation.input(&corpus)).take(rounds);
    let mut inputs = corpus.clone().into_iter().chain(made);
    let input = inputs.find(|input| panic::catch_unwind(|| target(input)).is_err())?;
    let folder = kept();
    fs::create_dir_all(&folder).expect("target/ is writable");
    let path = folder.join(name);
    fs::write(&path, input).expect("target/ is writable");
    Some(format!("{name}: put {} into tests/fuzz/corpus/{name}", path.display()))
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{name} has no corpus");
    paths.iter().map(|path| fs::read(path).expect("readable")).collect()
}

/// The folder for inputs that broke a target, below `target/`.
fn kept() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    test.ancestors().nth(4).expect("target/<triple>/release/deps/test").join("fuzz")
}
