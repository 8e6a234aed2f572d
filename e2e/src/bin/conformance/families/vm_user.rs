//! `az vm user`: whoever was locked out gets in, and nobody else's account changes.

use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

/// What is in the guest before and must be the same after.
const SNAPSHOT: &str =
    "sha256sum /etc/passwd /etc/shadow /home/*/.ssh/authorized_keys >/run/sum";
const UNCHANGED: &str = "sha256sum --status -c /run/sum";

pub(crate) fn family() -> Family {
    Family::new(
        "vm user",
        BOTH,
        World::Vm,
        vec![
            run("vm user reset-ssh -g {g} -n {vm}")
                .given(Guest(SNAPSHOT))
                .given(Guest(
                    "echo 'PermitRootLogn no' >>/etc/ssh/sshd_config; \
                     systemctl restart ssh || true",
                ))
                .given(NoLogin("azureuser"))
                .then(Is("/provisioningState", json!("Succeeded")))
                .then(Is("/name", json!("enablevmaccess")))
                .then(Soon(Box::new(Login("azureuser"))))
                .then(Guest(UNCHANGED))
                .then(Guest("sshd -t")),
            run("vm user reset-ssh --resource-group {g} --name {vm} --no-wait")
                .given(Guest("systemctl stop ssh"))
                .given(NoLogin("azureuser"))
                .then(Soon(Box::new(Login("azureuser")))),
            run("vm user update -g {g} -n {vm} --username azureuser --ssh-key-value {pub}")
                .given(Guest("rm -rf /home/azureuser/.ssh"))
                .given(NoLogin("azureuser"))
                .then(Login("azureuser"))
                .then(Guest("test $(stat -c %a:%U /home/azureuser/.ssh) = 700:azureuser")),
            run("vm user update -g {g} -n {vm} --username azureuser --password Gin-and-Tonic-9")
                .then(Soon(Box::new(Password("azureuser", "Gin-and-Tonic-9"))))
                .then(NoPassword("azureuser", "Rum-and-Cola-9"))
                .then(Login("azureuser")),
            run("vm user update -g {g} -n {vm} -u newcomer --ssh-key-value {pub}")
                .given(Guest("! id newcomer"))
                .then(Login("newcomer"))
                .then(Guest("sudo -n -u newcomer sudo -n true")),
            run("vm user update -g {g} -n {vm} -u texter --ssh-key-value \
                 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKhAvzmFL0kUhJ1vK4rrGJTJyW6tcqCmSwYjMNRQc7gr x'")
            .then(Guest("grep -q KhAvzmFL0kUhJ1vK4rrGJTJyW6tcqCmSwYjMNRQc7gr \
                         /home/texter/.ssh/authorized_keys")),
            run("vm user delete -g {g} -n {vm} --username newcomer")
                .then(Guest("! id newcomer"))
                .then(NoLogin("newcomer"))
                .then(Login("azureuser")),
            // With neither key nor password az sends the path of a file that is not there.
            fails(1, "vm user update -g {g} -n {vm} -u azureuser")
                .given(Guest(SNAPSHOT))
                .then(Complains("id_rsa.pub"))
                .then(Guest(UNCHANGED)),
            fails(1, "vm user update -g {g} -n {vm} -u azureuser --ssh-key-value nonsense")
                .given(Guest(SNAPSHOT))
                .then(Guest(UNCHANGED)),
            fails(1, "vm user delete -g {g} -n {vm} -u root").then(Guest("id root")),
            fails(3, "vm user reset-ssh -g {g} -n {vm}-none")
                .then(Complains("(ResourceNotFound)")),
            fails(2, "vm user update -g {g} -n {vm}"),
            fails(1, "vm user reset-ssh -g {g} -n {vm}")
                .given(Do("vm deallocate -g {g} -n {vm}"))
                .then(Complains("(OperationNotAllowed)")),
        ],
    )
}
