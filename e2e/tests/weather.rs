//! What holds in clear weather holds in Azure's: with Run Command as slow and as terse as
//! there, requests counted, and nothing that tells whose cloud it is.

use e2e::Lab;

/// A lab in Azure's weather, but for the waits, which would be the test's own.
fn in_azure() -> Lab {
    Lab::in_weather("azure,run-command=1,latency=5,boot=1")
}

#[test]
fn a_healthy_vm_is_reachable_also_in_azures_weather() {
    let lab = in_azure();
    let (ran, verdict) = lab.vm().diagnose();
    assert_eq!(ran.exit, 0, "{ran:#?}");
    assert_eq!(verdict["reachable"], true, "{ran:#?}");
    assert_eq!(verdict["causes"].as_array().map(Vec::len), Some(0), "{ran:#?}");
}

#[test]
fn a_locked_out_vm_s_cause_is_named_although_the_cloud_says_less() {
    let lab = in_azure();
    lab.say("lab inject sshd.not-running").ok();
    let vm = lab.vm();
    assert_ne!(vm.ssh("true").exit, 0, "the fault does not lock anybody out");
    assert_eq!(vm.root_cause().as_deref(), Some("sshd.not-running"));
}

#[test]
fn the_weather_changes_while_the_lab_runs() {
    let lab = in_azure();
    let words = |line: &str| lab.say(line).ok().json()["weather"].clone();
    let shown = words("lab weather -o json");
    assert!(
        shown.as_str().is_some_and(|words| words.contains("run-command=1")),
        "{shown}"
    );
    assert_eq!(words("lab weather agent=lost -o json"), "agent=lost");
    let view = lab.say("vm get-instance-view -g lab -n vm1 -o json").ok().json();
    let agent = &view["instanceView"]["vmAgent"]["statuses"][0]["displayStatus"];
    assert_eq!(agent, "Not Ready", "{view}");
    // What does not go through ARM feels nothing.
    lab.vm().sh("true").ok();
}
