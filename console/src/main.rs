//! `ztsms-console`: sources, decisions and the verdict directory.

use std::process::ExitCode;

fn main() -> ExitCode {
    console::cli::main(std::env::args_os())
}
