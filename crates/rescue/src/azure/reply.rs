//! Where a reply to the client goes, as far as the documents say.

use std::net::IpAddr;

use doctor::case::NetworkPath;
use ipnet::IpNet;
use network::route::{NextHop, Route, Routes, Source, Surroundings};
use serde_json::Value;

use super::network::{Documents, Part};
use super::path::Entrance;
use super::{array, text};

impl Documents {
    /// Finds the next hop, or why it is not known.
    pub(super) fn reply(
        &self,
        entrance: &Entrance,
        client: Option<IpAddr>,
        private: Option<IpAddr>,
        path: &mut NetworkPath,
    ) -> Result<(), String> {
        let hides = |what| matches!(what, Part::Vnet | Part::Subnet | Part::RouteTable);
        if let Some(missing) = self.missing.iter().find(|one| hides(one.what)) {
            path.reply_unknown_because = Some(missing.sentence());
            return Ok(());
        }
        let mut routes = Surroundings {
            address_space: self.address_space(),
            peered: self.peered(),
            service_endpoints: Vec::new(),
        }
        .system_routes();
        let (by_prefix, by_tag) = self.user_routes()?;
        routes.extend(by_prefix);
        let routes = Routes::new(routes);
        let taken = match (client, entrance) {
            (Some(client), _) => vec![routes.next_hop(client)],
            (None, Entrance::Unknown(because)) => {
                path.reply_unknown_because = Some(because.clone());
                return Ok(());
            }
            (None, _) => {
                let v4 = private.is_none_or(|private| private.is_ipv4());
                let sources = self.sources(entrance);
                let sources: Vec<IpNet> = sources
                    .into_iter()
                    .filter(|net| net.addr().is_ipv4() == v4)
                    .collect();
                routes
                    .next_hops(&sources)
                    .into_iter()
                    .filter(|one| leaves(*one))
                    .collect()
            }
        };
        let hop =
            |route: Option<&Route>| route.map_or(NextHop::None, |route| route.next_hop);
        let Some(&first) = taken.first() else { return Ok(()) };
        path.reply_unknown_because = if taken.iter().any(|one| hop(*one) != hop(first)) {
            Some("it depends on the client's address: say --client-address".to_owned())
        } else if by_tag.iter().any(|tagged| *tagged != hop(first)) {
            Some("a route by service tag may take it".to_owned())
        } else if self.learns_routes() && !taken.iter().all(|one| nothing_beats(*one)) {
            Some("what the network's gateway has learnt is not known".to_owned())
        } else {
            path.reply_next_hop = Some(hop(first).kind().into());
            path.reply_route_table = first.and_then(|route| route.table.clone());
            None
        };
        Ok(())
    }

    /// Whether what a gateway learns reaches this subnet.
    fn learns_routes(&self) -> bool {
        let table = self.route_table.as_ref();
        let propagates = table.is_none_or(|table| {
            table.pointer("/properties/disableBgpRoutePropagation")
                != Some(&Value::Bool(true))
        });
        propagates && self.has_gateway()
    }

    /// The routes of the subnet's table: those by prefix, and whether any goes by tag.
    fn user_routes(&self) -> Result<(Vec<Route>, Vec<NextHop>), String> {
        let (mut routes, mut by_tag) = (Vec::new(), Vec::new());
        let Some(table) = &self.route_table else { return Ok((routes, by_tag)) };
        let id = text(table, "/id").unwrap_or_default();
        for route in array(table, "/properties/routes") {
            let name = text(route, "/name").unwrap_or_default();
            let mut properties = route.get("properties").cloned().unwrap_or_default();
            let tagged = text(route, "/properties/addressPrefix")
                .is_some_and(|prefix| !prefix.contains('/'));
            if tagged {
                properties["addressPrefix"] = "0.0.0.0/0".into();
            }
            let route = Route::from_arm(id, name, &properties)
                .map_err(|error| error.to_string())?;
            if tagged { by_tag.push(route.next_hop) } else { routes.push(route) }
        }
        Ok((routes, by_tag))
    }
}

/// Whether a route leads out of what the network itself delivers.
fn leaves(route: Option<&Route>) -> bool {
    let hop = route.map(|route| route.next_hop);
    !matches!(hop, Some(NextHop::VnetLocal | NextHop::VnetPeering))
}

/// Whether no learnt route can go before this one: it is the user's, for one address,
/// or the network's own.
fn nothing_beats(route: Option<&Route>) -> bool {
    route.is_some_and(|route| match route.source {
        Source::User => route.prefix.prefix_len() == route.prefix.max_prefix_len(),
        Source::System => !leaves(Some(route)),
        Source::Gateway => false,
    })
}
