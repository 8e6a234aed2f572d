//! What survives: VMs the death of the server, operations its restart, the
//! host the whole lab.

use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{Lab, Ran, words};

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited 30 s and still not: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Everything that a lab configures on the host.
fn traces() -> String {
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "ip netns list; ip -o link | grep -o 'rg[0-9]*[a-z]*@' ; ip route; \
         nft list tables; grep regain /proc/mounts; ls /run/regain/slots 2>/dev/null; true",
    ]);
    Ran::of(shell).ok().stdout
}

#[test]
fn a_vm_outlives_its_server_and_is_found_again() {
    let lab = Lab::up();
    let vm = lab.vm();
    let boot =
        vm.ssh("cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1").ok().stdout;

    lab.kill_server();
    vm.ssh("true").ok();

    lab.regain(&["lab", "up"]).ok();
    let shown = lab.regain(&["vm", "show", "-d", "-g", "lab", "-n", "vm1"]).ok().json();
    assert_eq!(shown["powerState"], "VM running");
    assert_eq!(
        vm.ssh("cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1").ok().stdout,
        boot
    );
}

#[test]
fn an_operation_cut_off_by_a_crash_reaches_an_end() {
    let lab = Lab::up();
    let create = format!(
        "vm create -g lab -n vm2 --image Debian12 --admin-username azureuser \
         --ssh-key-values {}.pub",
        lab.vm().key()
    );
    let mut create = lab
        .command(&words(&create))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("regain starts");
    std::thread::sleep(Duration::from_millis(700));
    lab.kill_server();
    create.kill().expect("the client ends");
    create.wait().expect("the client ended");

    lab.regain(&["lab", "up"]).ok();
    wait_until("vm2 has a terminal state or does not exist", || {
        let shown = lab.regain(&["vm", "show", "-g", "lab", "-n", "vm2"]);
        shown.exit == 3
            || matches!(
                shown.json()["provisioningState"].as_str(),
                Some("Succeeded" | "Failed")
            )
    });
    lab.vm().ssh("true").ok();
}

#[test]
fn a_lab_that_is_down_leaves_nothing_on_the_host() {
    let before = traces();
    let lab = Lab::up();
    let state = lab.state();
    drop(lab);
    assert_eq!(traces(), before);
    assert!(!state.exists());
}

#[test]
fn a_crashed_lab_goes_down_too() {
    let before = traces();
    let lab = Lab::up();
    lab.kill_server();
    drop(lab);
    assert_eq!(traces(), before);
}

#[test]
fn no_packet_of_a_vm_leaves_the_host_or_reaches_it() {
    let lab = Lab::up();
    let vm = lab.vm();
    let octets: std::net::Ipv4Addr = vm.host().parse().expect("an address");
    let slot = octets.octets()[2] / 4;
    // The kernel is asked where such a packet would go; none is sent.
    let mut route = Command::new("ip");
    route.args(["-n", &format!("rg{slot}-edge"), "route", "get", "198.51.100.1"]);
    assert_ne!(Ran::of(route).exit, 0, "the edge has a way out of the host");
    let listener = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let knock = format!("timeout 2 bash -c 'exec 3<>/dev/tcp/198.19.{slot}.1/{port}'");
    assert_ne!(vm.sh(&knock).exit, 0);
}
