//! Where the static `regain-guest` is that goes into every VM.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

const NAME: &str = "regain-guest";

/// `REGAIN_GUEST`; else beside this program, as it is installed or built.
pub(crate) fn find() -> Result<PathBuf, Failure> {
    if let Some(path) = env::var_os("REGAIN_GUEST").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    let program = env::current_exe().map_err(|error| {
        Failure::new("cannot find this program's own file").because(error)
    })?;
    let directory = program.parent().unwrap_or(Path::new("/"));
    places(directory).into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Failure::new(format!("{NAME} is not beside {}", program.display()))
            .next("build it with `make guest`, or name it with REGAIN_GUEST")
    })
}

/// Installed, then built: the static one of the guest profile before the
/// ordinary one, which needs the host's glibc.
fn places(directory: &Path) -> [PathBuf; 3] {
    [
        directory.join("../lib/regain").join(NAME),
        directory.join("../x86_64-unknown-linux-gnu/guest").join(NAME),
        directory.join(NAME),
    ]
}
