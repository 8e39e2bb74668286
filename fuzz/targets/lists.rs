//! The target of [`fuzz::lists`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::lists::run(bytes));
