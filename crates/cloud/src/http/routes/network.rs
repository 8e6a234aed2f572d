//! Microsoft.Network: what packets follow, and who explains it.

use super::super::router::Table;
use super::super::router::verb::{DELETE, GET, PATCH, POST, PUT};
use super::{GROUP, everywhere};
use crate::app::{
    effective, network_interface, network_security_group, network_watcher,
    public_ip_address, route_table, virtual_network,
};

pub(super) fn add(t: &mut Table) {
    let network = &format!("{GROUP}/providers/microsoft.network");
    let nic = &format!("{network}/networkinterfaces/{{nic}}");
    let nsg = &format!("{network}/networksecuritygroups/{{nsg}}");
    let vnet = &format!("{network}/virtualnetworks/{{vnet}}");
    let table = &format!("{network}/routetables/{{table}}");
    let watcher = &format!("{network}/networkwatchers/{{watcher}}");

    for all in [
        &everywhere("microsoft.network/virtualnetworks"),
        &format!("{network}/virtualnetworks"),
    ] {
        t.at(all).on(GET, virtual_network::list);
    }
    t.at(vnet)
        .on(GET, virtual_network::get)
        .on(PUT, virtual_network::put)
        .on(PATCH, virtual_network::tag)
        .on(DELETE, virtual_network::delete);
    t.at(&format!("{vnet}/subnets")).on(GET, virtual_network::list_subnets);
    t.at(&format!("{vnet}/subnets/{{subnet}}"))
        .on(GET, virtual_network::get_subnet)
        .on(PUT, virtual_network::put_subnet)
        .on(DELETE, virtual_network::delete_subnet);

    for all in [
        &everywhere("microsoft.network/networkinterfaces"),
        &format!("{network}/networkinterfaces"),
    ] {
        t.at(all).on(GET, network_interface::list);
    }
    t.at(nic)
        .on(GET, network_interface::get)
        .on(PUT, network_interface::put)
        .on(PATCH, network_interface::tag)
        .on(DELETE, network_interface::delete);
    t.at(&format!("{nic}/effectivenetworksecuritygroups"))
        .on(POST, effective::security_groups);
    t.at(&format!("{nic}/effectiveroutetable")).on(POST, effective::route_table);

    for all in [
        &everywhere("microsoft.network/publicipaddresses"),
        &format!("{network}/publicipaddresses"),
    ] {
        t.at(all).on(GET, public_ip_address::list);
    }
    t.at(&format!("{network}/publicipaddresses/{{address}}"))
        .on(GET, public_ip_address::get)
        .on(PUT, public_ip_address::put)
        .on(PATCH, public_ip_address::tag)
        .on(DELETE, public_ip_address::delete);

    for all in [
        &everywhere("microsoft.network/networksecuritygroups"),
        &format!("{network}/networksecuritygroups"),
    ] {
        t.at(all).on(GET, network_security_group::list);
    }
    t.at(nsg)
        .on(GET, network_security_group::get)
        .on(PUT, network_security_group::put)
        .on(PATCH, network_security_group::tag)
        .on(DELETE, network_security_group::delete);
    t.at(&format!("{nsg}/defaultsecurityrules"))
        .on(GET, network_security_group::list_default_rules);
    t.at(&format!("{nsg}/securityrules")).on(GET, network_security_group::list_rules);
    t.at(&format!("{nsg}/securityrules/{{rule}}"))
        .on(GET, network_security_group::get_rule)
        .on(PUT, network_security_group::put_rule)
        .on(DELETE, network_security_group::delete_rule);

    for all in
        [&everywhere("microsoft.network/routetables"), &format!("{network}/routetables")]
    {
        t.at(all).on(GET, route_table::list);
    }
    t.at(table)
        .on(GET, route_table::get)
        .on(PUT, route_table::put)
        .on(DELETE, route_table::delete);
    t.at(&format!("{table}/routes")).on(GET, route_table::list_routes);
    t.at(&format!("{table}/routes/{{route}}"))
        .on(GET, route_table::get_route)
        .on(PUT, route_table::put_route)
        .on(DELETE, route_table::delete_route);

    t.at(&everywhere("microsoft.network/networkwatchers")).on(GET, network_watcher::list);
    t.at(&format!("{watcher}/ipflowverify")).on(POST, network_watcher::ip_flow_verify);
    t.at(&format!("{watcher}/nexthop")).on(POST, network_watcher::next_hop);
}
