//! Plans that were tampered with.

#![no_main]

#[path = "../../tests/fuzz/mod.rs"]
#[expect(dead_code, reason = "the other target uses the rest")]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::prove::check(bytes));
