//! Microsoft.Network: what packets follow, and who explains it.

use super::super::table::Table;
use super::super::table::verb::{DELETE, GET, PATCH, POST, PUT};
use super::{GROUP, everywhere};
use crate::app::network::{collection, effective, load_balancer, network_watcher};

pub(super) fn add(t: &mut Table) {
    let network = &format!("{GROUP}/providers/microsoft.network");
    let nic = &format!("{network}/networkinterfaces/{{nic}}");
    let watcher = &format!("{network}/networkwatchers/{{watcher}}");

    for noun in &collection::NOUNS {
        documents(t, network, noun);
    }
    t.at(&format!("{nic}/effectivenetworksecuritygroups"))
        .on(POST, effective::security_groups);
    t.at(&format!("{nic}/effectiveroutetable")).on(POST, effective::route_table);

    let pool =
        format!("{network}/loadbalancers/{{balancer}}/backendaddresspools/{{pool}}");
    t.at(&format!("{pool}/queryinboundnatruleportmapping"))
        .on(POST, load_balancer::ports);
    t.at(&format!("{network}/loadbalancers/{{balancer}}/networkinterfaces"))
        .on(GET, load_balancer::interfaces);

    for all in [
        &everywhere("microsoft.network/networkwatchers"),
        &format!("{network}/networkwatchers"),
    ] {
        t.at(all).on(GET, network_watcher::list);
    }
    t.at(watcher).on(GET, network_watcher::get);
    t.at(&format!("{watcher}/ipflowverify")).on(POST, network_watcher::flow::verify);
    t.at(&format!("{watcher}/nexthop")).on(POST, network_watcher::flow::next_hop);
    t.at(&format!("{watcher}/topology")).on(POST, network_watcher::topology);
    t.at(&format!("{watcher}/securitygroupview"))
        .on(POST, network_watcher::diagnostic::view);
    t.at(&format!("{watcher}/networkconfigurationdiagnostic"))
        .on(POST, network_watcher::diagnostic::diagnose);
    t.at(&format!("{watcher}/connectivitycheck"))
        .on(POST, network_watcher::connectivity::post);
}

/// A kind of documents, in the subscription and in a group, and its children.
fn documents(t: &mut Table, network: &str, noun: &'static collection::Noun) {
    let name = noun.name.to_ascii_lowercase();
    let all = format!("{network}/{name}");
    for all in [&everywhere(&format!("microsoft.network/{name}")), &all] {
        t.at(all).on(GET, move |app, call| collection::list(app, call, noun));
    }
    let one = format!("{all}/{{name}}");
    t.at(&one)
        .on(GET, collection::get)
        .on(PUT, collection::put)
        .on(PATCH, collection::tag)
        .on(DELETE, collection::delete);
    for children in noun.children.iter().chain(noun.views) {
        let all = format!("{one}/{}", children.to_ascii_lowercase());
        t.at(&all)
            .on(GET, move |app, call| collection::list_children(app, call, children));
        t.at(&format!("{all}/{{child}}"))
            .on(GET, move |app, call| collection::get_child(app, call, children));
    }
    for children in noun.children {
        t.at(&format!("{one}/{}/{{child}}", children.to_ascii_lowercase()))
            .on(PUT, move |app, call| collection::put_child(app, call, children))
            .on(DELETE, move |app, call| collection::delete_child(app, call, children));
    }
}
