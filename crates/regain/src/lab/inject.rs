//! Breaking a VM on purpose: an injection is a shell script that runs in the
//! guest as root, or on this host against the cloud or the client's files.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use doctor::fault::Place;
use tokio::process::Command;

use super::{LabState, machine};
use crate::failure::Failure;

/// A script that has not ended by then hangs.
const LIMIT: Duration = Duration::from_secs(180);

/// The VM that is broken, as the script sees it.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) user: String,
    /// The client's private key. A script may spoil it.
    pub(crate) key: PathBuf,
}

impl Subject {
    /// What every script finds in its environment.
    fn variables(&self) -> [(&'static str, &str); 4] {
        [
            ("RG", &self.group),
            ("VM", &self.name),
            ("HOST", &self.host),
            ("USER_NAME", &self.user),
        ]
    }
}

/// Runs an injection.
pub(crate) async fn run(
    lab: &LabState,
    subject: &Subject,
    place: Place,
    script: &str,
) -> Result<(), Failure> {
    let (status, said) = match place {
        Place::Guest => in_guest(lab, subject, script).await?,
        Place::Platform | Place::Client => on_host(lab, subject, script).await?,
    };
    if status == 0 {
        return Ok(());
    }
    let said = if said.trim().is_empty() { "it said nothing" } else { said.trim() };
    Err(Failure::new(format!("the injection ended with status {status}: {said}")))
}

async fn in_guest(
    lab: &LabState,
    subject: &Subject,
    script: &str,
) -> Result<(i32, String), Failure> {
    let mut argv = vec!["/usr/bin/env".to_owned()];
    argv.push(
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
    );
    argv.extend(
        subject.variables().iter().map(|(name, value)| format!("{name}={value}")),
    );
    argv.extend(["/bin/sh", "-c", script].map(str::to_owned));
    let vm = format!("{}/{}", subject.group, subject.name);
    let output = machine::exec(lab, &vm, argv, LIMIT).await?;
    Ok((output.status, String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// With a `regain` first on the PATH that is logged in to this lab and to no
/// other cloud.
async fn on_host(
    lab: &LabState,
    subject: &Subject,
    script: &str,
) -> Result<(i32, String), Failure> {
    let cannot =
        |error: std::io::Error| Failure::new("cannot run an injection").because(error);
    let tools = tempfile::tempdir().map_err(cannot)?;
    let program = std::env::current_exe().map_err(cannot)?;
    symlink(&program, tools.path().join("regain")).map_err(cannot)?;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script])
        .envs(subject.variables())
        .env("KEY", &subject.key)
        .env("PATH", path_with(tools.path()))
        .env("REGAIN_STATE", lab.dir())
        .env("REGAIN_CLOUD", "lab")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output())
        .await
        .map_err(|_| Failure::new("the injection did not end"))?
        .map_err(cannot)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((output.status.code().unwrap_or(-1), said))
}

fn path_with(first: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(all).unwrap_or(path)
}
