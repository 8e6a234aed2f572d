//! One VM of a lab, from both ends.

use std::path::Path;

use serde_json::Value;

use crate::{Lab, Ran, way_in};

/// A VM in the group `lab`. What the lab says of it is asked once, so that a test can
/// reach it when the server is gone.
pub struct Vm<'lab> {
    lab: &'lab Lab,
    name: String,
    entry: Value,
}

impl<'lab> Vm<'lab> {
    pub(crate) fn new(lab: &'lab Lab, name: &str) -> Self {
        let status = lab.status();
        let vms = status["vms"].as_array().expect("status lists VMs");
        let entry = vms.iter().find(|vm| vm["name"] == name).expect("the VM is listed");
        Self { lab, name: name.to_owned(), entry: entry.clone() }
    }

    fn word(&self, key: &str) -> String {
        self.entry[key].as_str().expect("status is complete").to_owned()
    }

    /// Its public address.
    pub fn host(&self) -> String {
        self.word("host")
    }

    /// The operator's private key file.
    pub fn key(&self) -> String {
        self.word("key")
    }

    /// Run a shell line as root in the guest, beside every channel.
    pub fn sh(&self, script: &str) -> Ran {
        self.lab.regain(&["lab", "exec", &self.name, "--", "sh", "-c", script])
    }

    /// Log in as the operator would, with plain ssh.
    pub fn ssh(&self, command: &str) -> Ran {
        let key = self.word("key");
        way_in::with_key(&self.word("user"), &self.host(), 22, Path::new(&key), command)
    }

    /// `regain diagnose`, and its JSON.
    pub fn diagnose(&self) -> (Ran, Value) {
        let ran =
            self.lab.regain(&["diagnose", "-g", "lab", "-n", &self.name, "-o", "json"]);
        let verdict = ran.json();
        (ran, verdict)
    }

    /// The root cause that `regain diagnose` names.
    pub fn root_cause(&self) -> Option<String> {
        let (_, verdict) = self.diagnose();
        verdict["causes"][0]["fault"].as_str().map(str::to_owned)
    }

    /// `regain repair` without a terminal, and its JSON.
    pub fn repair(&self) -> (Ran, Value) {
        let ran =
            self.lab.regain(&["repair", "-g", "lab", "-n", &self.name, "-o", "json"]);
        let outcome = ran.json();
        (ran, outcome)
    }
}
