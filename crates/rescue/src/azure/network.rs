//! The ARM documents along one NIC's way.
//!
//! They are fetched in waves: the NIC, what it points to, what that points to. Whoever
//! asks may not be allowed to read all of them, and a virtual network may be in a group
//! that is closed to them: each is had by itself, a subnet from its network's document
//! or else by its own id, and what is missing is named. The decision is made here
//! ([`super::path`]), by the same engine that the local cloud's fabric is compiled
//! from: Azure's own `ipFlowVerify` would need a Network Watcher and tens of seconds.

use arm::Client;
use ipnet::IpNet;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{NETWORK, array, refusal, text};

/// What ARM says of the network around one VM.
#[derive(Debug, Default)]
pub(super) struct Documents {
    pub(super) nic: Value,
    pub(super) public_ips: Vec<Value>,
    /// The load balancer with a NAT rule for the NIC, and its fronts' addresses.
    pub(super) balancer: Option<Value>,
    pub(super) front_ips: Vec<Value>,
    pub(super) vnet: Option<Value>,
    pub(super) nic_nsg: Option<Value>,
    pub(super) subnet_nsg: Option<Value>,
    pub(super) route_table: Option<Value>,
    /// What could not be had.
    pub(super) missing: Vec<Missing>,
}

/// A document that could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) what: Part,
    pub(super) why: String,
}

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    PublicAddress,
    LoadBalancer,
    Vnet,
    Subnet,
    NicNsg,
    SubnetNsg,
    RouteTable,
}

impl Part {
    fn words(self) -> &'static str {
        match self {
            Self::PublicAddress => "the public address",
            Self::LoadBalancer => "the load balancer",
            Self::Vnet => "the virtual network",
            Self::Subnet => "the subnet",
            Self::NicNsg => "the NSG of the network interface",
            Self::SubnetNsg => "the NSG of the subnet",
            Self::RouteTable => "the route table",
        }
    }
}

impl Missing {
    pub(super) fn sentence(&self) -> String {
        format!("{} could not be read: {}", self.what.words(), self.why)
    }
}

/// Fetches them, given the VM's document. Without the NIC there is no way to look at.
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
    let mut missing = Vec::new();
    let nic_nsg_id = text(&nic, "/properties/networkSecurityGroup/id");
    let balancer_id =
        nat_rule(&nic).and_then(|rule| Some(rule.split_once("/inboundNatRules/")?.0));
    let (vnet, nic_nsg, public_ips, balancer) = tokio::join!(
        get(cloud, vnet_id),
        follow(cloud, nic_nsg_id),
        addresses(cloud, configurations(&nic)),
        follow(cloud, balancer_id),
    );
    let mut had = |what: Part, found: Result<Option<Value>, String>| match found {
        Ok(found) => found,
        Err(why) => {
            missing.push(Missing { what, why });
            None
        }
    };
    let vnet = had(Part::Vnet, vnet.map(Some));
    let nic_nsg = had(Part::NicNsg, nic_nsg);
    let balancer = had(Part::LoadBalancer, balancer);
    let public_ips = each(public_ips, &mut had);
    let subnet = match vnet.as_ref().and_then(|vnet| subnet_of(vnet, subnet_id)) {
        Some(subnet) => Some(subnet.clone()),
        None => had(Part::Subnet, get(cloud, subnet_id).await.map(Some)),
    };
    let points = |pointer: &str| subnet.as_ref().and_then(|subnet| text(subnet, pointer));
    let subnet_nsg_id = points("/properties/networkSecurityGroup/id");
    let fronts = balancer.as_ref().map_or(&[][..], |balancer| {
        array(balancer, "/properties/frontendIPConfigurations")
    });
    // One group is often at both places.
    let same = subnet_nsg_id.is_some_and(|id| {
        nic_nsg.is_some() && nic_nsg_id.is_some_and(|nics| nics.eq_ignore_ascii_case(id))
    });
    let (subnet_nsg, route_table, front_ips) = tokio::join!(
        follow(cloud, subnet_nsg_id.filter(|_| !same)),
        follow(cloud, points("/properties/routeTable/id")),
        addresses(cloud, fronts),
    );
    let subnet_nsg =
        if same { nic_nsg.clone() } else { had(Part::SubnetNsg, subnet_nsg) };
    let route_table = had(Part::RouteTable, route_table);
    let front_ips = each(front_ips, &mut had);
    Ok(Documents {
        public_ips,
        balancer,
        front_ips,
        vnet,
        nic_nsg,
        subnet_nsg,
        route_table,
        missing,
        nic,
    })
}

async fn get(cloud: &Client, id: &str) -> Result<Value, String> {
    let path = format!("{id}?api-version={NETWORK}");
    cloud.get(&path).await.map_err(refusal::words)
}

/// The document with an id, if there is one.
async fn follow(cloud: &Client, id: Option<&str>) -> Result<Option<Value>, String> {
    match id {
        Some(id) => get(cloud, id).await.map(Some),
        None => Ok(None),
    }
}

/// The public addresses of IP configurations, a NIC's or a load balancer's.
async fn addresses(cloud: &Client, of: &[Value]) -> Vec<Result<Value, String>> {
    let mut fetching = JoinSet::new();
    for configuration in of {
        if let Some(id) = text(configuration, "/properties/publicIPAddress/id") {
            let (cloud, id) = (cloud.clone(), id.to_owned());
            fetching.spawn(async move { get(&cloud, &id).await });
        }
    }
    fetching.join_all().await
}

fn each(
    found: Vec<Result<Value, String>>,
    had: &mut impl FnMut(Part, Result<Option<Value>, String>) -> Option<Value>,
) -> Vec<Value> {
    found.into_iter().filter_map(|one| had(Part::PublicAddress, one.map(Some))).collect()
}

/// The subnet in its virtual network's document.
fn subnet_of<'a>(vnet: &'a Value, id: &str) -> Option<&'a Value> {
    array(vnet, "/properties/subnets").iter().find(|subnet| {
        text(subnet, "/id").is_some_and(|its| its.eq_ignore_ascii_case(id))
    })
}

/// The first inbound NAT rule that leads to a NIC.
pub(super) fn nat_rule(nic: &Value) -> Option<&str> {
    let rules =
        array(address_configuration(nic)?, "/properties/loadBalancerInboundNatRules");
    rules.iter().find_map(|rule| text(rule, "/id"))
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
