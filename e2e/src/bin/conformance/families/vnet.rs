//! VNets, subnets, public addresses and NICs come, are shown, change and go.

use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "network vnet",
        BOTH,
        World::Group,
        vec![
            run("network vnet create -g {g} -n net --address-prefixes 10.7.0.0/16 \
                 --subnet-name front --subnet-prefixes 10.7.1.0/24")
            .then(Is("/newVNet/name", json!("net")))
            .then(Is("/newVNet/subnets/0/name", json!("front"))),
            run("network vnet show -g {g} -n net")
                .then(Is("/addressSpace/addressPrefixes/0", json!("10.7.0.0/16"))),
            run("network vnet list -g {g}").then(Count("", 1)),
            run("network vnet update -g {g} -n net --set tags.a=b")
                .then(Is("/tags/a", json!("b"))),
            run("network vnet subnet create -g {g} --vnet-name net -n back \
                 --address-prefixes 10.7.2.0/24")
            .then(Is("/provisioningState", json!("Succeeded"))),
            run("network vnet subnet list -g {g} --vnet-name net").then(Count("", 2)),
            run("network nsg create -g {g} -n guard"),
            run("network vnet subnet update -g {g} --vnet-name net -n back \
                 --network-security-group guard")
            .then(Has("/networkSecurityGroup/id", "guard")),
            run("network vnet subnet show -g {g} --vnet-name net -n back")
                .then(Has("/networkSecurityGroup/id", "guard")),
            run("network public-ip create -g {g} -n ip --sku Standard")
                .then(Is("/publicIp/publicIPAllocationMethod", json!("Static")))
                .then(There("/publicIp/ipAddress"))
                .keep("fixed", "/publicIp/ipAddress"),
            run("network public-ip show -g {g} -n ip")
                .then(Is("/ipAddress", json!("{fixed}"))),
            run("network public-ip list -g {g}").then(Count("", 1)),
            run("network public-ip update -g {g} -n ip --set tags.a=b")
                .then(Is("/tags/a", json!("b"))),
            run("network nic create -g {g} -n nic --vnet-name net --subnet front \
                 --public-ip-address ip --private-ip-address 10.7.1.77")
            .then(Is("/NewNIC/ipConfigurations/0/privateIPAddress", json!("10.7.1.77"))),
            run("network nic show -g {g} -n nic")
                .then(Has("/ipConfigurations/0/publicIPAddress/id", "/ip")),
            run("network nic list -g {g}").then(Count("", 1)),
            run("network nic update -g {g} -n nic --network-security-group guard")
                .then(Has("/networkSecurityGroup/id", "guard")),
            run("network nic ip-config list -g {g} --nic-name nic").then(Count("", 1)),
            run("network nsg rule create -g {g} --nsg-name guard -n ssh --priority 100 \
                 --destination-port-ranges 22 --access Allow --protocol Tcp"),
            // All of it carries a VM.
            run("vm create -g {g} -n {vm} --image Debian12 --admin-username azureuser \
                 --ssh-key-values {pub} --nics nic")
            .then(Is("/privateIpAddress", json!("10.7.1.77")))
            .then(Is("/publicIpAddress", json!("{fixed}")))
            .keep("ip", "/publicIpAddress")
            .then(Soon(Box::new(Login("azureuser"))))
            .then(Guest("ip -o address show | grep -q 10.7.1.77/24")),
            fails(1, "network nic delete -g {g} -n nic"),
            fails(1, "network public-ip delete -g {g} -n ip"),
            fails(1, "network vnet subnet delete -g {g} --vnet-name net -n front"),
            fails(1, "network vnet delete -g {g} -n net"),
            fails(
                1,
                "network vnet subnet create -g {g} --vnet-name net -n far \
                      --address-prefixes 10.9.0.0/24",
            )
            .then(Complains("(NetcfgInvalidSubnet)")),
            run("vm delete -g {g} -n {vm} --yes"),
            run("network nic delete -g {g} -n nic"),
            run("network public-ip delete -g {g} -n ip"),
            run("network vnet subnet delete -g {g} --vnet-name net -n back"),
            run("network vnet delete -g {g} -n net"),
            run("network vnet list -g {g}").then(Count("", 0)),
            fails(3, "network nic show -g {g} -n nic"),
            fails(3, "network public-ip show -g {g} -n ip"),
            fails(3, "network vnet subnet show -g {g} --vnet-name net -n back"),
        ],
    )
}
