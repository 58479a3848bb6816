//! libFuzzer feeds `blueprint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postkiln_fuzz::blueprint(octets));
