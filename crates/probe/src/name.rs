//! From a host name to addresses, and who said so.
//!
//! The order is that of a usual system: an address literal is its own answer, then
//! the names that RFC 6761 reserves, then the hosts file, then the name servers of
//! resolv.conf. Each server is asked by a resolver of its own, because a pooled one
//! does not tell which server said that a name does not exist.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
    ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::Name as DnsName;
use hickory_resolver::system_conf::read_system_conf;
use serde::Serialize;
use tokio::time::timeout;

/// A host's name and what it resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Name {
    /// The name asked for.
    pub name: String,
    /// The answer.
    pub resolution: Resolution,
}

/// The answer to one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Resolution {
    /// The host was given as an address.
    Literal {
        /// That address.
        addresses: Vec<IpAddr>,
    },
    /// The name has addresses.
    Resolved {
        /// In the answer's order.
        addresses: Vec<IpAddr>,
        /// `hosts file`, `RFC 6761`, or the name server's address.
        server: String,
    },
    /// The name does not exist.
    NxDomain {
        /// Who said so.
        server: String,
    },
    /// The name exists and has no address.
    NoAddress {
        /// Who said so.
        server: String,
    },
    /// No name server gave an answer.
    Unanswered {
        /// What each server did instead.
        error: String,
    },
}

impl Name {
    /// The addresses to connect to; none if the name did not resolve.
    pub fn addresses(&self) -> &[IpAddr] {
        match &self.resolution {
            Resolution::Literal { addresses }
            | Resolution::Resolved { addresses, .. } => addresses,
            _ => &[],
        }
    }
}

/// Where names are looked up. Made once and shared: it caches.
pub struct Names {
    hosts: HashMap<String, Vec<IpAddr>>,
    servers: Vec<Server>,
    /// Why there is no server, if there is none.
    unconfigured: Option<String>,
}

/// One name server.
struct Server {
    address: String,
    resolver: TokioResolver,
}

impl Names {
    /// As this system is configured: `/etc/hosts` and `/etc/resolv.conf`. A missing
    /// or broken file makes names unanswered, and literals still work.
    pub fn system() -> Self {
        let hosts = std::fs::read_to_string(Path::new("/etc/hosts")).unwrap_or_default();
        let (config, options) = match read_system_conf() {
            Ok(system) => system,
            Err(error) => {
                let unconfigured = Some(format!("no name server is configured: {error}"));
                return Self { unconfigured, ..Self::new(&hosts, &[]) };
            }
        };
        let servers = config
            .name_servers()
            .iter()
            .filter_map(|server| {
                Server::new(server.clone(), config.search(), options.clone())
            })
            .collect();
        Self { servers, ..Self::new(&hosts, &[]) }
    }

    /// With a hosts file's text and name servers (UDP) of one's own.
    pub fn new(hosts: &str, servers: &[SocketAddr]) -> Self {
        let servers = servers
            .iter()
            .filter_map(|address| {
                let mut connection = ConnectionConfig::udp();
                connection.port = address.port();
                let server = NameServerConfig::new(address.ip(), true, vec![connection]);
                Server::new(server, &[], ResolverOpts::default())
            })
            .collect();
        Self { hosts: parse_hosts(hosts), servers, unconfigured: None }
    }

    /// Looks a name up within `limit`, which all servers share.
    pub async fn resolve(&self, host: &str, limit: Duration) -> Name {
        let resolution = match self.answer_locally(host) {
            Some(resolution) => resolution,
            None => self.ask(host, limit).await,
        };
        Name { name: host.to_owned(), resolution }
    }

    /// What needs no packet: literals, reserved names, the hosts file.
    fn answer_locally(&self, host: &str) -> Option<Resolution> {
        // A scope (`fe80::1%eth0`) belongs to the socket; the address is the rest.
        let literal = host.trim_matches(['[', ']']);
        if let Ok(address) = literal.split('%').next().unwrap_or(literal).parse() {
            return Some(Resolution::Literal { addresses: vec![address] });
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if let Some(addresses) = self.hosts.get(&name) {
            let server = "hosts file".to_owned();
            return Some(Resolution::Resolved { addresses: addresses.clone(), server });
        }
        let server = "RFC 6761".to_owned();
        match name.rsplit('.').next() {
            Some("invalid") => Some(Resolution::NxDomain { server }),
            Some("localhost") => Some(Resolution::Resolved {
                addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
                server,
            }),
            _ => None,
        }
    }

    async fn ask(&self, host: &str, limit: Duration) -> Resolution {
        let Some(each) =
            u32::try_from(self.servers.len()).ok().and_then(|n| limit.checked_div(n))
        else {
            let error = self.unconfigured.clone();
            return Resolution::Unanswered {
                error: error.unwrap_or_else(|| "no name server is configured".to_owned()),
            };
        };
        let mut errors = Vec::new();
        for server in &self.servers {
            match server.ask(host, each).await {
                Ok(resolution) => return resolution,
                Err(error) => errors.push(format!("{}: {error}", server.address)),
            }
        }
        Resolution::Unanswered { error: errors.join("; ") }
    }
}

impl Server {
    fn new(
        server: NameServerConfig,
        search: &[DnsName],
        mut options: ResolverOpts,
    ) -> Option<Self> {
        options.use_hosts_file = ResolveHosts::Never;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        // The caller's limit cuts the waiting; these only space the questions.
        options.timeout = options.timeout.min(Duration::from_secs(2));
        let address = match server.connections.first() {
            Some(connection) if connection.port != 53 => {
                SocketAddr::new(server.ip, connection.port).to_string()
            }
            _ => server.ip.to_string(),
        };
        let config = ResolverConfig::from_parts(None, search.to_vec(), vec![server]);
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        Some(Self { address, resolver: builder.build().ok()? })
    }

    /// The server's answer, or why there is none from it.
    async fn ask(&self, host: &str, limit: Duration) -> Result<Resolution, String> {
        let server = self.address.clone();
        match timeout(limit, self.resolver.lookup_ip(host)).await {
            Err(_) | Ok(Err(NetError::Timeout)) => {
                Err(format!("no answer within {:.1} s", limit.as_secs_f32()))
            }
            Ok(Ok(answer)) => {
                let addresses: Vec<IpAddr> = answer.iter().collect();
                if addresses.is_empty() {
                    return Ok(Resolution::NoAddress { server });
                }
                Ok(Resolution::Resolved { addresses, server })
            }
            Ok(Err(error)) if error.is_nx_domain() => Ok(Resolution::NxDomain { server }),
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(_)))) => {
                Ok(Resolution::NoAddress { server })
            }
            Ok(Err(error)) => Err(error.to_string()),
        }
    }
}

/// Name in lower case -> addresses in the file's order.
fn parse_hosts(text: &str) -> HashMap<String, Vec<IpAddr>> {
    let mut hosts: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for line in text.lines() {
        let mut words =
            line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else {
            continue;
        };
        for name in words {
            hosts.entry(name.to_ascii_lowercase()).or_default().push(address);
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_has_comments_aliases_and_several_addresses_for_a_name() {
        let hosts = parse_hosts(
            "127.0.0.1 localhost\n192.0.2.7\tWeb web.example # 192.0.2.8 no\n\
             2001:db8::7 web\nnonsense here\n",
        );
        let v4: IpAddr = "192.0.2.7".parse().unwrap();
        let v6: IpAddr = "2001:db8::7".parse().unwrap();
        assert_eq!(hosts["web"], [v4, v6]);
        assert_eq!(hosts["web.example"], [v4]);
        assert!(!hosts.contains_key("here"));
        assert!(!hosts.contains_key("no"));
    }
}
