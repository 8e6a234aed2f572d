//! A VM is seen, stopped, started, moved and removed; what az says of it is so.

use e2e::way_in::Knock;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    let mut family = Family::new(
        "vm life",
        BOTH,
        World::Vm,
        vec![
            run("vm list -g {g}")
                .then(Count("", 1))
                .then(Is("/0/name", json!("{vm}")))
                .then(Is("/0/provisioningState", json!("Succeeded"))),
            run("vm list").then(Lists("", "/name", "{vm}")),
            run("vm list -d -g {g}")
                .then(Is("/0/powerState", json!("VM running")))
                .then(Is("/0/publicIps", json!("{ip}"))),
            run("vm show -g {g} -n {vm}")
                .then(Is("/osProfile/adminUsername", json!("azureuser"))),
            run("vm show -g {g} -n {vm} -d")
                .then(Is("/powerState", json!("VM running")))
                .then(Is("/privateIps", json!("10.0.0.4"))),
            run("vm show --ids {vmid} --query name -o tsv").then(Says("{vm}")),
            run("vm get-instance-view -g {g} -n {vm}")
                .then(Lists("/instanceView/statuses", "/code", "PowerState/running"))
                .then(There("/instanceView/vmAgent")),
            run("vm list-ip-addresses -g {g} -n {vm}").then(Is(
                "/0/virtualMachine/network/publicIpAddresses/0/ipAddress",
                json!("{ip}"),
            )),
            run("vm update -g {g} -n {vm} --set tags.team=blue")
                .then(Is("/tags/team", json!("blue")))
                .then(Login("azureuser")),
            run("vm stop -g {g} -n {vm}").then(Knock("{ip}", "22", Knock::Silent)).then(
                Shows("vm show -d -g {g} -n {vm}", "/powerState", json!("VM stopped")),
            ),
            run("vm start -g {g} -n {vm}").then(Soon(Box::new(Login("azureuser")))),
            run("vm restart -g {g} -n {vm}")
                .given(Guest("touch /run/before /root/kept"))
                .then(Soon(Box::new(Login("azureuser"))))
                .then(Guest("test ! -e /run/before && test -e /root/kept")),
            run("vm restart -g {g} -n {vm} --no-wait")
                .given(Guest("touch /run/before"))
                .then(Soon(Box::new(Guest("test ! -e /run/before"))))
                .then(Soon(Box::new(Login("azureuser")))),
            run("vm wait -g {g} -n {vm} --updated"),
            run("vm wait -g {g} -n {vm} --custom \
                 \"instanceView.statuses[?code=='PowerState/running']\""),
            run("vm redeploy -g {g} -n {vm}")
                .given(Guest("touch /mnt/lost /root/kept"))
                .then(Shows(
                    "vm show -d -g {g} -n {vm}",
                    "/powerState",
                    json!("VM running"),
                ))
                .then(Soon(Box::new(Guest("test ! -e /mnt/lost && test -e /root/kept")))),
            run("vm show -d -g {g} -n {vm}")
                .keep("ip", "/publicIps")
                .then(Soon(Box::new(Login("azureuser")))),
            run("vm reapply -g {g} -n {vm}").then(Login("azureuser")),
            run("vm deallocate -g {g} -n {vm}")
                .then(Knock("{ip}", "22", Knock::Silent))
                .then(Shows(
                    "vm show -d -g {g} -n {vm}",
                    "/powerState",
                    json!("VM deallocated"),
                )),
            run("vm start -g {g} -n {vm}"),
            run("vm show -d -g {g} -n {vm}")
                .keep("ip", "/publicIps")
                .then(Soon(Box::new(Login("azureuser"))))
                .then(Guest("test -e /root/kept")),
            run("vm delete -g {g} -n {vm} --yes")
                .then(Knock("{ip}", "22", Knock::Silent))
                .then(Gone("vm show -g {g} -n {vm}")),
            fails(3, "vm show -g {g} -n {vm}").then(Complains("(ResourceNotFound)")),
            fails(3, "vm restart -g {g} -n {vm}").then(Complains("(ResourceNotFound)")),
            run("vm wait -g {g} -n {vm} --deleted"),
            fails(3, "vm list -g {g}-none").then(Complains("(ResourceGroupNotFound)")),
            fails(1, "vm restart -n {vm}").then(Complains("--resource-group")),
        ],
    );
    family.cases.push(run("vm list -g {g}").then(Count("", 0)));
    family
}
