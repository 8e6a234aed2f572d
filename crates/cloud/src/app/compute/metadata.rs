//! What a machine may know about itself.

use arm::ResourceId;
use serde_json::Value;

use crate::app::document::{reference, text};
use crate::app::{App, Problem};

/// A machine's document and addresses.
pub(crate) struct Identity {
    /// The document.
    pub(crate) vm: Value,
    /// The Ethernet address.
    pub(crate) mac: Option<String>,
    /// The private address.
    pub(crate) private: Option<String>,
    /// The public address, if it has one.
    pub(crate) public: Option<String>,
}

impl App {
    /// Who a machine is.
    pub(crate) async fn identity_of(&self, vm: &ResourceId) -> Result<Identity, Problem> {
        let vm = self.existing(vm).await?.document;
        let nic =
            match reference(&vm, "/properties/networkProfile/networkInterfaces/0/id")? {
                Some(nic) => self.existing(&nic).await?.document,
                None => Value::Null,
            };
        let configuration = &nic["properties"]["ipConfigurations"][0]["properties"];
        let public = match reference(configuration, "/publicIPAddress/id")? {
            Some(id) => {
                let address = self.existing(&id).await?.document;
                text(&address, "/properties/ipAddress").map(str::to_owned)
            }
            None => None,
        };
        Ok(Identity {
            mac: text(&nic, "/properties/macAddress").map(|mac| mac.replace('-', "")),
            private: text(configuration, "/privateIPAddress").map(str::to_owned),
            public,
            vm,
        })
    }
}
