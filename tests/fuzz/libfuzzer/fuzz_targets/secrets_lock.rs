//! libFuzzer feeds `secrets_lock`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postkiln_fuzz::secrets_lock(octets));
