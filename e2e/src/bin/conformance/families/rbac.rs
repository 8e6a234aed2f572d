//! Who may do what: roles are assigned, held to, taken away, and written down.

use e2e::Client;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    let denied = || Complains("(AuthorizationFailed)");
    Family::new(
        "role",
        BOTH,
        World::Vm,
        vec![
            run("role definition list --name Reader")
                .then(Is("/0/roleName", json!("Reader")))
                .then(Is("/0/permissions/0/actions/0", json!("*/read"))),
            run("role definition list --query [].roleName")
                .then(Says("\"Owner\""))
                .then(Says("\"Contributor\""))
                .then(Says("\"Virtual Machine Contributor\"")),
            run("ad sp create-for-rbac --name helpdesk-{g} --role Reader --scopes {id}")
                .with(Client::Az)
                .keep("helpdesk_id", "/appId")
                .keep("helpdesk_secret", "/password"),
            run("role assignment list --assignee {helpdesk_id} --scope {id}")
                .then(Count("", 1))
                .then(Is("/0/roleDefinitionName", json!("Reader"))),
            // A Reader sees the group and nothing else, and changes nothing.
            run("vm show -g {g} -n {vm}").by("helpdesk").then(Is("/name", json!("{vm}"))),
            run("group list --query [].name").by("helpdesk").then(Count("", 1)),
            fails(1, "vm user reset-ssh -g {g} -n {vm}")
                .by("helpdesk")
                .given(Guest("systemctl stop ssh"))
                .then(denied())
                .then(Complains("{helpdesk_id}"))
                .then(NoLogin("azureuser")),
            fails(1, "vm user update -g {g} -n {vm} -u azureuser --password Never-Seen-99")
                .by("helpdesk")
                .then(denied()),
            fails(1, "vm restart -g {g} -n {vm}").by("helpdesk").then(denied()),
            fails(1, "group create -n {g}-2 -l local")
                .by("helpdesk")
                .then(denied())
                .then(Gone("group show -n {g}-2")),
            fails(1, "role assignment create --assignee {helpdesk_id} --role Owner --scope {id}")
                .by("helpdesk")
                .then(denied()),
            // A Virtual Machine Contributor regains VMs, and leaves the network alone.
            run("role assignment create --assignee {helpdesk_id} \
                 --role 'Virtual Machine Contributor' --scope {id}")
            .then(There("/principalId")),
            run("vm user reset-ssh -g {g} -n {vm}")
                .by("helpdesk")
                .then(Soon(Box::new(Login("azureuser")))),
            fails(1, "network nsg rule create -g {g} --nsg-name {vm}NSG -n x --priority 100 \
                      --access Deny --destination-port-ranges 22 --protocol Tcp")
            .by("helpdesk")
            .then(denied())
            .then(Login("azureuser")),
            run("role assignment delete --assignee {helpdesk_id} \
                 --role 'Virtual Machine Contributor' --scope {id}"),
            fails(1, "vm restart -g {g} -n {vm}").by("helpdesk").then(denied()),
            // A role of one's own.
            run("role definition create --role-definition \
                 '{\"Name\":\"Restarter {g}\",\"IsCustom\":true,\"Description\":\"Restarts VMs\",\
                 \"Actions\":[\"Microsoft.Compute/virtualMachines/read\",\
                 \"Microsoft.Compute/virtualMachines/restart/action\"],\
                 \"AssignableScopes\":[\"/subscriptions/{sub}\"]}'")
            .then(Is("/roleName", json!("Restarter {g}"))),
            run("role assignment create --assignee {helpdesk_id} --role 'Restarter {g}' \
                 --scope {vmid}"),
            run("vm restart -g {g} -n {vm}")
                .by("helpdesk")
                .given(Guest("touch /run/before"))
                .then(Soon(Box::new(Login("azureuser"))))
                .then(Guest("test ! -e /run/before")),
            fails(1, "vm deallocate -g {g} -n {vm}").by("helpdesk").then(denied()),
            // All of it was written down, with caller and result and without secrets.
            run("monitor activity-log list -g {g} --offset 1h")
                .then(Has("", "{helpdesk_id}"))
                .then(Has("", "Microsoft.Compute/virtualMachines/restart/action"))
                .then(Lists("", "/status/value", "Failed"))
                .then(Lists("", "/status/value", "Succeeded"))
                .then(SaysNot("Never-Seen-99")),
            run("role assignment delete --assignee {helpdesk_id} --scope {id}"),
            fails(1, "group show -n {g}").by("helpdesk").then(denied()),
        ],
    )
}
