//! libFuzzer feeds `control`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postkiln_fuzz::control(octets));
