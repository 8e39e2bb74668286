//! The target of [`fuzz::canonical`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::canonical::run(bytes));
