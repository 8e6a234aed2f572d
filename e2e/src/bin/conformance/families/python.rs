//! Microsoft's Python SDKs: a line is Python, as a script would have it.

use e2e::Client;
use serde_json::json;

use crate::case::{Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "python",
        &[Client::Python],
        World::Vm,
        vec![
            run("login = 'default'; [g.name for g in resource.resource_groups.list()]")
                .then(Lists("", "", "{g}")),
            run("resource.resource_groups.create_or_update('{g}-2', {'location': 'westus'})")
                .then(Is("/properties/provisioning_state", json!("Succeeded"))),
            run("resource.resource_groups.check_existence('{g}-2')").then(Says("true")),
            run("resource.resource_groups.begin_delete('{g}-2').result()")
                .then(Gone("group show -n {g}-2")),
            run("compute.virtual_machines.get('{g}', '{vm}').os_profile.admin_username")
                .then(Says("azureuser")),
            run("compute.virtual_machines.get('{g}', '{vm}', \
                 expand='instanceView').instance_view.statuses[-1].code")
            .then(Says("PowerState/running")),
            run("[v.name for v in compute.virtual_machines.list_all()]")
                .then(Lists("", "", "{vm}")),
            run("compute.virtual_machines.begin_restart('{g}', '{vm}').result()")
                .given(Guest("touch /run/before"))
                .then(Soon(Box::new(Login("azureuser"))))
                .then(Guest("test ! -e /run/before")),
            run("compute.virtual_machines.begin_run_command('{g}', '{vm}', {\
                 'commandId': 'RunShellScript', 'script': ['id -un']}).result()\
                 .value[0].message")
            .then(Says("root")),
            run("compute.virtual_machine_extensions.begin_create_or_update('{g}', '{vm}', \
                 'enablevmaccess', {'location': 'local', 'properties': {\
                 'publisher': 'Microsoft.OSTCExtensions', 'type': 'VMAccessForLinux', \
                 'typeHandlerVersion': '1.5', 'protectedSettings': {'reset_ssh': True}}})\
                 .result().provisioning_state")
            .given(Guest("systemctl stop ssh"))
            .given(NoLogin("azureuser"))
            .then(Says("Succeeded"))
            .then(Soon(Box::new(Login("azureuser")))),
            run("compute.virtual_machine_extensions.list('{g}', '{vm}').value[0].name")
                .then(Says("enablevmaccess")),
            run("compute.virtual_machines.begin_update('{g}', '{vm}', {'tags': {'a': 'b'}})\
                 .result().tags['a']")
            .then(Says("b")),
            run("network.security_rules.begin_create_or_update('{g}', '{vm}NSG', 'no-ssh', {\
                 'properties': {'priority': 100, 'direction': 'Inbound', 'access': 'Deny', \
                 'protocol': 'Tcp', 'sourceAddressPrefix': '*', 'sourcePortRange': '*', \
                 'destinationAddressPrefix': '*', 'destinationPortRange': '22'}}).result().name")
            .then(NoLogin("azureuser")),
            run("[r.name for r in network.security_rules.list('{g}', '{vm}NSG')]")
                .then(Lists("", "", "no-ssh")),
            run("network.security_rules.begin_delete('{g}', '{vm}NSG', 'no-ssh').result()")
                .then(Login("azureuser")),
            run("network.virtual_networks.begin_create_or_update('{g}', 'net', {\
                 'location': 'local', 'properties': {'addressSpace': {'addressPrefixes': \
                 ['10.8.0.0/16']}, 'subnets': [{'name': 's', 'properties': {'addressPrefix': \
                 '10.8.0.0/24'}}]}}).result().subnets[0].name")
            .then(Says("s")),
            run("[n.name for n in network.virtual_networks.list('{g}')]").then(Count("", 2)),
            run("[n.name for n in network.network_interfaces.list_all()]")
                .then(Lists("", "", "{vm}VMNic")),
            run("network.network_interfaces.begin_list_effective_network_security_groups(\
                 '{g}', '{vm}VMNic').result().value[0].network_security_group.id")
            .then(Says("{vm}NSG")),
            run("resource.deployments.begin_create_or_update('{g}', 'd1', {'properties': {\
                 'mode': 'Incremental', 'parameters': {'name': {'value': 'made'}}, 'template': {\
                 '$schema': 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#', \
                 'contentVersion': '1.0.0.0', 'parameters': {'name': {'type': 'string'}}, \
                 'resources': [{'type': 'Microsoft.Network/networkSecurityGroups', \
                 'apiVersion': '2024-01-01', 'name': '[parameters(\\'name\\')]', \
                 'location': '[resourceGroup().location]', 'properties': {}}], \
                 'outputs': {'id': {'type': 'string', 'value': \
                 '[resourceId(\\'Microsoft.Network/networkSecurityGroups\\', \
                 parameters(\\'name\\'))]'}}}}}).result().properties.outputs['id']['value']")
            .then(Says("/made"))
            .then(Shows(
                "network nsg show -g {g} -n made",
                "/provisioningState",
                json!("Succeeded"),
            )),
            run("[d.name for d in resource.deployments.list_by_resource_group('{g}')]")
                .then(Lists("", "", "d1")),
            run("len(list(resource.resources.list_by_resource_group('{g}')))"),
            // What ARM does beside its documents: pages, etags, throttling.
            run("[[g.name for g in page] for page in \
                 resource.resource_groups.list(top=1).by_page()][0]")
            .then(Count("", 1)),
            run("compute.virtual_machines.get('{g}', '{vm}', cls=lambda answer, vm, headers: \
                 int(answer.http_response.headers['x-ms-ratelimit-remaining-subscription-reads'])) > 0")
            .then(Says("true")),
            fails(1, "network.network_security_groups.begin_create_or_update('{g}', 'made', \
                      {'location': 'local'}, headers={'If-Match': 'W/\"stale\"'}).result()")
            .then(Complains("(PreconditionFailed)")),
            fails(1, "compute.virtual_machines.get('{g}', 'nobody')")
                .then(Complains("(ResourceNotFound)")),
            fails(1, "compute.virtual_machines.get('{g}-none', 'nobody')")
                .then(Complains("(ResourceGroupNotFound)")),
            fails(1, "network.security_rules.begin_create_or_update('{g}', '{vm}NSG', 'x', {\
                      'properties': {'priority': 5, 'direction': 'Inbound', 'access': 'Deny', \
                      'protocol': 'Tcp', 'sourceAddressPrefix': '*', 'sourcePortRange': '*', \
                      'destinationAddressPrefix': '*', 'destinationPortRange': '22'}}).result()")
            .then(Complains("(SecurityRuleInvalidPriority)")),
            run("compute.virtual_machines.begin_delete('{g}', '{vm}').result()")
                .then(Gone("vm show -g {g} -n {vm}")),
        ],
    )
}
