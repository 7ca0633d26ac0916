//! The check of this name in `checks/`, fed by libFuzzer.
#![no_main]

#[path = "../checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::run("nginx_tree", bytes));
