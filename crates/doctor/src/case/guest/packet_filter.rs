//! The guest's packet filter, by the program that lists it. Comments of rules and
//! prefixes of logs stay in the guest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// nftables.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nft {
    /// `nft -j list ruleset`, parsed; rules written by `iptables-nft` are in it. An
    /// empty ruleset where the kernel has no nftables at all.
    pub ruleset: serde_json::Value,
    /// The `type` lines of `nft list chains`, where a chain hangs on a device: nft
    /// 1.0's JSON leaves the device out.
    #[serde(default)]
    pub chains: Option<String>,
}

/// iptables, in its save format. A text is there if there was something to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Iptables {
    /// `iptables-nft-save`: the same rules as in nftables, in iptables' words, because
    /// nft shows iptables' extensions as opaque `xt` expressions.
    #[serde(default)]
    pub v4: Option<String>,
    /// `ip6tables-nft-save`.
    #[serde(default)]
    pub v6: Option<String>,
    /// `iptables-legacy-save`, where that has rules of its own.
    #[serde(default)]
    pub v4_legacy: Option<String>,
    /// `ip6tables-legacy-save`.
    #[serde(default)]
    pub v6_legacy: Option<String>,
    /// Whether ufw owns rules (`ENABLED=yes` in ufw.conf).
    #[serde(default)]
    pub ufw: bool,
}

/// The guest's interfaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Addresses {
    /// Names of interfaces and their addresses (`eth0` -> `10.0.0.4`).
    pub interfaces: BTreeMap<String, Vec<String>>,
}
