//! What only a real VM can do.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use machine::{End, Engine, Error, Fabric, Nic, Power, SeedFile, Stop, Topology, Vnet};

use super::lab::{Lab, PATIENCE, Seen, attachment, id, look, remains};
use super::{argv, eventually, exec, nspawn, spec, told, up};

/// A key of its own, so that sshd starts: images have none.
fn host_key(lab: &Lab) -> SeedFile {
    let path = lab.path("host_key");
    if !path.exists() {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
    }
    SeedFile {
        path: "/etc/ssh/ssh_host_ed25519_key".into(),
        mode: 0o600,
        contents: fs::read(path).unwrap(),
    }
}

/// A VM that answers to SSH at an address of the host.
fn with_ssh(lab: &Lab, name: &str) -> (Box<dyn Engine>, Ipv4Addr) {
    let engine = nspawn(lab.state());
    let fabric = Fabric::up(lab.state()).unwrap();
    let mut spec = spec(name, 4);
    spec.files.push(host_key(lab));
    let public = Ipv4Addr::from_bits(fabric.public_range().network().to_bits() + 4);
    let nic = Nic {
        address: spec.network.address,
        public: Some(public),
        secondary: vec![],
        forwards: false,
        detours: vec![],
        inbound: vec![],
        outbound: vec![],
    };
    let vnet =
        Vnet { name: spec.network.vnet.clone(), nics: vec![nic], frontends: vec![] };
    fabric.apply(&Topology { vnets: vec![vnet] }).unwrap();
    engine.create(&spec).unwrap();
    (engine, public)
}

fn has_banner(address: Ipv4Addr) -> bool {
    matches!(look(address, 22), Seen::Banner(line) if line.starts_with("SSH-2.0-OpenSSH"))
}

#[test]
fn a_machine_answers_at_its_public_address_and_vanishes_when_stopped() {
    let lab = Lab::new();
    let (engine, address) = with_ssh(&lab, "vm1");
    assert_eq!(look(address, 22), Seen::TimedOut);
    engine.start(&id("vm1")).unwrap();
    eventually("a banner", || has_banner(address));
    engine.stop(&id("vm1"), Stop::Graceful).unwrap();
    assert_eq!(look(address, 22), Seen::TimedOut);
}

#[test]
fn a_reboot_inside_forgets_the_firewall_and_keeps_the_disk() {
    let lab = Lab::new();
    let (engine, address) = with_ssh(&lab, "vm1");
    engine.start(&id("vm1")).unwrap();
    eventually("a banner", || has_banner(address));
    let lock_out = "nft add table ip t && nft 'add chain ip t c { type filter hook input priority 0; policy drop; }' \
                    && ip route flush table main && touch /kept";
    told(&*engine, "vm1", &["sh", "-c", lock_out]);
    assert_eq!(look(address, 22), Seen::TimedOut);

    told(&*engine, "vm1", &["systemctl", "reboot"]);

    eventually("a banner after the reboot", || has_banner(address));
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Running);
    assert_eq!(told(&*engine, "vm1", &["ls", "/kept"]), "/kept");
    assert_eq!(told(&*engine, "vm1", &["nft", "list", "ruleset"]), "");
}

#[test]
fn a_machine_that_powers_itself_off_is_stopped_and_leaves_nothing() {
    let lab = Lab::new();
    let (engine, address) = with_ssh(&lab, "vm1");
    engine.start(&id("vm1")).unwrap();
    eventually("a banner", || has_banner(address));
    told(&*engine, "vm1", &["systemctl", "poweroff"]);
    eventually("power off", || engine.power(&id("vm1")).unwrap() == Power::Stopped);
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&*lab.state().to_string_lossy()));
    engine.start(&id("vm1")).unwrap();
    eventually("a banner", || has_banner(address));
}

#[test]
fn a_temporary_disk_outlives_a_restart_and_stays_behind_when_its_machine_moves() {
    let lab = Lab::new();
    let engine = nspawn(lab.state());
    up(&*engine, "vm1", 4);
    let sh = |script: &str| told(&*engine, "vm1", &["sh", "-c", script]);
    let restart = |moved: bool| {
        engine.stop(&id("vm1"), Stop::Graceful).unwrap();
        if moved {
            engine.relocate(&id("vm1"), &attachment("vnet", 9)).unwrap();
        }
        engine.start(&id("vm1")).unwrap();
    };
    sh("echo a >/mnt/data && echo b >/root/data && mountpoint -q /mnt");
    assert!(sh("cat /mnt/DATALOSS_WARNING_README.txt").contains("TEMPORARY DISK"));
    restart(false);
    assert_eq!(sh("cat /mnt/data /root/data"), "a\nb");
    sh("chattr +i /mnt/data || true");
    restart(true);
    assert_eq!(sh("ls /mnt; cat /root/data"), "DATALOSS_WARNING_README.txt\nb");
    assert!(sh("ip -o -4 addr show eth0").contains("10.0.0.9/24"));
}

#[test]
fn a_machine_whose_init_is_killed_has_broken_off() {
    let lab = Lab::new();
    let engine = nspawn(lab.state());
    up(&*engine, "vm1", 4);
    engine.stop(&id("vm1"), Stop::Hard).unwrap();
    assert_eq!(engine.ended(&id("vm1")).unwrap(), Some(End::BrokenOff));
}

