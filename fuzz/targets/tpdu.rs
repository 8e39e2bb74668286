//! The target of [`fuzz::tpdu`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::tpdu::run(bytes));
