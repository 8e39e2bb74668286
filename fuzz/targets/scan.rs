//! The target of [`fuzz::scan`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::scan::run(bytes));
