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

#[test]
fn the_gauntlet_is_run_in_azures_weather_and_leaves_the_one_that_was() {
    let lab = Lab::up();
    // What depends on the client's address, which nobody says there; on the platform; on
    // the guest's answer within 4,096 bytes.
    let cases = "--only auth.ak-from --only net.nsg-deny --only gfw.nft-drop \
                 --only plat.vm-stopped --only sshd.config-bad-option \
                 --only auth.no-authorized-keys";
    let weather = "azure,run-command=1,latency=5,boot=1";
    let ran = lab.say(&format!("lab gauntlet --weather {weather} {cases} -o json"));
    let summary = ran.json();
    assert_eq!(summary["cases"], 6, "{ran:#?}");
    assert_eq!(summary["named"], 6, "{ran:#?}");
    assert_eq!(summary["repaired"], 6, "{ran:#?}");
    assert_eq!(summary["failed"], serde_json::json!([]), "{ran:#?}");
    assert_eq!(lab.say("lab weather -o json").ok().json()["weather"], "clear");
}

#[test]
fn an_agent_that_is_not_ready_is_not_waited_for_by_an_account_s_command() {
    let lab = Lab::in_weather("agent=lost");
    let begun = std::time::Instant::now();
    let ran = lab.say("vm user update -g lab -n vm1 -u ann -p Correct-horse-1");
    assert_eq!(ran.exit, 1, "{ran:#?}");
    assert!(ran.stderr.contains("is not ready"), "{ran:#?}");
    assert!(begun.elapsed().as_secs() < 60, "{ran:#?}");
    let extensions =
        lab.say("vm extension list -g lab --vm-name vm1 -o json").ok().json();
    assert_eq!(extensions.as_array().map(Vec::len), Some(0), "{extensions}");
}
