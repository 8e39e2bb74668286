//! `seeds FOLDER CAPTURE…`: first inputs for the fuzz targets, in `FOLDER/TARGET`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(folder) = arguments.next() else {
        eprintln!("seeds FOLDER CAPTURE…");
        return ExitCode::FAILURE;
    };
    let captures: Vec<PathBuf> = arguments.collect();
    let captures: Vec<&Path> = captures.iter().map(PathBuf::as_path).collect();
    match fuzz::seeds::write(&folder, &captures) {
        Ok(count) => {
            println!("{count} inputs in {}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}
