//! Load balancers: an inbound NAT rule leads a port of theirs to a VM's.

use e2e::way_in::Knock;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "network lb",
        BOTH,
        World::Vm,
        vec![
            run("network public-ip create -g {g} -n front --sku Standard")
                .keep("front", "/publicIp/ipAddress"),
            run("network nic show -g {g} -n {vm}VMNic")
                .keep("ipconfig", "/ipConfigurations/0/name"),
            run("network lb create -g {g} -n lb --sku Standard --public-ip-address front \
                 --frontend-ip-name fe --backend-pool-name be")
            .then(Is("/loadBalancer/frontendIPConfigurations/0/name", json!("fe"))),
            run("network lb show -g {g} -n lb").then(Is("/sku/name", json!("Standard"))),
            run("network lb list -g {g}").then(Count("", 1)),
            run("network lb update -g {g} -n lb --set tags.a=b").then(Is("/tags/a", json!("b"))),
            run("network lb frontend-ip list -g {g} --lb-name lb").then(Count("", 1)),
            run("network lb address-pool list -g {g} --lb-name lb").then(Count("", 1)),
            run("network lb inbound-nat-rule create -g {g} --lb-name lb -n ssh --protocol Tcp \
                 --frontend-port 50022 --backend-port 22 --frontend-ip-name fe")
            .then(Is("/frontendPort", json!(50022))),
            run("network nic ip-config inbound-nat-rule add -g {g} --nic-name {vm}VMNic \
                 --ip-config-name {ipconfig} --lb-name lb --inbound-nat-rule ssh")
            .given(Knock("{front}", "50022", Knock::Silent))
            .then(Soon(Box::new(LoginAt("azureuser", "{front}", "50022", "{key}"))))
            .then(Knock("{front}", "22", Knock::Silent)),
            run("network lb inbound-nat-rule list -g {g} --lb-name lb")
                .then(Count("", 1))
                .then(Has("/0/backendIPConfiguration/id", "{vm}VMNic")),
            run("network lb inbound-nat-rule show -g {g} --lb-name lb -n ssh")
                .then(Is("/backendPort", json!(22))),
            run("network lb inbound-nat-rule update -g {g} --lb-name lb -n ssh \
                 --frontend-port 50023")
            .then(Soon(Box::new(LoginAt("azureuser", "{front}", "50023", "{key}"))))
            .then(Knock("{front}", "50022", Knock::Silent)),
            // The NSG is asked about the port behind the balancer.
            run("network nsg rule create -g {g} --nsg-name {vm}NSG -n deny-ssh --priority 100 \
                 --access Deny --protocol Tcp --destination-port-ranges 22")
            .then(Knock("{front}", "50023", Knock::Silent)),
            run("network nsg rule delete -g {g} --nsg-name {vm}NSG -n deny-ssh")
                .then(Soon(Box::new(LoginAt("azureuser", "{front}", "50023", "{key}")))),
            fails(1, "network lb inbound-nat-rule create -g {g} --lb-name lb -n again \
                      --protocol Tcp --frontend-port 50023 --backend-port 23 \
                      --frontend-ip-name fe"),
            run("network nic ip-config inbound-nat-rule remove -g {g} --nic-name {vm}VMNic \
                 --ip-config-name {ipconfig} --lb-name lb --inbound-nat-rule ssh")
            .then(Knock("{front}", "50023", Knock::Silent)),
            run("network lb inbound-nat-rule delete -g {g} --lb-name lb -n ssh"),
            run("network lb delete -g {g} -n lb").then(Gone("network lb show -g {g} -n lb")),
            fails(3, "network lb show -g {g} -n lb").then(Complains("(ResourceNotFound)")),
        ],
    )
}
