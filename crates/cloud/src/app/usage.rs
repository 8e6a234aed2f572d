//! Who refers to a network document: what is in use cannot be deleted.

use arm::ResourceId;

use super::document::{items, reference};
use super::{App, Problem};

/// Refuses to delete what others outside of `group` refer to.
pub(super) async fn check_use_from_elsewhere(
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
    let users: Vec<Use> = uses(app, id)
        .await?
        .into_iter()
        .filter(|one| match except {
            None => true,
            Some(group) => !one.by.group().is_some_and(|name| {
                group.group().is_some_and(|other| other.eq_ignore_ascii_case(name))
            }),
        })
        .collect();
    let Some(first) = users.first() else { return Ok(()) };
    let kind = id.resource_type().to_ascii_lowercase();
    let name = id.name();
    let by = &first.by;
    let (code, message) = match kind.as_str() {
        "microsoft.network/virtualnetworks" => (
            "InUseSubnetCannotBeDeleted",
            format!(
                "Subnet {} is in use by {by} and cannot be deleted. In order to delete the \
                 subnet, delete all the resources within the subnet.",
                first.what
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
                 resource {by}."
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
    Err(Problem::Invalid { code, message, target: None })
}

/// One reference to a resource.
pub(super) struct Use {
    /// Who refers to it.
    pub(super) by: ResourceId,
    /// The part that is referred to: a subnet's name, else empty.
    pub(super) what: String,
}

/// Who refers to a network document, or to a part of it.
pub(super) async fn uses(app: &App, id: &ResourceId) -> Result<Vec<Use>, Problem> {
    let everything = ResourceId::of_subscription(id.subscription())
        .map_err(|error| Problem::NotFound { message: error.to_string() })?;
    let mut uses = Vec::new();
    for nic in app.store.list(&everything, "microsoft.network/networkinterfaces").await? {
        if nic.id == *id {
            if let Some(by) = app.user_of(&nic).await? {
                uses.push(Use { by, what: String::new() });
            }
            continue;
        }
        let mut note = |found: Option<ResourceId>, by: &ResourceId| match found {
            Some(found) if found == *id => {
                uses.push(Use { by: by.clone(), what: String::new() });
            }
            Some(found) if found.parent().is_some_and(|parent| parent == *id) => {
                uses.push(Use { by: by.clone(), what: found.name().to_owned() });
            }
            _ => {}
        };
        note(reference(&nic.document, "/properties/networkSecurityGroup/id")?, &nic.id);
        for configuration in items(&nic.document, "/properties/ipConfigurations") {
            note(reference(configuration, "/properties/subnet/id")?, &nic.id);
            note(reference(configuration, "/properties/publicIPAddress/id")?, &nic.id);
        }
    }
    for network in
        app.store.list(&everything, "microsoft.network/virtualnetworks").await?
    {
        for subnet in items(&network.document, "/properties/subnets") {
            for holder in
                ["/properties/networkSecurityGroup/id", "/properties/routeTable/id"]
            {
                if reference(subnet, holder)?.is_some_and(|found| found == *id)
                    && let Some(by) = reference(subnet, "/id")?
                {
                    uses.push(Use { by, what: String::new() });
                }
            }
        }
    }
    Ok(uses)
}

/// The interfaces that hang in one subnet of a virtual network.
pub(super) async fn interfaces_in(
    app: &App,
    network: &ResourceId,
    subnet: &str,
) -> Result<Vec<ResourceId>, Problem> {
    let uses = uses(app, network).await?;
    Ok(uses
        .into_iter()
        .filter(|one| one.what.eq_ignore_ascii_case(subnet))
        .map(|one| one.by)
        .collect())
}
