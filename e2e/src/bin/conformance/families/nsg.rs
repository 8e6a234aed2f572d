//! NSGs and their rules: what they say is what packets meet.

use e2e::Client;
use e2e::way_in::Knock;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "network nsg",
        BOTH,
        World::Vm,
        vec![
            run("network nsg create -g {g} -n other --tags a=b")
                .then(Is("/NewNSG/name", json!("other")))
                .then(Count("/NewNSG/defaultSecurityRules", 6)),
            run("network nsg show -g {g} -n other").then(Is("/tags/a", json!("b"))),
            run("network nsg list -g {g}").then(Count("", 2)),
            run("network nsg update -g {g} -n other --set tags.c=d")
                .then(Is("/tags/c", json!("d"))),
            run("network nsg rule create -g {g} --nsg-name {vm}NSG -n deny-ssh --priority 100 \
                 --access Deny --protocol Tcp --destination-port-ranges 22")
            .then(Is("/provisioningState", json!("Succeeded")))
            .then(Knock("{ip}", "22", Knock::Silent))
            .then(NoLogin("azureuser")),
            run("network nsg rule list -g {g} --nsg-name {vm}NSG")
                .then(Count("", 2))
                .then(Lists("", "/name", "deny-ssh")),
            run("network nsg rule list -g {g} --nsg-name {vm}NSG --include-default")
                .then(Count("", 8)),
            run("network nsg rule show -g {g} --nsg-name {vm}NSG -n deny-ssh")
                .then(Is("/priority", json!(100))),
            run("network nsg rule update -g {g} --nsg-name {vm}NSG -n deny-ssh --access Allow")
                .then(Is("/access", json!("Allow")))
                .then(Login("azureuser")),
            run("network nsg rule update -g {g} --nsg-name {vm}NSG -n deny-ssh --access Deny \
                 --source-address-prefixes 203.0.113.0/24")
            .then(Login("azureuser")),
            run("network nsg rule delete -g {g} --nsg-name {vm}NSG -n deny-ssh")
                .then(Login("azureuser")),
            run("vm open-port -g {g} -n {vm} --port 8080 --priority 900")
                .given(Knock("{ip}", "8080", Knock::Silent))
                .then(Knock("{ip}", "8080", Knock::Refused))
                .then(Shows(
                    "network nsg rule show -g {g} --nsg-name {vm}NSG -n open-port-8080",
                    "/access",
                    json!("Allow"),
                )),
            run("network nic list-effective-nsg -g {g} -n {vm}VMNic")
                .then(Has("/value/0/networkSecurityGroup/id", "{vm}NSG"))
                .then(Says("open-port-8080")),
            run("vm create -g {g} -n bare --image Debian12 --admin-username azureuser \
                 --ssh-key-values {pub} --nsg ''")
            .keep("bareip", "/publicIpAddress"),
            // az 2.91 itself does not survive a NIC without NSG: it reads a member of it
            // that Azure leaves out (and would PUT the NIC back as it was).
            fails(1, "vm open-port -g {g} -n bare --port 22")
                .only(&[Client::Az])
                .then(Crashes)
                .then(Complains("networkSecurityGroup")),
            run("vm open-port -g {g} -n bare --port 22")
                .only(&[Client::Regain])
                .then(Soon(Box::new(LoginAt("azureuser", "{bareip}", "22", "{key}"))))
                .then(Knock("{bareip}", "8080", Knock::Silent)),
            run("vm open-port -g {g} -n bare --port 8081 --apply-to-subnet")
                .given(Do("network nsg create -g {g} -n guard"))
                .given(Do("network vnet subnet update -g {g} --vnet-name {vm}VNET \
                           -n {vm}Subnet --network-security-group guard"))
                .given(Knock("{ip}", "22", Knock::Silent))
                .then(Shows(
                    "network nsg rule show -g {g} --nsg-name guard -n open-port-8081",
                    "/access",
                    json!("Allow"),
                )),
            run("network vnet subnet update -g {g} --vnet-name {vm}VNET -n {vm}Subnet \
                 --remove networkSecurityGroup")
            .then(Soon(Box::new(Login("azureuser")))),
            fails(1, "network nsg rule create -g {g} --nsg-name {vm}NSG -n again \
                      --priority 1000 --access Deny --protocol Tcp \
                      --destination-port-ranges 22")
            .then(Complains("(SecurityRuleConflict)")),
            fails(1, "network nsg rule create -g {g} --nsg-name {vm}NSG -n low --priority 5 \
                      --access Deny --protocol Tcp"),
            fails(1, "network nsg rule create -g {g} --nsg-name {vm}NSG -n wide \
                      --priority 300 --destination-port-ranges 99999"),
            fails(1, "network nsg delete -g {g} -n {vm}NSG")
                .then(Complains("InUse")),
            run("network nsg delete -g {g} -n other")
                .then(Gone("network nsg show -g {g} -n other")),
            fails(3, "network nsg show -g {g} -n other").then(Complains("(ResourceNotFound)")),
            fails(3, "network nsg rule show -g {g} --nsg-name {vm}NSG -n nothing"),
        ],
    )
}
