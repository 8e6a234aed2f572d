//! What was learned about a lab, kept in its state directory between commands:
//! endpoints and token, for as long as the same server process runs and the
//! token is good. The file is as private as the credentials beside it.

use std::fs;
use std::io::{self, Write};

use arm::{Client, Credential, Learned};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::lab::{LabState, Server};

const FILE: &str = "session.json";

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The server that gave it.
    pid: i32,
    endpoint: String,
    learned: Learned,
}

/// A client of the lab, by what is kept or else by asking.
pub(super) async fn client(
    lab: &LabState,
    server: &Server,
    credential: Credential,
) -> Result<Client, Failure> {
    let ca = lab.ca();
    if let Some(learned) = read(lab, server) {
        return Ok(Client::resume(&server.endpoint, Some(&ca), credential, learned)?);
    }
    let client = Client::connect(&server.endpoint, Some(&ca), credential).await?;
    if let Some(learned) = client.learned().await? {
        let (pid, endpoint) = (server.pid, server.endpoint.clone());
        // It is only faster with it.
        if let Err(error) = write(lab, &Kept { pid, endpoint, learned }) {
            tracing::debug!(%error, "the session is not kept");
        }
    }
    Ok(client)
}

fn read(lab: &LabState, server: &Server) -> Option<Learned> {
    let text = fs::read(lab.dir().join(FILE)).ok()?;
    let kept: Kept = serde_json::from_slice(&text).ok()?;
    let same = kept.pid == server.pid && kept.endpoint == server.endpoint;
    (same && kept.learned.is_good()).then_some(kept.learned)
}

/// A temporary file is its owner's alone, and stays so under its new name.
fn write(lab: &LabState, kept: &Kept) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(lab.dir())?;
    serde_json::to_writer(&mut file, kept)?;
    file.flush()?;
    file.persist(lab.dir().join(FILE))?;
    Ok(())
}
