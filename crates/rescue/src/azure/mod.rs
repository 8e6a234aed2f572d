//! Azure, and every cloud that speaks Azure Resource Manager: the one room that knows
//! its words, its documents and its api-versions.
//!
//! A [`Vm`] is both a platform and a channel: its documents say how it is (`view`),
//! what the network does (`network` fetches, `path` and `reply` decide) and how it boots; POSTs
//! change its power; the NSG that denies gets one rule (`opening`, `room`); the agent
//! in the guest runs scripts (`run_command`) and VMAccess (`vm_access`).

mod caller;
mod network;
mod opening;
mod path;
mod refusal;
mod reply;
mod room;
mod run_command;
mod view;
mod vm_access;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arm::{Client, ResourceId};
use doctor::case::NetworkPath;
use serde_json::Value;

use crate::boxed::BoxFuture;
use crate::channel::{Channel, ChannelError, Nature};
use crate::platform::{
    ClientAddress, Closed, Opened, Opening, Platform, PlatformError, PowerChange, Record,
    Reset, View, Way,
};

/// The api-version of virtual machines, extensions and Run Command.
const COMPUTE: &str = "2024-07-01";
/// The api-version of network resources.
const NETWORK: &str = "2024-05-01";

/// A virtual machine of a cloud.
#[derive(Debug, Clone)]
pub struct Vm {
    cloud: Client,
    id: ResourceId,
    /// The machine's document with its instance view, if somebody has just read it.
    seen: Arc<Mutex<Option<Value>>>,
}

impl Vm {
    /// The machine with an id, at the cloud that the client is signed in to. Nothing
    /// is asked before it is needed.
    pub fn new(cloud: Client, id: ResourceId) -> Arc<Self> {
        Arc::new(Self { cloud, id, seen: Arc::default() })
    }

    /// The same of one whose document, with its instance view, was read just now: the
    /// first look at it asks nobody.
    pub fn seen(cloud: Client, id: ResourceId, document: Value) -> Arc<Self> {
        let seen = Arc::new(Mutex::new(Some(document)));
        Arc::new(Self { cloud, id, seen })
    }

    /// The document that was read before, once.
    fn take_seen(&self) -> Option<Value> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// POSTs one of the VM's verbs, and waits for its end.
    async fn post(&self, verb: &str, what: &'static str) -> Result<(), PlatformError> {
        let path = format!("{}/{verb}?api-version={COMPUTE}", self.id);
        self.cloud
            .post(&path, &Value::Null)
            .await
            .map(drop)
            .map_err(|error| refused_at_vm(what, error))
    }
}

impl Platform for Vm {
    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> String {
        self.id.name().to_owned()
    }

    fn look(&self) -> BoxFuture<'_, Result<View, PlatformError>> {
        Box::pin(view::look(self))
    }

    fn client_address(&self) -> BoxFuture<'_, Option<ClientAddress>> {
        Box::pin(caller::address(self))
    }

    fn network<'a>(
        &'a self,
        view: &'a View,
        way: &'a Way,
    ) -> BoxFuture<'a, Result<NetworkPath, String>> {
        Box::pin(async move { network::fetch(&self.cloud, &view.said).await?.path(way) })
    }

    fn boot_log(&self) -> BoxFuture<'_, Result<Vec<u8>, String>> {
        Box::pin(async {
            let path =
                format!("{}/retrieveBootDiagnosticsData?api-version={COMPUTE}", self.id);
            let links = self.cloud.post(&path, &Value::Null).await;
            let links = links.map_err(refusal::words)?;
            let link = text(&links, "/serialConsoleLogBlobUri")
                .ok_or("boot diagnostics are off, so that there is no serial log")?;
            self.cloud.download(link).await.map_err(refusal::words)
        })
    }

    fn power(&self, change: PowerChange) -> BoxFuture<'_, Result<(), PlatformError>> {
        let (verb, what) = match change {
            PowerChange::Start => ("start", "start the VM"),
            PowerChange::Stop => ("powerOff", "stop the VM"),
            PowerChange::Release => ("deallocate", "stop the VM"),
            PowerChange::Restart => ("restart", "restart the VM"),
            PowerChange::Redeploy => ("redeploy", "redeploy the VM"),
        };
        Box::pin(self.post(verb, what))
    }

    fn open<'a>(
        &'a self,
        opening: &'a Opening,
        record: Record<'a>,
    ) -> BoxFuture<'a, Result<String, PlatformError>> {
        Box::pin(opening::open(self, opening, record))
    }

    fn close<'a>(
        &'a self,
        opened: &'a Opened,
    ) -> BoxFuture<'a, Result<Closed, PlatformError>> {
        Box::pin(opening::close(&self.cloud, opened))
    }

    fn reset<'a>(&'a self, reset: &'a Reset) -> BoxFuture<'a, Result<(), PlatformError>> {
        Box::pin(vm_access::run(self, reset))
    }
}

impl Channel for Vm {
    fn nature(&self) -> Nature {
        run_command::nature(&self.cloud)
    }

    fn call<'a>(
        &'a self,
        text: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<String, ChannelError>> {
        Box::pin(run_command::call(self, text, time))
    }
}

/// An error of ARM's as a platform's. A refusal that came before any work is certain;
/// without an answer nobody knows.
fn refused(what: &'static str, error: arm::Error) -> PlatformError {
    let refused_at_once = matches!(
        &error,
        arm::Error::Api { status: 400..=499, .. }
            | arm::Error::Auth { .. }
            | arm::Error::Untrusted { .. }
    );
    PlatformError::Refused {
        what,
        perhaps_done: !refused_at_once && !error.is_connect(),
        source: refusal::told(error),
    }
}

/// The same for a request at the VM itself, which may have been deleted.
fn refused_at_vm(what: &'static str, error: arm::Error) -> PlatformError {
    if error.is_not_found() {
        return PlatformError::Gone(Box::new(error));
    }
    refused(what, error)
}

/// A string at a JSON pointer.
fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// A list at a JSON pointer.
fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
