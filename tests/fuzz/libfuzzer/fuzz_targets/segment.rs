//! libFuzzer feeds `segment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postkiln_fuzz::segment(octets));
