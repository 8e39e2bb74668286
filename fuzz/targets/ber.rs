//! The target of [`fuzz::ber`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::ber::run(bytes));
