//! The same words to az and to regain: the same bytes.

use e2e::Client;

use crate::case::{Family, World, run};

const JSON: &[&str] = &["json"];
const TWO: &[&str] = &["json", "table"];
const ALL: &[&str] = &["json", "table", "tsv", "yaml"];
const TSV: &[&str] = &["tsv"];

/// VMs, groups and accounts.
pub(crate) fn machines() -> Family {
    let mut family = Family::new(
        "alike vm",
        &[Client::Regain],
        World::Vm,
        vec![
            run("vm update -g {g} -n {vm} --set tags.a=b"),
            run("vm user reset-ssh -g {g} -n {vm}"),
        ],
    );
    family.alike = vec![
        ("vm list -g {g}", ALL),
        ("vm list -d -g {g}", TWO),
        ("vm show -g {g} -n {vm}", ALL),
        ("vm show -d -g {g} -n {vm}", TWO),
        ("vm show -g {g} -n {vm} --query \"{Name:name, Tags:tags}\"", ALL),
        ("vm show -g {g} -n {vm} --query networkProfile.networkInterfaces[].id", TWO),
        ("vm list -g {g} --query [].osProfile.adminUsername", TSV),
        ("vm get-instance-view -g {g} -n {vm} --query instanceView.statuses[].code", TWO),
        ("vm list-ip-addresses -g {g} -n {vm}", TWO),
        ("vm user reset-ssh -g {g} -n {vm}", TWO),
        ("vm extension list -g {g} --vm-name {vm}", TWO),
        ("vm extension show -g {g} --vm-name {vm} -n enablevmaccess", TWO),
        ("vm extension show -g {g} --vm-name {vm} -n none", JSON),
        ("vm extension image list -l local -p Microsoft.OSTCExtensions", TWO),
        ("vm run-command list -l local", JSON),
        ("vm run-command show -l local --command-id RunShellScript", JSON),
        (
            "vm run-command invoke -g {g} -n {vm} --command-id RunShellScript --scripts id",
            TWO,
        ),
        ("vm restart -g {g} -n {vm}-none", JSON),
        ("vm show -g {g}-none -n {vm}", JSON),
        ("vm user reset-ssh -g {g} -n {vm}-none", JSON),
        (
            "vm create -g {g} -n x --image Windows95 --admin-username a1 \
             --ssh-key-values {pub}",
            JSON,
        ),
        ("vm boot-diagnostics get-boot-log -g {g} -n {vm}-none", JSON),
        ("group show -n {g}", TWO),
        ("group show -n {g}-none", JSON),
        ("group exists -n {g}", ALL),
        ("group list --query \"[?name=='{g}']\"", ALL),
        ("account show --query id", ALL),
        ("resource list -g {g} --query [].type", TWO),
        ("resource show --ids {vmid}", TWO),
        ("resource show --ids {vmid}-none", JSON),
        ("rest --method get --url {vmid}?api-version=2024-07-01", TWO),
        ("rest --method get --url {vmid}-none?api-version=2024-07-01", JSON),
        ("role definition list --name Reader", TWO),
        ("role assignment list --scope {id}", TWO),
        ("vm redeploy -g {g} -n {vm}-none", JSON),
        ("vm wait -g {g} -n {vm} --created", JSON),
        ("vm delete -g {g} -n {vm}-none --yes", JSON),
    ];
    family
}

/// Networks.
pub(crate) fn networks() -> Family {
    let mut family = Family::new(
        "alike network",
        &[Client::Regain],
        World::Vm,
        vec![
            run("network route-table create -g {g} -n table"),
            run("network route-table route create -g {g} --route-table-name table -n r \
                 --address-prefix 10.99.0.0/16 --next-hop-type None"),
            run("network public-ip create -g {g} -n front --sku Standard"),
            run(
                "network lb create -g {g} -n lb --sku Standard --public-ip-address front \
                 --frontend-ip-name fe --backend-pool-name be",
            ),
            run(
                "network lb inbound-nat-rule create -g {g} --lb-name lb -n ssh --protocol Tcp \
                 --frontend-port 50022 --backend-port 22 --frontend-ip-name fe",
            ),
        ],
    );
    family.alike = vec![
        ("network nsg list -g {g}", TWO),
        ("network nsg show -g {g} -n {vm}NSG", ALL),
        ("network nsg show -g {g} -n none", JSON),
        ("network nsg rule list -g {g} --nsg-name {vm}NSG", TWO),
        ("network nsg rule list -g {g} --nsg-name {vm}NSG --include-default", TWO),
        ("network nsg rule show -g {g} --nsg-name {vm}NSG -n default-allow-ssh", TWO),
        ("network nsg rule create -g {g} --nsg-name {vm}NSG -n x --priority 5", JSON),
        (
            "network nsg rule create -g {g} --nsg-name {vm}NSG -n x --priority 1000 \
             --destination-port-ranges 22 --protocol Tcp --access Deny",
            JSON,
        ),
        ("network nsg delete -g {g} -n {vm}NSG", JSON),
        ("network vnet list -g {g}", TWO),
        ("network vnet show -g {g} -n {vm}VNET", TWO),
        ("network vnet subnet list -g {g} --vnet-name {vm}VNET", TWO),
        ("network vnet subnet show -g {g} --vnet-name {vm}VNET -n {vm}Subnet", TWO),
        ("network nic list -g {g}", TWO),
        ("network nic show -g {g} -n {vm}VMNic", TWO),
        ("network nic list-effective-nsg -g {g} -n {vm}VMNic", JSON),
        ("network nic show-effective-route-table -g {g} -n {vm}VMNic", TWO),
        ("network public-ip list -g {g}", TWO),
        ("network public-ip show -g {g} -n {vm}PublicIP", TWO),
        ("network route-table list -g {g}", TWO),
        ("network route-table show -g {g} -n table", TWO),
        ("network route-table route list -g {g} --route-table-name table", TWO),
        ("network route-table route show -g {g} --route-table-name table -n r", TWO),
        ("network lb list -g {g}", TWO),
        ("network lb show -g {g} -n lb", TWO),
        ("network lb inbound-nat-rule list -g {g} --lb-name lb", TWO),
        ("network lb inbound-nat-rule show -g {g} --lb-name lb -n ssh", TWO),
        (
            "network watcher test-ip-flow -g {g} --vm {vm} --direction Inbound \
             --protocol TCP --local 10.0.0.4:22 --remote 203.0.113.9:50000",
            TWO,
        ),
        (
            "network watcher show-next-hop -g {g} --vm {vm} --source-ip 10.0.0.4 \
             --dest-ip 203.0.113.9",
            TWO,
        ),
        ("network watcher show-security-group-view -g {g} --vm {vm}", JSON),
        ("network nic show -g {g} -n none", JSON),
        ("network lb show -g {g} -n none", JSON),
        ("network vnet show -g {g}-none -n none", JSON),
    ];
    family
}
