//! `vm user`: SSH reset, keys, passwords and accounts through VMAccess.

use e2e::Lab;

#[test]
fn reset_ssh_brings_back_a_configuration_that_works() {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh("printf 'Port 2222\\nAllowUsers nobody\\n' >/etc/ssh/sshd_config; systemctl restart ssh").ok();
    assert_ne!(vm.ssh("true").exit, 0);
    lab.regain(&["vm", "user", "reset-ssh", "-g", "lab", "-n", "vm1"]).ok();
    vm.ssh("true").ok();
}

#[test]
fn reset_ssh_spares_a_server_that_is_well_and_restarts_any_other() {
    let lab = Lab::up();
    let vm = lab.vm();
    let server = || vm.sh("systemctl show --property=MainPID --value ssh").ok().stdout;
    let reset =
        || lab.regain(&["vm", "user", "reset-ssh", "-g", "lab", "-n", "vm1"]).ok();

    // More often than systemd would restart a unit in ten seconds.
    let first = server();
    for _ in 0..8 {
        reset();
        vm.ssh("true").ok();
    }
    assert_eq!(server(), first, "a server that is well reads its configuration again");

    for harm in [
        "kill -STOP $(systemctl show --property=MainPID --value ssh)",
        "echo 'SSHD_OPTS=-4' >/etc/default/ssh",
        "mkdir /run/systemd/system/ssh.service.d && cd $_ \
         && printf '[Service]\\nNice=1\\n' >nice.conf && systemctl daemon-reload",
        "systemctl stop ssh",
    ] {
        let before = server();
        vm.sh(harm).ok();
        reset();
        assert_ne!(server(), before, "still the same server after: {harm}");
        vm.ssh("true").ok();
    }
}

#[test]
fn every_kind_of_key_lets_its_owner_in() {
    let lab = Lab::up();
    let vm = lab.vm();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = lab.home().join(format!("id_{kind}"));
        let mut keygen = std::process::Command::new("ssh-keygen");
        keygen.args(["-q", "-t", kind, "-N", "", "-f"]).arg(&key);
        e2e::Ran::of(keygen).ok();
        lab.say(&format!(
            "vm user update -g lab -n vm1 --username owner --ssh-key-value {}.pub",
            key.display()
        ))
        .ok();
        let mut ssh = std::process::Command::new("ssh");
        ssh.args([
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "IdentitiesOnly=yes",
        ])
        .args(["-o", "UserKnownHostsFile=/dev/null", "-i"])
        .arg(&key)
        .arg(format!("owner@{}", vm.host()))
        .arg("sudo -n id -un");
        let ran = e2e::Ran::of(ssh).ok();
        assert_eq!(ran.stdout.trim(), "root", "{kind}");
    }
}

#[test]
fn a_password_is_set_and_an_account_is_removed() {
    let lab = Lab::up();
    let vm = lab.vm();
    lab.say("vm user update -g lab -n vm1 --username guest1 --password Correct-Horse-7")
        .ok();
    let shadow = vm.sh("getent shadow guest1").ok().stdout;
    assert!(shadow.starts_with("guest1:$6$"), "{shadow}");
    lab.say("vm user delete -g lab -n vm1 --username guest1").ok();
    assert_ne!(vm.sh("getent passwd guest1").exit, 0);
}
