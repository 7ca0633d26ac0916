//! The binary: hands the arguments to the library and its answer to the system.

use std::process::ExitCode;

/// glibc's takes a quarter of all time where thousands of files are read on all cores.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(stekguard::cli::run(std::env::args_os()))
}
