//! Removing a lab: its server, its machines and network, its files.

use std::fs;
use std::io;

use super::{LabState, server};
use crate::failure::Failure;

/// Removes everything of the lab. It may be half made or half removed.
pub(crate) async fn remove(lab: &LabState) -> Result<(), Failure> {
    server::stop(lab).await?;
    let state = lab.dir().to_owned();
    tokio::task::spawn_blocking(move || machine::teardown(&state))
        .await
        .map_err(|error| Failure::new("the removal broke").because(error))?
        .map_err(|error| {
            Failure::new("the lab's machines or network cannot be removed")
                .because(error)
                .next("run `regain lab down` as root")
        })?;
    match fs::remove_dir_all(lab.dir()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            Err(Failure::new(format!("cannot remove {}", lab.dir().display()))
                .because(error))
        }
    }
}
