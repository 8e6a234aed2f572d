//! The server, as a process that can be killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) struct Process {
    child: Child,
    port: u16,
}

impl Process {
    /// Starts a server; port 0 takes any free one. Returns when it answers.
    pub(crate) async fn start(state: &Path, port: u16) -> Self {
        // What a killed server left says nothing about this one.
        let announced = state.join("server.json");
        let _may_be_none = std::fs::remove_file(&announced);
        let child = Command::new(env!("CARGO_BIN_EXE_cloud-server"))
            .arg(state)
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { child, port };
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            let text = std::fs::read(&announced).unwrap_or_default();
            if let Ok(found) = serde_json::from_slice::<Value>(&text) {
                let endpoint = found["endpoint"].as_str().unwrap();
                server.port = endpoint.rsplit(':').next().unwrap().parse().unwrap();
                return server;
            }
            assert!(
                server.child.try_wait().unwrap().is_none(),
                "the server ended by itself"
            );
            assert!(Instant::now() < give_up, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _may_be_over = self.child.kill();
        let _reaped = self.child.wait();
    }
}
