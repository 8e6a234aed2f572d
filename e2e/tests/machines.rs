//! Virtual machines as `az vm` has them: temporary disk, addresses, boot log, health.

use std::process::Command;

use e2e::{Lab, Ran};
use serde_json::Value;

/// A request to the lab's Resource Manager; gives the body.
fn arm(lab: &Lab, verb: &str, path: &str) -> Value {
    let script = format!(
        r#"set -eu
        token=$(curl -fsS --cacert "$REQUESTS_CA_BUNDLE" "$REGAIN_ENDPOINT/$REGAIN_TENANT/oauth2/token" \
            --data-urlencode grant_type=client_credentials --data-urlencode "client_id=$REGAIN_CLIENT_ID" \
            --data-urlencode "client_secret=$REGAIN_CLIENT_SECRET" \
            --data-urlencode resource=https://management.lab/ | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
        exec curl -fsS --cacert "$REQUESTS_CA_BUNDLE" -X {verb} -H "Authorization: Bearer $token" \
            -H "Content-Length: 0" "$REGAIN_ENDPOINT/subscriptions/$REGAIN_SUBSCRIPTION/{path}"#
    );
    let mut shell = Command::new("sh");
    let environment = lab.regain(&["lab", "env"]).ok().stdout;
    shell.arg("-c").arg(format!("{environment}\n{script}?api-version=2024-11-01\""));
    let ran = Ran::of(shell).ok();
    serde_json::from_str(&ran.stdout).unwrap_or(Value::Null)
}

const VM: &str = "resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/vm1";

fn health(lab: &Lab) -> Value {
    let path =
        format!("{VM}/providers/Microsoft.ResourceHealth/availabilityStatuses/current");
    arm(lab, "GET", &path)["properties"].clone()
}

#[test]
fn a_redeploy_loses_the_temporary_disk_and_the_dynamic_address_and_keeps_the_os_disk() {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh("echo temporary >/mnt/data; echo kept >/root/data").ok();
    let host_keys = "cat /etc/ssh/ssh_host_*_key.pub";
    let keys = vm.sh(host_keys).ok().stdout;
    let address = "ip -o -4 address show eth0";
    let private = vm.sh(address).ok().stdout;

    arm(&lab, "POST", &format!("{VM}/restart"));
    assert_eq!(vm.sh("cat /mnt/data").ok().stdout.trim(), "temporary");

    arm(&lab, "POST", &format!("{VM}/redeploy"));
    assert_eq!(vm.sh("ls /mnt").ok().stdout.trim(), "DATALOSS_WARNING_README.txt");
    assert_eq!(vm.sh("cat /root/data").ok().stdout.trim(), "kept");
    assert_eq!(vm.sh(host_keys).ok().stdout, keys);
    assert_ne!(vm.sh(address).ok().stdout, private);
    // Its public address is static: the owner comes in as before.
    vm.ssh("true").ok();
    lab.regain(&["vm", "user", "reset-ssh", "-g", "lab", "-n", "vm1"]).ok();
}

#[test]
fn health_tells_a_shutdown_inside_from_a_stop_outside_and_from_a_dead_agent() {
    let lab = Lab::up();
    let vm = lab.vm();
    assert_eq!(health(&lab)["availabilityState"], "Available");

    // A poweroff ends the command that asks for it.
    let _ended = vm.sh("systemctl poweroff");
    let mut seen = health(&lab);
    for _ in 0..100 {
        if seen["availabilityState"] == "Unavailable" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        seen = health(&lab);
    }
    assert_eq!(seen["context"], "VM Initiated", "{seen}");

    arm(&lab, "POST", &format!("{VM}/start"));
    lab.regain(&["vm", "user", "reset-ssh", "-g", "lab", "-n", "vm1"]).ok();
    assert_eq!(health(&lab)["availabilityState"], "Available");
    vm.sh("systemctl stop regain-guest").ok();
    assert_eq!(health(&lab)["availabilityState"], "Degraded");

    arm(&lab, "POST", &format!("{VM}/powerOff"));
    assert_eq!(health(&lab)["context"], "Customer Initiated");
}

#[test]
fn the_boot_log_has_every_boot() {
    let lab = Lab::up();
    arm(&lab, "POST", &format!("{VM}/restart"));
    let log =
        lab.regain(&["vm", "boot-diagnostics", "get-boot-log", "-g", "lab", "-n", "vm1"]);
    let boots = log.ok().stdout.matches("Welcome to").count();
    assert_eq!(boots, 2);
}
