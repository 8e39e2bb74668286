//! `ztsms`: a verdict for every link in every SMS on a signalling network.

use std::process::ExitCode;

fn main() -> ExitCode {
    control::cli::main(std::env::args_os())
}
