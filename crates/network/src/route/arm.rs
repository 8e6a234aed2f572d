//! Reading a user route from ARM's `RoutePropertiesFormat`.

use std::net::IpAddr;

use serde_json::Value;
use thiserror::Error;

use super::{NextHop, Route, Source};
use crate::prefix;

/// A user route that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// `addressPrefix` is no CIDR block. Service tags are legal here in Azure, but
    /// this crate does not route by them yet.
    #[error("route {route}: address prefix {value:?} is not a CIDR block")]
    Prefix {
        /// The route's name.
        route: String,
        /// The prefix as given.
        value: String,
    },
    /// `nextHopType` is none of those that a user may set.
    #[error("route {route}: next hop type {value:?} cannot be set by a user")]
    NextHopType {
        /// The route's name.
        route: String,
        /// The type as given.
        value: String,
    },
    /// A virtual appliance needs `nextHopIpAddress`.
    #[error("route {route}: next hop address {value:?} is not an IP address")]
    NextHopAddress {
        /// The route's name.
        route: String,
        /// The address as given.
        value: String,
    },
}

impl Route {
    /// Reads one route of a route table. `table` is the table's resource id, `name`
    /// the route's, `properties` ARM's `properties` object.
    ///
    /// # Errors
    /// A field that is missing or that ARM would not take.
    pub fn from_arm(
        table: &str,
        name: &str,
        properties: &Value,
    ) -> Result<Route, RouteError> {
        let text = |field: &str| {
            properties.get(field).and_then(Value::as_str).unwrap_or_default()
        };
        let route = || name.to_owned();
        let value = text("addressPrefix");
        let prefix = prefix::parse(value).ok_or_else(|| RouteError::Prefix {
            route: route(),
            value: value.to_owned(),
        })?;
        let next_hop = match text("nextHopType").to_ascii_lowercase().as_str() {
            "vnetlocal" => NextHop::VnetLocal,
            "internet" => NextHop::Internet,
            "virtualnetworkgateway" => NextHop::VirtualNetworkGateway,
            "none" => NextHop::None,
            "virtualappliance" => {
                let value = text("nextHopIpAddress");
                let address: IpAddr = value.parse().map_err(|_| {
                    RouteError::NextHopAddress { route: route(), value: value.to_owned() }
                })?;
                NextHop::VirtualAppliance(address)
            }
            _ => {
                let value = text("nextHopType").to_owned();
                return Err(RouteError::NextHopType { route: route(), value });
            }
        };
        Ok(Route {
            name: Some(route()),
            source: Source::User,
            prefix,
            next_hop,
            table: Some(table.to_owned()),
        })
    }
}
