//! The binary: hands the arguments to the library and its answer to the system.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(stekguard::cli::run(std::env::args_os()))
}
