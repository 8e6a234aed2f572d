//! The keeper as a program of its own, for this crate's tests. The product runs
//! the same code as a hidden subcommand of `regain`.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let directory = match (arguments.next(), arguments.next()) {
        (Some(word), Some(directory)) if word == "machine-keeper" => {
            PathBuf::from(directory)
        }
        _ => return ExitCode::from(2),
    };
    // What goes wrong is in the VM's keeper.log.
    match machine::keeper::run(&directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
