//! libFuzzer feeds `users_assign`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postkiln_fuzz::users_assign(octets));
