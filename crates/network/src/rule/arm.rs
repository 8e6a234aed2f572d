//! Writing a rule as ARM's `SecurityRulePropertiesFormat`, and the field names that
//! both directions use.

use serde_json::{Map, Value, json};

use super::{Addresses, Endpoint, Rule};
use crate::{ports, prefix};

/// The field names of one side of a rule.
pub(super) struct Side {
    pub(super) prefix: &'static str,
    pub(super) prefixes: &'static str,
    pub(super) groups: &'static str,
    pub(super) port: &'static str,
    pub(super) ports: &'static str,
    /// As error texts call `prefix`.
    pub(super) parameter: &'static str,
    /// The address fields of which one is needed, as error texts list them.
    pub(super) addresses_needed: &'static str,
    /// The port fields of which one is needed.
    pub(super) ports_needed: &'static str,
}

pub(super) const SOURCE: Side = Side {
    prefix: "sourceAddressPrefix",
    prefixes: "sourceAddressPrefixes",
    groups: "sourceApplicationSecurityGroups",
    port: "sourcePortRange",
    ports: "sourcePortRanges",
    parameter: "SourceAddressPrefix",
    addresses_needed: "SourceAddressPrefixes, SourceAddressPrefix, or \
                       SourceApplicationSecurityGroups",
    ports_needed: "SourcePortRanges or SourcePortRange",
};

pub(super) const DESTINATION: Side = Side {
    prefix: "destinationAddressPrefix",
    prefixes: "destinationAddressPrefixes",
    groups: "destinationApplicationSecurityGroups",
    port: "destinationPortRange",
    ports: "destinationPortRanges",
    parameter: "DestinationAddressPrefix",
    addresses_needed: "DestinationAddressPrefixes, DestinationAddressPrefix, or \
                       DestinationApplicationSecurityGroups",
    ports_needed: "DestinationPortRanges or DestinationPortRange",
};

impl Rule {
    /// The rule's `properties` as ARM writes them: a single address or port range in
    /// the singular field, several in the plural one. [`Rule::from_arm`] reads it
    /// back to the same rule.
    pub fn to_arm(&self) -> Value {
        let mut properties = Map::new();
        if let Some(description) = &self.description {
            properties.insert("description".to_owned(), json!(description));
        }
        properties.insert("protocol".to_owned(), json!(self.protocol.to_string()));
        endpoint(&mut properties, &SOURCE, &self.source);
        endpoint(&mut properties, &DESTINATION, &self.destination);
        properties.insert("access".to_owned(), json!(self.access.to_string()));
        properties.insert("priority".to_owned(), json!(self.priority));
        properties.insert("direction".to_owned(), json!(self.direction.to_string()));
        Value::Object(properties)
    }
}

fn endpoint(properties: &mut Map<String, Value>, side: &Side, endpoint: &Endpoint) {
    let mut put = |field: &str, value: Value| properties.insert(field.to_owned(), value);
    let ranges: Vec<String> = endpoint.ports.ranges().iter().map(ports::format).collect();
    match ranges.as_slice() {
        [range] => put(side.port, json!(range)),
        ranges => put(side.ports, json!(ranges)),
    };
    match &endpoint.addresses {
        Addresses::Any => put(side.prefix, json!("*")),
        Addresses::Tag(tag) => put(side.prefix, json!(tag.to_string())),
        Addresses::Prefixes(prefixes) => match prefixes.as_slice() {
            [net] => put(side.prefix, json!(prefix::format(net))),
            nets => put(
                side.prefixes,
                nets.iter().map(prefix::format).collect::<Vec<_>>().into(),
            ),
        },
        Addresses::Groups(groups) => put(
            side.groups,
            groups.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>().into(),
        ),
    };
}
