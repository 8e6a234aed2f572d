//! `az vm extension`: VMAccess exactly as the page says it, and as it is meant.

use e2e::Client;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

const BREAK: &str = "echo 'Port 2222' >>/etc/ssh/sshd_config; systemctl restart ssh";

pub(crate) fn family() -> Family {
    Family::new(
        "vm extension",
        BOTH,
        World::Vm,
        vec![
            // The page's own file, with its capital T.
            run("vm extension set --resource-group {g} --vm-name {vm} --name VMAccessForLinux \
                 --publisher Microsoft.OSTCExtensions --version 1.2 --settings settings.json")
            .given(Write("{home}/settings.json", "{\n    \"reset_ssh\":True\n}\n"))
            .given(Guest(BREAK))
            .given(NoLogin("azureuser"))
            .then(Is("/provisioningState", json!("Succeeded")))
            .then(Is("/typeHandlerVersion", json!("1.2")))
            .then(Soon(Box::new(Login("azureuser")))),
            run("vm extension set -g {g} --vm-name {vm} -n VMAccessForLinux \
                 --publisher Microsoft.OSTCExtensions --version 1.5 \
                 --protected-settings password.json")
            .given(Write(
                "{home}/password.json",
                "{\"username\":\"filed\", \"password\":\"Tea-and-Cake-42\"}",
            ))
            .then(SaysNot("Tea-and-Cake-42"))
            .then(Soon(Box::new(Password("filed", "Tea-and-Cake-42")))),
            run("vm extension set -g {g} --vm-name {vm} -n VMAccessForLinux \
                 --publisher Microsoft.OSTCExtensions --version 1.5 \
                 --protected-settings '{\"username\":\"inline\",\"password\":\"Tea-and-Cake-43\"}'")
            .then(Soon(Box::new(Password("inline", "Tea-and-Cake-43")))),
            run("vm extension set -g {g} --vm-name {vm} -n VMAccessForLinux \
                 --publisher Microsoft.OSTCExtensions --settings '{\"reset_ssh\":true}'")
            .given(Guest("systemctl stop ssh"))
            .then(Soon(Box::new(Login("azureuser")))),
            run("vm extension list -g {g} --vm-name {vm}")
                .then(Lists("", "/typePropertiesType", "VMAccessForLinux"))
                .then(SaysNot("Tea-and-Cake")),
            run("vm extension show -g {g} --vm-name {vm} -n VMAccessForLinux")
                .then(Is("/publisher", json!("Microsoft.OSTCExtensions")))
                .then(Is("/provisioningState", json!("Succeeded")))
                .then(SaysNot("Tea-and-Cake")),
            run("vm extension show -g {g} --vm-name {vm} -n VMAccessForLinux --instance-view")
                .then(Lists(
                    "/instanceView/statuses",
                    "/code",
                    "ProvisioningState/succeeded",
                )),
            run("vm extension wait -g {g} --vm-name {vm} -n VMAccessForLinux --created")
                .only(&[Client::Az]),
            run("vm extension image list -l local -p Microsoft.OSTCExtensions")
                .then(Lists("", "/name", "VMAccessForLinux")),
            run("vm extension image list-names -l local -p Microsoft.OSTCExtensions")
                .only(&[Client::Az])
                .then(Says("VMAccessForLinux")),
            // A password that nobody may have; the words of the failure reach az.
            fails(1, "vm extension set -g {g} --vm-name {vm} -n VMAccessForLinux \
                      --publisher Microsoft.OSTCExtensions --version 1.5 \
                      --protected-settings '{\"username\":\"azureuser\",\"ssh_key\":\"nonsense\"}'")
            .then(Complains("(InvalidParameter)"))
            .then(Login("azureuser")),
            fails(3, "vm extension set -g {g} --vm-name {vm} -n NoSuchThing \
                      --publisher Nobody --version 1.0"),
            fails(3, "vm extension show -g {g} --vm-name {vm} -n nothing"),
            run("vm extension delete -g {g} --vm-name {vm} -n VMAccessForLinux")
                .then(Login("azureuser")),
            run("vm extension list -g {g} --vm-name {vm}").then(Count("", 0)),
            fails(3, "vm extension list -g {g} --vm-name {vm}-none"),
        ],
    )
}
