//! The target of [`fuzz::rewrite`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::rewrite::run(bytes));
