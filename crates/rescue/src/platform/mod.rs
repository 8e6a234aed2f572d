//! What a VM runs on, as far as a login is concerned: what it says of the VM, and the
//! few things that it can do for one.
//!
//! There is one so far, Azure's Resource Manager ([`crate::azure`]). Whatever a
//! platform calls its things, it is asked here in words that every platform has; what
//! undoing a change takes is told *before* the change is made, so that a journal can
//! have it first.

use std::error::Error as Source;
use std::fmt::{self, Debug};
use std::net::IpAddr;

use doctor::case;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::boxed::BoxFuture;

/// One VM, and what runs it.
pub trait Platform: Debug + Send + Sync {
    /// The VM's id, as a case and a journal have it.
    fn id(&self) -> String;

    /// The VM's name.
    fn name(&self) -> String;

    /// The VM as it is now.
    fn look(&self) -> BoxFuture<'_, Result<View, PlatformError>>;

    /// The address from which the VM's network sees this client, and who says so.
    fn client_address(&self) -> BoxFuture<'_, Option<ClientAddress>>;

    /// What the network does with this client's connections. Fails with words for the
    /// operator.
    fn network<'a>(
        &'a self,
        view: &'a View,
        way: &'a Way,
    ) -> BoxFuture<'a, Result<case::NetworkPath, String>>;

    /// The serial console's log, as it is.
    fn boot_log(&self) -> BoxFuture<'_, Result<Vec<u8>, String>>;

    /// Changes the VM's power, and waits until it is done.
    fn power(&self, change: PowerChange) -> BoxFuture<'_, Result<(), PlatformError>>;

    /// Lets one client in, and nobody else. `record` is told what [`Platform::close`]
    /// will take, each time before something is written. Gives words about it.
    fn open<'a>(
        &'a self,
        opening: &'a Opening,
        record: Record<'a>,
    ) -> BoxFuture<'a, Result<String, PlatformError>>;

    /// Takes back an opening, as far as it is still as it was made.
    fn close<'a>(
        &'a self,
        opened: &'a Opened,
    ) -> BoxFuture<'a, Result<Closed, PlatformError>>;

    /// Replaces what is in the guest by the platform's own means.
    fn reset<'a>(&'a self, reset: &'a Reset) -> BoxFuture<'a, Result<(), PlatformError>>;
}

/// Keeps what undoing will take; nothing may be written where it fails.
pub type Record<'a> = &'a mut (dyn FnMut(&Opened) -> Result<(), String> + Send);

/// A VM as its platform sees it.
#[derive(Debug, Clone)]
pub struct View {
    /// The section of the case.
    pub section: case::Platform,
    /// What the platform said, for its own later questions.
    pub said: Value,
}

/// Where a connection comes from and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The client, if its address is known.
    pub client: Option<ClientAddress>,
    /// What it connects to.
    pub to: Destination,
    /// The port.
    pub port: u16,
}

/// What a client connects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// The VM, at whatever address the platform gives it.
    Vm,
    /// These addresses.
    Addresses(Vec<IpAddr>),
    /// Nobody knows, and why.
    Unknown(String),
}

/// The client's address as the VM's network sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAddress {
    /// The address.
    pub address: IpAddr,
    /// Who says so, in words.
    pub from: String,
}

/// A change of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerChange {
    /// The VM starts.
    Start,
    /// It stops and keeps its host.
    Stop,
    /// It stops and gives its host back.
    Release,
    /// It starts again.
    Restart,
    /// It moves to another host.
    Redeploy,
}

/// What is to be opened: TCP from one client to one VM's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The way that is closed.
    pub way: Way,
    /// What the new rule is called.
    pub name: String,
    /// The repair that it belongs to, for `regain undo`.
    pub undo_id: String,
    /// When it should be gone, RFC 3339 in UTC.
    pub expires: String,
}

/// What was opened, and what closing it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The new rule's id.
    pub rule: String,
    /// When it should be gone, RFC 3339 in UTC.
    pub expires: String,
    /// The rules that made way for it.
    #[serde(default)]
    pub moved: Vec<Moved>,
    /// The rule as it was made; null in journals of builds that did not keep it.
    #[serde(default)]
    pub made: Value,
}

/// What became of an opening that was to be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// It is gone. What made way for it is back, but for what is named here, which
    /// somebody else has changed since.
    Gone(Vec<String>),
    /// It stays, because somebody else has changed it since.
    Kept,
}

/// A rule that made way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// Its name.
    pub name: String,
    /// Its priority before; it stands one lower (a number one higher) since.
    pub was: u16,
}

/// What is replaced in the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reset {
    /// The SSH server's configuration, by a stock one.
    Sshd,
    /// The account's way in, by this public key.
    Credentials {
        /// The account.
        user: String,
        /// `type base64`.
        key: String,
    },
}

/// Why a platform did not do what it was asked.
#[derive(Debug, Error)]
pub enum PlatformError {
    /// There is no such VM, or not any more.
    #[error("the VM does not exist")]
    Gone(#[source] Box<dyn Source + Send + Sync>),
    /// It cannot be done here.
    #[error("{0}")]
    Impossible(String),
    /// What undoing would take could not be kept, so that nothing was done.
    #[error("{0}")]
    Unrecorded(String),
    /// It refused, or did not say.
    #[error("the cloud refused to {what}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Whether it may have happened nevertheless: no answer came, or the work
        /// ended in a failure.
        perhaps_done: bool,
        /// Why.
        #[source]
        source: Box<dyn Source + Send + Sync>,
    },
}

/// Why nobody in a VM that runs can answer through its agent, if the platform knows.
pub(crate) fn silent(vm: &case::Platform) -> Option<&'static str> {
    let is = |text: &Option<String>, word: &str| {
        text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    if is(&vm.os, "windows") {
        Some("the VM runs Windows, and only Linux is looked into")
    } else if vm.agent.absent {
        Some(
            "the VM was made without a guest agent: say --through with a login that \
             works, or use the serial console",
        )
    } else if is(&vm.agent.status, "not ready") {
        Some(
            "the VM's agent is Not Ready: say --through with a login that works, or use \
             the serial console",
        )
    } else {
        None
    }
}

impl PlatformError {
    /// Whether what was asked may have happened nevertheless.
    pub fn perhaps_done(&self) -> bool {
        matches!(self, Self::Refused { perhaps_done: true, .. })
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.address, f)
    }
}
