//! The agent against a WireServer, as in a VM but for the addresses.

use std::process::{Child, Stdio};

use guest::wire::{HandlerSettings, HandlerState, Verdict};
use serde_json::{Value, json};

use crate::root::{KEY, Root, message};
use crate::wire_server::WireServer;

const VM_ACCESS: &str = "Microsoft.OSTCExtensions.VMAccessForLinux";
const RUN_COMMAND: &str = "Microsoft.CPlat.Core.RunCommandLinux";

/// A running agent; killed at the end of its test.
struct Agent(Child);

impl Agent {
    fn start(root: &Root, server: &WireServer) -> Agent {
        let address = server.address.to_string();
        let child = root
            .command(&["agent", "--wire-server", &address, "--host-plugin", &address])
            .stderr(Stdio::null())
            .spawn();
        Agent(child.expect("starts"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("reaped");
    }
}

/// A guest whose agent has no certificate yet.
fn fresh() -> (Root, WireServer) {
    let root = Root::new();
    std::fs::remove_dir_all(root.path("var/lib/waagent")).expect("remove");
    let server = WireServer::start(&root.tenant);
    (root, server)
}

fn script(text: &str) -> HandlerSettings {
    HandlerSettings {
        public_settings: Some(json!({"script": [text]})),
        ..Default::default()
    }
}

fn reset(root: &Root, settings: &Value) -> HandlerSettings {
    root.encrypt(settings)
}

#[test]
fn a_reset_goes_from_goal_state_to_status() {
    let (root, server) = fresh();
    let _agent = Agent::start(&root, &server);
    server.deploy(
        VM_ACCESS,
        0,
        reset(&root, &json!({"username": "ann", "ssh_key": KEY})),
    );
    let status = server.outcome(VM_ACCESS, 0);
    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
    assert_eq!(root.read("home/ann/.ssh/authorized_keys"), format!("{KEY}\n"));
    let thumbprint = root.tenant.thumbprint().expect("der");
    assert!(root.exists(&format!("var/lib/waagent/{thumbprint}.prv")));
}

#[test]
fn a_failed_sequence_is_never_reported_as_a_success() {
    let (root, server) = fresh();
    let agent = Agent::start(&root, &server);
    server.deploy(VM_ACCESS, 0, reset(&root, &json!({"reset_ssh": true})));
    assert_eq!(server.outcome(VM_ACCESS, 0).status, Verdict::Success);
    server.deploy(
        VM_ACCESS,
        1,
        reset(&root, &json!({"username": "root", "password": "p"})),
    );
    assert_eq!(server.outcome(VM_ACCESS, 1).status, Verdict::Error);
    drop(agent);
    // After a restart the same goal state comes again.
    let _agent = Agent::start(&root, &server);
    server.next_report(VM_ACCESS);
    let status = server.outcome(VM_ACCESS, 1);
    assert_eq!(status.status, Verdict::Error, "{}", message(&status));
    assert!(!server.verdicts(VM_ACCESS, 1).contains(&Verdict::Success));
}

#[test]
fn a_long_script_stops_neither_reports_nor_other_handlers() {
    let (root, server) = fresh();
    let _agent = Agent::start(&root, &server);
    let gate = root.path("gate");
    let wait =
        format!("echo begun; until [ -e {} ]; do sleep 0.05; done", gate.display());
    server.deploy(RUN_COMMAND, 0, script(&wait));
    server.in_progress(RUN_COMMAND, 0);
    server.deploy(VM_ACCESS, 0, reset(&root, &json!({"reset_ssh": true})));
    assert_eq!(server.outcome(VM_ACCESS, 0).status, Verdict::Success);
    server.in_progress(RUN_COMMAND, 0);
    std::fs::write(gate, "").expect("write");
    let status = server.outcome(RUN_COMMAND, 0);
    assert_eq!(status.status, Verdict::Success);
    assert_eq!(status.substatus[0].name, "StdOut");
    assert_eq!(status.substatus[0].formatted_message.message, "begun\n");
}

#[test]
fn an_interrupted_script_does_not_run_again() {
    let (root, server) = fresh();
    let agent = Agent::start(&root, &server);
    let runs = root.path("runs");
    let text = format!("echo run >>{}; kill -9 $PPID; sleep 60", runs.display());
    server.deploy(RUN_COMMAND, 0, script(&text));
    let status = server.outcome(RUN_COMMAND, 0);
    assert_eq!(status.status, Verdict::Error);
    assert!(message(&status).contains("killed by signal 9"), "{}", message(&status));
    drop(agent);
    let _agent = Agent::start(&root, &server);
    server.next_report(RUN_COMMAND);
    assert_eq!(server.outcome(RUN_COMMAND, 0).status, Verdict::Error);
    assert_eq!(std::fs::read_to_string(runs).expect("ran"), "run\n");
}

#[test]
fn a_server_that_restarts_is_found_again() {
    let (root, server) = fresh();
    let _agent = Agent::start(&root, &server);
    server.deploy(RUN_COMMAND, 0, script("echo one"));
    server.outcome(RUN_COMMAND, 0);
    let server = server.restart();
    server.deploy(RUN_COMMAND, 1, script("echo two"));
    let status = server.outcome(RUN_COMMAND, 1);
    assert_eq!(status.substatus[0].formatted_message.message, "two\n");
}

#[test]
fn a_handler_that_is_not_built_in_is_not_ready() {
    let (root, server) = fresh();
    let _agent = Agent::start(&root, &server);
    server.deploy("Contoso.Backup", 0, HandlerSettings::default());
    let report =
        std::iter::repeat_with(|| server.next_report("Contoso.Backup")).flatten().next();
    let report = report.expect("reported");
    assert_eq!((report.status, report.code), (HandlerState::NotReady, 1007));
}
