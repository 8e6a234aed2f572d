//! A healthy VM is called healthy, whatever else is odd about it.

use e2e::Lab;

#[test]
fn a_healthy_vm_is_reachable_and_nothing_is_named() {
    let lab = Lab::up();
    let (ran, verdict) = lab.vm().diagnose();
    assert_eq!(ran.exit, 0, "{ran:#?}");
    assert_eq!(verdict["reachable"], true);
    assert_eq!(verdict["causes"].as_array().map(Vec::len), Some(0));
}

#[test]
fn oddities_that_do_not_stop_a_login_are_no_alarm() {
    let lab = Lab::up();
    let vm = lab.vm();
    vm.sh("printf 'Protocol 2\\nUsePrivilegeSeparation yes\\n' >>/etc/ssh/sshd_config && systemctl reload ssh").ok();
    vm.sh("nft add table inet f && nft 'add chain inet f i { type filter hook input priority 0; }' && nft add rule inet f i tcp dport 2222 drop").ok();
    vm.sh("useradd -s /usr/sbin/nologin -e 1 other").ok();
    assert_eq!(vm.root_cause(), None);
    vm.ssh("true").ok();
}
