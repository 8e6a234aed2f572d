//! Listening TCP sockets.

use serde::{Deserialize, Serialize};

/// Every listening TCP socket of the guest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listeners {
    /// The sockets.
    pub sockets: Vec<Listener>,
}

/// One listening TCP socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listener {
    /// Local address; `0.0.0.0` and `::` mean every address.
    pub address: String,
    /// Local port.
    pub port: u16,
    /// The owning process's name, if known.
    #[serde(default)]
    pub process: Option<String>,
}
