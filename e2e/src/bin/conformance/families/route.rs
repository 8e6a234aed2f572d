//! Route tables: packets go where they say.

use e2e::way_in::Knock;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "network route-table",
        BOTH,
        World::Vm,
        vec![
            run("network route-table create -g {g} -n table")
                .then(Is("/provisioningState", json!("Succeeded"))),
            run("network route-table show -g {g} -n table").then(Is("/name", json!("table"))),
            run("network route-table list -g {g}").then(Count("", 1)),
            run("network route-table update -g {g} -n table --set tags.a=b")
                .then(Is("/tags/a", json!("b"))),
            run("network route-table route create -g {g} --route-table-name table -n nowhere \
                 --address-prefix 0.0.0.0/0 --next-hop-type None")
            .then(Is("/nextHopType", json!("None"))),
            run("network route-table route list -g {g} --route-table-name table")
                .then(Count("", 1)),
            run("network route-table route show -g {g} --route-table-name table -n nowhere")
                .then(Is("/addressPrefix", json!("0.0.0.0/0"))),
            run("network vnet subnet update -g {g} --vnet-name {vm}VNET -n {vm}Subnet \
                 --route-table table")
            .given(Login("azureuser"))
            .then(Knock("{ip}", "22", Knock::Silent)),
            run("network nic show-effective-route-table -g {g} -n {vm}VMNic")
                .then(Lists("/value", "/nextHopType", "None"))
                .then(Lists("/value", "/source", "User")),
            run("network watcher show-next-hop -g {g} --vm {vm} --source-ip 10.0.0.4 \
                 --dest-ip 198.51.100.7")
            .then(Is("/nextHopType", json!("None")))
            .then(Has("/routeTableId", "/table")),
            run("network route-table route update -g {g} --route-table-name table -n nowhere \
                 --next-hop-type Internet")
            .then(Login("azureuser")),
            run("network route-table route delete -g {g} --route-table-name table -n nowhere")
                .then(Login("azureuser")),
            fails(1, "network route-table delete -g {g} -n table"),
            run("network vnet subnet update -g {g} --vnet-name {vm}VNET -n {vm}Subnet \
                 --remove routeTable"),
            run("network route-table delete -g {g} -n table"),
            fails(3, "network route-table show -g {g} -n table"),
            fails(3, "network route-table route list -g {g} --route-table-name table"),
        ],
    )
}
