//! Who refers to a network document: what is in use cannot be deleted.

use arm::ResourceId;

use crate::app::{App, Problem};
use crate::store::{Link, key_of};

/// Refuses to delete what others outside of `group` refer to.
pub(in crate::app) async fn check_use_from_elsewhere(
    app: &App,
    id: &ResourceId,
    group: &ResourceId,
) -> Result<(), Problem> {
    check_unused(app, id, Some(group)).await
}

/// Refuses to delete what others refer to, except those in `except`.
pub(super) async fn check_unused(
    app: &App,
    id: &ResourceId,
    except: Option<&ResourceId>,
) -> Result<(), Problem> {
    let elsewhere = |link: &Link| match except {
        None => true,
        Some(group) => !link.source.group().is_some_and(|name| {
            group.group().is_some_and(|other| other.eq_ignore_ascii_case(name))
        }),
    };
    let users: Vec<Link> = users(app, id).await?.into_iter().filter(elsewhere).collect();
    let Some(first) = users.first() else { return Ok(()) };
    Err(in_use(id, first))
}

/// Why a document, or a part of one, cannot go.
pub(super) fn in_use(id: &ResourceId, user: &Link) -> Problem {
    let by = &user.holder;
    let name = id.name();
    let (code, message) = match id.resource_type().to_ascii_lowercase().as_str() {
        "microsoft.network/virtualnetworks" => (
            "InUseSubnetCannotBeDeleted",
            format!(
                "Subnet {} is in use by {by} and cannot be deleted. In order to delete the \
                 subnet, delete all the resources within the subnet.",
                user.target.rsplit('/').next().unwrap_or_default()
            ),
        ),
        "microsoft.network/networksecuritygroups" => (
            "InUseNetworkSecurityGroupCannotBeDeleted",
            format!(
                "Network security group {id} cannot be deleted because it is in use by the \
                 following resources: {by}. In order to delete the Network security group, \
                 remove the association with the resource(s)."
            ),
        ),
        "microsoft.network/routetables" => (
            "InUseRouteTableCannotBeDeleted",
            format!("Route table {name} is in use and cannot be deleted: {by} uses it."),
        ),
        "microsoft.network/publicipaddresses" => (
            "PublicIPAddressCannotBeDeleted",
            format!(
                "Public IP address {id} can not be deleted since it is still allocated to \
                 resource {by}. In order to delete the public IP, disassociate/detach the \
                 Public IP address from the resource."
            ),
        ),
        "microsoft.network/applicationsecuritygroups" => (
            "InUseApplicationSecurityGroupCannotBeDeleted",
            format!(
                "Application security group {id} cannot be deleted because it is in use by \
                 {by}."
            ),
        ),
        kind if kind.starts_with("microsoft.network/loadbalancers") => (
            "InUseLoadBalancerCannotBeDeleted",
            format!(
                "{id} cannot be deleted because {by} is behind it. Remove the IP configuration \
                 from its pools and NAT rules first."
            ),
        ),
        _ => (
            "NicInUse",
            format!(
                "Network Interface {id} is used by existing resource {by}. In order to delete \
                 the network interface, it must be dissociated from the resource."
            ),
        ),
    };
    Problem::Invalid { code, message, target: None }
}

/// Who refers to a network document, or to a part of it. An interface is used by the
/// machine that names it; what an interface says of its machine holds nothing.
pub(super) async fn users(app: &App, id: &ResourceId) -> Result<Vec<Link>, Problem> {
    let mut links = app.store.links_to(id).await?;
    // A machine keeps its address and its NSG in use even while they point back.
    links.retain(|link| key_of(&link.source) != key_of(id));
    Ok(links)
}

/// What hangs in one subnet of a virtual network.
pub(super) async fn users_of_subnet(
    app: &App,
    network: &ResourceId,
    subnet: &str,
) -> Result<Vec<Link>, Problem> {
    let target = format!("{}/subnets/{}", key_of(network), subnet.to_ascii_lowercase());
    let links = app.store.links_to(network).await?;
    Ok(links.into_iter().filter(|link| link.target == target).collect())
}
