//! libFuzzer feeds `dot_qmail`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postkiln_fuzz::dot_qmail(octets));
