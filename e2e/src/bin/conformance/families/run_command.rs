//! `az vm run-command`: a script runs as root in the guest, and its words come back.

use e2e::Client;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "vm run-command",
        BOTH,
        World::Vm,
        vec![
            run("vm run-command invoke -g {g} -n {vm} --command-id RunShellScript \
                 --scripts 'echo hello from $(hostname)' 'id -un | tee /root/who'")
            .then(Has("/value/0/message", "hello from {vm}"))
            .then(Guest("grep -qx root /root/who")),
            run("vm run-command invoke -g {g} -n {vm} --command-id RunShellScript \
                 --scripts 'echo $a and $1' --parameters a=one two")
            .then(Has("/value/0/message", "[stdout]")),
            run("vm run-command invoke -g {g} -n {vm} --command-id RunShellScript \
                 --scripts @script.sh")
            .given(Write("{home}/script.sh", "grep Port /etc/ssh/sshd_config\nexit 3\n"))
            .then(Has("/value/0/message", "Port 22")),
            run("vm run-command invoke -g {g} -n {vm} --command-id RunShellScript \
                 --scripts 'systemctl restart ssh'")
            .given(Guest("systemctl stop ssh"))
            .given(NoLogin("azureuser"))
            .then(Soon(Box::new(Login("azureuser")))),
            run("vm run-command list -l local").then(Lists("", "/id", "RunShellScript")),
            run("vm run-command show -l local --command-id RunShellScript")
                .then(Has("/id", "RunShellScript")),
            run("vm run-command list -g {g} --vm-name {vm}")
                .only(&[Client::Az])
                .then(Count("", 0)),
            fails(1, "vm run-command invoke -g {g} -n {vm} --command-id NoSuchCommand"),
            fails(
                3,
                "vm run-command invoke -g {g} -n {vm}-none --command-id RunShellScript \
                      --scripts id",
            ),
        ],
    )
}
