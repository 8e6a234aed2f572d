//! Virtual machines as `az vm` has them: temporary disk, addresses, boot log, health.

use std::time::{Duration, Instant};

use e2e::{Lab, Ran};
use serde_json::Value;

fn vm(lab: &Lab, verb: &str) -> Ran {
    let mut words: Vec<&str> = vec!["vm"];
    words.extend(verb.split(' '));
    words.extend(["-g", "lab", "-n", "vm1"]);
    lab.regain(&words).ok()
}

fn health(lab: &Lab) -> Value {
    let url = "/subscriptions/{subscriptionId}/resourceGroups/lab/providers/Microsoft.Compute\
               /virtualMachines/vm1/providers/Microsoft.ResourceHealth/availabilityStatuses\
               /current?api-version=2022-10-01";
    lab.regain(&["rest", "--method", "get", "--url", url]).ok().json()["properties"]
        .clone()
}

#[test]
fn a_redeploy_loses_the_temporary_disk_and_the_dynamic_address_and_keeps_the_os_disk() {
    let lab = Lab::up();
    let guest = lab.vm();
    guest.sh("echo temporary >/mnt/data; echo kept >/root/data").ok();
    let host_keys = "cat /etc/ssh/ssh_host_*_key.pub";
    let keys = guest.sh(host_keys).ok().stdout;
    let address = "ip -o -4 address show eth0";
    let private = guest.sh(address).ok().stdout;

    vm(&lab, "restart");
    assert_eq!(guest.sh("cat /mnt/data").ok().stdout.trim(), "temporary");
    assert_eq!(guest.sh(address).ok().stdout, private);

    vm(&lab, "redeploy");
    assert_eq!(guest.sh("ls /mnt").ok().stdout.trim(), "DATALOSS_WARNING_README.txt");
    assert_eq!(guest.sh("cat /root/data").ok().stdout.trim(), "kept");
    assert_eq!(guest.sh(host_keys).ok().stdout, keys);
    assert_ne!(guest.sh(address).ok().stdout, private);
    // The agent and the owner find their way as before.
    vm(&lab, "user reset-ssh");
    guest.ssh("true").ok();
}

#[test]
fn health_tells_a_shutdown_inside_from_a_stop_outside_and_from_a_dead_agent() {
    let lab = Lab::up();
    let guest = lab.vm();
    assert_eq!(health(&lab)["availabilityState"], "Available");

    // A poweroff ends the command that asks for it.
    let _ended = guest.sh("systemctl poweroff");
    let deadline = Instant::now() + Duration::from_secs(30);
    while health(&lab)["availabilityState"] != "Unavailable" {
        assert!(Instant::now() < deadline, "the machine does not go off");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(health(&lab)["context"], "VM Initiated");

    vm(&lab, "start");
    // This waits for the agent.
    vm(&lab, "user reset-ssh");
    assert_eq!(health(&lab)["availabilityState"], "Available");
    guest.sh("systemctl stop regain-guest").ok();
    assert_eq!(health(&lab)["availabilityState"], "Degraded");

    vm(&lab, "stop");
    assert_eq!(health(&lab)["context"], "Customer Initiated");
}

#[test]
fn the_boot_log_has_every_boot() {
    let lab = Lab::up();
    vm(&lab, "restart");
    // A restart has ended before the console has told all of it.
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let log = vm(&lab, "boot-diagnostics get-boot-log").stdout;
        let boots = log.matches("Welcome to").count();
        if boots == 2 {
            break;
        }
        assert!(boots == 1 && Instant::now() < until, "{log}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
