//! libFuzzer feeds `csv`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postkiln_fuzz::csv(octets));
