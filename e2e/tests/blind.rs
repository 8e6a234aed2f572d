//! What can still be said when the guest does not answer.

use e2e::Lab;

#[test]
fn without_the_agent_the_outside_is_proved_and_the_inside_is_named_as_unchecked() {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh("systemctl disable --now regain-guest; systemctl stop ssh").ok();
    let (ran, verdict) = vm.diagnose();
    assert!(matches!(ran.exit, 1 | 4), "{ran:#?}");
    assert_eq!(verdict["reachable"], false);
    let unchecked = verdict["notChecked"].to_string();
    assert!(unchecked.contains("sshd"), "{ran:#?}");
    let path = verdict["path"].as_array().expect("a path");
    assert!(
        path.iter().any(|hop| hop["hop"] == "network" && hop["state"] == "ok"),
        "{ran:#?}"
    );
}

#[test]
fn a_deny_is_named_without_the_guest() {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh("systemctl disable --now regain-guest").ok();
    lab.say(
        "network nsg rule create -g lab --nsg-name vm1NSG -n no --priority 100 \
         --access Deny --protocol * --destination-port-ranges *",
    )
    .ok();
    assert_eq!(vm.root_cause().as_deref(), Some("net.nsg-deny"));
}

#[test]
fn a_guest_that_hangs_does_not_hang_regain() {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh("systemctl kill --signal=STOP regain-guest; systemctl stop ssh").ok();
    let (ran, verdict) = vm.diagnose();
    assert!(matches!(ran.exit, 1 | 4), "{ran:#?}");
    assert!(verdict["notChecked"].to_string().contains("sshd"), "{ran:#?}");
    vm.sh("systemctl kill --signal=CONT regain-guest").ok();
}