#[test]
fn siblings_have_identities_and_processes_of_their_own() {
    let lab = Lab::new();
    let engine = nspawn(lab.state());
    for (name, last) in [("vm1", 4), ("vm2", 5)] {
        up(&*engine, name, last);
    }
    let of = |name, words: &[&str]| told(&*engine, name, words);
    assert_ne!(
        of("vm1", &["cat", "/etc/machine-id"]),
        of("vm2", &["cat", "/etc/machine-id"])
    );
    assert_eq!(of("vm1", &["cat", "/etc/machine-id"]).len(), 32);
    assert_eq!(of("vm1", &["cat", "/etc/hostname"]), "vm1");
    assert_eq!(
        of("vm1", &["stat", "-c", "%a %U", "/var/lib/regain/provision.json"]),
        "600 root"
    );
    assert_eq!(of("vm1", &["cat", "/var/lib/regain/provision.json"]), "a secret");
    assert!(
        of("vm2", &["ip", "-o", "-4", "addr", "show", "eth0"]).contains("10.0.0.5/24")
    );
    assert!(
        of("vm2", &["cat", "/sys/class/net/eth0/address"]).contains("00:0d:3a:00:00:05")
    );
}

#[test]
fn a_command_that_hangs_is_ended() {
    let lab = Lab::new();
    let engine = nspawn(lab.state());
    up(&*engine, "vm1", 4);
    let hang = argv(&["sh", "-c", "sleep 1234; true"]);
    let error =
        engine.exec(&id("vm1"), &hang, b"", Duration::from_millis(300)).unwrap_err();
    assert!(matches!(error, Error::Command(_)), "{error}");
    eventually("the end of all of it", || {
        exec(&*engine, "vm1", &["pgrep", "-f", "sleep 1234"]).status == 1
    });
}

#[test]
fn an_init_that_cannot_run_is_a_failed_boot_with_its_words() {
    let lab = Lab::new();
    let engine = nspawn(lab.state());
    let mut spec = spec("vm1", 4);
    // nspawn looks for these, in this order.
    for path in ["/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init"] {
        let contents = b"#!/nonexistent\n".to_vec();
        spec.files.push(SeedFile { path: path.into(), mode: 0o755, contents });
    }
    engine.create(&spec).unwrap();
    let error = engine.start(&id("vm1")).unwrap_err();
    assert!(
        matches!(&error, Error::DidNotBoot { console, .. } if !console.is_empty()),
        "{error}"
    );
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Stopped);
}

#[test]
fn a_file_that_the_guest_made_immutable_does_not_outlive_it() {
    let lab = Lab::new();
    let engine = nspawn(lab.state());
    up(&*engine, "vm1", 4);
    told(&*engine, "vm1", &["sh", "-c", "touch /stone && chattr +i /stone"]);
    engine.delete(&id("vm1")).unwrap();
    assert_eq!(fs::read_dir(lab.path("machines")).unwrap().count(), 0);
}

/// Set for the copy of this test that plays the server.
const SERVER: &str = "REGAIN_TEST_SERVER";

#[test]
fn a_machine_outlives_the_server_that_started_it() {
    if let Some(state) = std::env::var_os(SERVER) {
        nspawn(Path::new(&state)).start(&id("vm1")).unwrap();
        std::thread::sleep(PATIENCE);
        panic!("nobody killed the server");
    }
    let lab = Lab::new();
    let (engine, address) = with_ssh(&lab, "vm1");
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nspawn_only::a_machine_outlives_the_server_that_started_it"])
        .env(SERVER, lab.state())
        .spawn()
        .unwrap();
    eventually("a banner", || has_banner(address));
    server.kill().unwrap();
    server.wait().unwrap();

    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Running);
    assert!(has_banner(address));
    assert_eq!(told(&*engine, "vm1", &["hostname"]), "vm1");
    engine.console(&id("vm1")).unwrap();
    engine.stop(&id("vm1"), Stop::Graceful).unwrap();
    assert_eq!(look(address, 22), Seen::TimedOut);
}

#[test]
fn a_machine_whose_keeper_is_killed_is_stopped_and_starts_again() {
    let lab = Lab::new();
    let (engine, address) = with_ssh(&lab, "vm1");
    engine.start(&id("vm1")).unwrap();
    eventually("a banner", || has_banner(address));
    let record = fs::read(lab.path("machines/vm1/keeper.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let pid = record["keeper"]["pid"].to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());

    eventually("the end", || engine.power(&id("vm1")).unwrap() == Power::Stopped);
    engine.start(&id("vm1")).unwrap();
    eventually("a banner", || has_banner(address));
}

#[test]
fn teardown_leaves_nothing_of_running_machines() {
    let lab = Lab::new();
    let (engine, address) = with_ssh(&lab, "vm1");
    up(&*engine, "vm2", 5);
    engine.start(&id("vm1")).unwrap();
    eventually("a banner", || has_banner(address));
    let k = address.octets()[2] / 4;
    let (slot, table) = (format!("rg{k}"), format!("regain{k}"));
    assert!(remains(&slot, &table, lab.state()).len() >= 8, "the lab is there");

    let root = fs::metadata(lab.path("machines/vm1/merged")).unwrap();
    let lock = format!("/run/systemd/nspawn/locks/inode-{}:{}", root.dev(), root.ino());
    assert!(Path::new(&lock).exists());

    machine::teardown(lab.state()).unwrap();

    assert!(!Path::new(&lock).exists());
    assert_eq!(remains(&slot, &table, lab.state()), Vec::<String>::new());
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Stopped);
    machine::teardown(lab.state()).unwrap();
}
