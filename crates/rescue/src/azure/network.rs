//! The ARM documents along one NIC's way.
//!
//! They are fetched in waves: the NIC, what it points to, what that points to. The
//! decision is made here ([`super::path`]), by the same engine that the local cloud's
//! fabric is compiled from: Azure's own `ipFlowVerify` would need a Network Watcher
//! and tens of seconds.

use arm::Client;
use ipnet::IpNet;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{NETWORK, array, text};
use crate::why;

/// What ARM says of the network around one VM.
#[derive(Debug, Default)]
pub(super) struct Documents {
    pub(super) nic: Value,
    pub(super) public_ips: Vec<Value>,
    pub(super) vnet: Value,
    pub(super) nic_nsg: Option<Value>,
    pub(super) subnet_nsg: Option<Value>,
    pub(super) route_table: Option<Value>,
}

/// Fetches them, given the VM's document.
pub(super) async fn fetch(cloud: &Client, vm: &Value) -> Result<Documents, String> {
    let id = primary_nic(vm).ok_or("the VM has no network interface")?;
    let nic = get(cloud, id).await?;
    let subnet_id = address_configuration(&nic)
        .and_then(|configuration| text(configuration, "/properties/subnet/id"))
        .ok_or("the network interface is in no subnet")?;
    // `.../virtualNetworks/v/subnets/s`
    let vnet_id = subnet_id
        .rsplit_once("/subnets/")
        .map(|(vnet, _)| vnet)
        .ok_or_else(|| format!("{subnet_id} is no subnet"))?;
    let (subnet, vnet, nic_nsg, public_ips) = tokio::join!(
        get(cloud, subnet_id),
        get(cloud, vnet_id),
        follow(cloud, &nic, "/properties/networkSecurityGroup/id"),
        public_ips(cloud, &nic),
    );
    let subnet = subnet?;
    let (subnet_nsg, route_table) = tokio::join!(
        follow(cloud, &subnet, "/properties/networkSecurityGroup/id"),
        follow(cloud, &subnet, "/properties/routeTable/id"),
    );
    Ok(Documents {
        public_ips: public_ips?,
        vnet: vnet?,
        nic_nsg: nic_nsg?,
        subnet_nsg: subnet_nsg?,
        route_table: route_table?,
        nic,
    })
}

async fn get(cloud: &Client, id: &str) -> Result<Value, String> {
    let path = format!("{id}?api-version={NETWORK}");
    cloud.get(&path).await.map_err(|error| why::chain(&error))
}

/// The document that a property points to, if it points to one.
async fn follow(
    cloud: &Client,
    from: &Value,
    pointer: &str,
) -> Result<Option<Value>, String> {
    match text(from, pointer) {
        Some(id) => get(cloud, id).await.map(Some),
        None => Ok(None),
    }
}

async fn public_ips(cloud: &Client, nic: &Value) -> Result<Vec<Value>, String> {
    let mut fetching = JoinSet::new();
    for configuration in configurations(nic) {
        if let Some(id) = text(configuration, "/properties/publicIPAddress/id") {
            let (cloud, id) = (cloud.clone(), id.to_owned());
            fetching.spawn(async move { get(&cloud, &id).await });
        }
    }
    fetching.join_all().await.into_iter().collect()
}

pub(super) fn configurations(nic: &Value) -> &[Value] {
    array(nic, "/properties/ipConfigurations")
}

fn is_primary(value: &Value) -> bool {
    value.pointer("/properties/primary").and_then(Value::as_bool).unwrap_or(false)
}

fn primary_nic(vm: &Value) -> Option<&str> {
    let nics = array(vm, "/properties/networkProfile/networkInterfaces");
    let nic = nics.iter().find(|nic| is_primary(nic)).or_else(|| nics.first())?;
    text(nic, "/id")
}

pub(super) fn address_configuration(nic: &Value) -> Option<&Value> {
    let all = configurations(nic);
    all.iter().find(|one| is_primary(one)).or_else(|| all.first())
}

/// The CIDR blocks of a list of texts.
pub(super) fn prefixes(value: &Value, pointer: &str) -> Vec<IpNet> {
    array(value, pointer)
        .iter()
        .filter_map(|prefix| prefix.as_str()?.parse().ok())
        .collect()
}
