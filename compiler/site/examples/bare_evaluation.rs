//! The bare evaluation of a file by nickel-lang-core: what `tests/bench/compiler` measures beside `postkiln check`.
//!
//! `bare_evaluation FILE [FOLDER]`: imports are looked for in the folder too. It reads and evaluates as for export,
//! prints nothing and checks nothing else.
#![allow(clippy::print_stderr, reason = "a program for people who measure")]

use std::ffi::OsString;
use std::process::ExitCode;

use nickel_lang_core::eval::cache::CacheImpl;
use nickel_lang_core::program::ProgramBuilder;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("usage: bare_evaluation FILE [FOLDER]");
        return ExitCode::from(64);
    };
    let folders: Vec<OsString> = arguments.collect();
    // The same stack as the compiler's evaluator has.
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(move || evaluates(file, folders));
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn evaluates(file: OsString, folders: Vec<OsString>) -> bool {
    let built = ProgramBuilder::new().add_path(file).add_import_paths(folders).build::<CacheImpl>();
    match built.map(|mut program| program.eval_full_for_export().map(|_| ())) {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            eprintln!("{error:?}");
            false
        }
        Err(_) => {
            eprintln!("the file cannot be read");
            false
        }
    }
}
