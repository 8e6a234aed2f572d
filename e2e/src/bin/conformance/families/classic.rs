//! The classic CLI, reduced: it waits half a minute before it asks after an operation.

use e2e::Client;

use crate::case::{Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "classic",
        &[Client::Classic],
        World::Vm,
        vec![
            run("config mode arm"),
            run("account list").then(Says("{sub}")),
            run("vm list {g}").then(Says("{vm}")),
            run("vm show {g} {vm}").then(Says("azureuser")),
            run("vm reset-access --resource-group {g} --name {vm} --reset-ssh")
                .given(Guest(
                    "echo 'PermitRootLogn no' >>/etc/ssh/sshd_config; \
                     systemctl restart ssh || true",
                ))
                .given(NoLogin("azureuser"))
                .then(Soon(Box::new(Login("azureuser")))),
            run(
                "vm reset-access --resource-group {g} --name {vm} --user-name azureuser \
                 --password Gin-and-Tonic-9",
            )
            .then(Soon(Box::new(Password("azureuser", "Gin-and-Tonic-9")))),
            run(
                "vm reset-access --resource-group {g} --name {vm} --user-name azureuser \
                 --ssh-key-file {pub}",
            )
            .given(Guest("rm -rf /home/azureuser/.ssh"))
            .given(NoLogin("azureuser"))
            .then(Login("azureuser")),
            run(
                "vm extension set {g} {vm} VMAccessForLinux Microsoft.OSTCExtensions 1.2 \
                 --private-config-path settings.json",
            )
            .given(Write("{home}/settings.json", "{\"reset_ssh\":true}"))
            .given(Guest("systemctl stop ssh"))
            .then(Soon(Box::new(Login("azureuser")))),
            run("vm restart --resource-group {g} --name {vm}")
                .given(Guest("touch /run/before"))
                .then(Soon(Box::new(Guest("test ! -e /run/before"))))
                .then(Soon(Box::new(Login("azureuser")))),
            run("vm redeploy --resource-group {g} --vm-name {vm}"),
            fails(1, "vm restart --resource-group {g} --name nobody"),
        ],
    )
}
