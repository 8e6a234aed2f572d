//! What `regain` has beyond az: words that az has dropped, the classic CLI's, and one
//! settings file for many VMs.

use e2e::Client;

use crate::case::{Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "own words",
        &[Client::Regain],
        World::Vm,
        vec![
            run("vm access set-linux-user -g {g} -n {vm} --username azureuser \
                 --ssh-key-value {pub}")
            .given(Guest("rm -rf /home/azureuser/.ssh"))
            .given(NoLogin("azureuser"))
            .then(Login("azureuser")),
            run("classic vm reset-access --resource-group {g} --name {vm} --reset-ssh")
                .given(Guest("systemctl stop ssh"))
                .given(NoLogin("azureuser"))
                .then(Soon(Box::new(Login("azureuser")))),
            run("classic vm reset-access --resource-group {g} --name {vm} \
                 --user-name azureuser --password Gin-and-Tonic-9")
            .then(Soon(Box::new(Password("azureuser", "Gin-and-Tonic-9")))),
            run("classic vm reset-access --resource-group {g} --name {vm} \
                 --user-name azureuser --ssh-key-file {pub}")
            .given(Guest("rm -rf /home/azureuser/.ssh"))
            .then(Login("azureuser")),
            run("classic vm restart --resource-group {g} --name {vm}")
                .given(Guest("touch /run/before"))
                .then(Soon(Box::new(Login("azureuser"))))
                .then(Guest("test ! -e /run/before")),
            run("vm create -g {g} -n second --image Debian12 --admin-username azureuser \
                 --ssh-key-values {pub}")
            .keep("secondip", "/publicIpAddress")
            .keep("secondid", "/id"),
            run("vm extension set --ids {vmid} {secondid} --name VMAccessForLinux \
                 --publisher Microsoft.OSTCExtensions --version 1.2 --settings settings.json")
            .given(Write("{home}/settings.json", "{\"reset_ssh\":True}"))
            .given(Guest("systemctl stop ssh"))
            .given(GuestOf("second", "systemctl stop ssh"))
            .then(Soon(Box::new(Login("azureuser"))))
            .then(Soon(Box::new(LoginAt("azureuser", "{secondip}", "22", "{key}")))),
            run("cloud list"),
            fails(3, "classic vm restart --resource-group {g} --name nobody"),
        ],
    )
}
