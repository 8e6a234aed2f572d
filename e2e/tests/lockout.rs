//! Each way of being locked out: named, repaired, proved, undone to the byte.

use std::collections::BTreeMap;

use e2e::{Lab, Vm};

/// Files of the guest that repairs may touch: mode, owner and content.
fn fingerprint(vm: &Vm<'_>) -> BTreeMap<String, String> {
    let listing = vm
        .sh("find /etc/ssh /etc/passwd /etc/passwd- /etc/shadow /etc/shadow- /etc/group /home /root \
             -printf '%p %y %m %U:%G ' \\( -type f -exec sha256sum {} \\; -o -printf '\\n' \\) 2>/dev/null")
        .ok()
        .stdout;
    listing
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(path, rest)| (path.to_owned(), rest.to_owned()))
        .collect()
}

/// Break, diagnose, repair, log in, undo: and the guest is as it was broken.
fn regained(fault: &str, script: &str) {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh(script);
    let broken = fingerprint(&vm);
    assert_ne!(vm.ssh("true").exit, 0, "the fault does not lock anybody out");

    assert_eq!(vm.root_cause().as_deref(), Some(fault));
    let (ran, outcome) = vm.repair();
    assert_eq!(ran.exit, 0, "{ran:#?}");
    vm.ssh("true").ok();

    let undo = outcome["undoId"].as_str().expect("a repair can be undone").to_owned();
    // Also who never saw the id, because the repair was killed, finds it.
    let open = || lab.say("undo -o json").ok().json();
    assert_eq!(open()[0]["id"], undo.as_str(), "{}", open());
    lab.regain(&["undo", &undo]).ok();
    assert_eq!(open(), serde_json::json!([]));
    assert_eq!(fingerprint(&vm), broken);
    assert_ne!(vm.ssh("true").exit, 0, "undo brings the fault back");
}

#[test]
fn a_bad_option_in_a_drop_in() {
    regained(
        "sshd.config-bad-option",
        "echo 'PermitRootLogn no' >/etc/ssh/sshd_config.d/90-hardening.conf; systemctl restart ssh",
    );
}

#[test]
fn a_port_moved_in_a_drop_in() {
    regained(
        "sshd.port-changed",
        "echo 'Port 2222' >/etc/ssh/sshd_config.d/10-port.conf; systemctl restart ssh",
    );
}

#[test]
fn an_sshd_that_was_stopped() {
    regained("sshd.not-running", "systemctl stop ssh");
}

#[test]
fn host_keys_that_are_gone() {
    regained("sshd.hostkeys-missing", "rm -f /etc/ssh/ssh_host_*; systemctl restart ssh");
}

#[test]
fn a_home_that_everybody_may_write() {
    regained("auth.home-perms", "chmod 777 /home/azureuser");
}

#[test]
fn an_account_without_keys() {
    regained("auth.no-authorized-keys", "rm -rf /home/azureuser/.ssh");
}

#[test]
fn an_account_that_has_expired() {
    regained("auth.account-expired", "chage -E 0 azureuser");
}

#[test]
fn a_shell_that_says_no() {
    regained("sess.shell-nologin", "usermod -s /usr/sbin/nologin azureuser");
}

#[test]
fn a_drop_in_a_chain_of_its_own() {
    regained(
        "gfw.nft-drop",
        "nft add table ip hardening && \
         nft 'add chain ip hardening early { type filter hook prerouting priority -300; }' && \
         nft add rule ip hardening early tcp dport '{ 22, 23 }' drop",
    );
}

#[test]
fn a_reject_written_by_iptables() {
    regained(
        "gfw.reject-rst",
        "iptables -I INPUT -p tcp --dport 22 -j REJECT --reject-with tcp-reset",
    );
}

#[test]
fn two_faults_at_once_are_regained_one_after_the_other() {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh("chmod 777 /home/azureuser; nft add table inet f; \
           nft 'add chain inet f i { type filter hook input priority 0; policy drop; }' && \
           nft add rule inet f i ct state established accept")
        .ok();
    assert_eq!(vm.root_cause().as_deref(), Some("gfw.nft-drop"));
    let (ran, _) = vm.repair();
    assert_eq!(ran.exit, 0, "{ran:#?}");
    vm.ssh("true").ok();
}
