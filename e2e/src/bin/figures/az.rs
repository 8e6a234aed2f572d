//! `regain` beside `az`: the same verb, the same server, the same VM, in pairs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use e2e::{Client, Lab, Operator, Ran};

use crate::figure::{Beside, RUNS, pairs, row};

/// VMs of the list.
const VMS: usize = 1000;

/// VMs of one group: what a subnet of 10.0.0.0/24 holds, rounded down.
const PER_GROUP: usize = 200;

/// `vm user reset-ssh` on a real VM.
pub(crate) fn reset_ssh(lab: &Lab) {
    let operator = Operator::with_az(lab);
    let line = ["vm", "user", "reset-ssh", "-g", "lab", "-n", "vm1", "-o", "none"];
    let (ours, theirs) = pairs(
        RUNS,
        || drop(operator.run(Client::Regain, &line, None).ok()),
        || drop(operator.run(Client::Az, &line, None).ok()),
    );
    row("regain vm user reset-ssh", &ours, &Beside::Peer("az", theirs));
}

/// `vm list` with many VMs, which exist in name only.
pub(crate) fn list() {
    let lab = Lab::down();
    lab.regain(&["lab", "up", "--engine", "fake", "--no-vm"]).ok();
    fill(&lab);
    let operator = Operator::with_az(&lab);
    let line = ["vm", "list", "-o", "json"];
    let count = |ran: Ran| {
        assert_eq!(ran.ok().json().as_array().map(Vec::len), Some(VMS));
    };
    let (ours, theirs) = pairs(
        RUNS,
        || count(operator.run(Client::Regain, &line, None)),
        || count(operator.run(Client::Az, &line, None)),
    );
    row("regain vm list, 1,000 VMs", &ours, &Beside::Peer("az", theirs));
}

fn fill(lab: &Lab) {
    for group in 0..VMS / PER_GROUP {
        let name = format!("g{group}");
        lab.regain(&["group", "create", "-n", &name, "-l", "local", "-o", "none"]).ok();
        make(lab, &name, 0);
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= VMS {
                        return;
                    }
                    if !number.is_multiple_of(PER_GROUP) {
                        let group = format!("g{}", number / PER_GROUP);
                        make(lab, &group, number % PER_GROUP);
                    }
                }
            });
        }
    });
}

/// The first one of a group makes the network that the others join.
fn make(lab: &Lab, group: &str, number: usize) {
    let name = format!("{group}-vm{number}");
    let line = [
        "vm",
        "create",
        "-g",
        group,
        "-n",
        &name,
        "--image",
        "Debian12",
        "--admin-username",
        "azureuser",
        "--admin-password",
        "Correct-Horse-77",
        "--nsg",
        "",
        "--public-ip-address",
        "",
        "--vnet-name",
        "net",
        "--subnet",
        "front",
        "-o",
        "none",
    ];
    lab.regain(&line).ok();
}
