//! `network nsg`

use clap::{Args, Subcommand};

use crate::args::noun::{Delete, List, Named, NoWait, Noun, Show, Tags, Update, Wait};

use super::rule::Rule;

/// Network security groups.
#[derive(Debug, Clone)]
pub(crate) struct NetworkSecurityGroup;

impl Noun for NetworkSecurityGroup {
    const WHAT: &'static str = "network security group";
    const TYPE: &'static str = "Microsoft.Network/networkSecurityGroups";
    const VERSION: &'static str = "2022-01-01";
}

/// `network nsg`
#[derive(Debug, Subcommand)]
pub(crate) enum Nsg {
    /// Create a network security group.
    Create(Create),
    /// List network security groups.
    List(List<NetworkSecurityGroup>),
    /// Get information about a network security group.
    Show(Show<NetworkSecurityGroup>),
    /// Update a network security group.
    Update(Change),
    /// Delete a network security group.
    Delete(Delete<NetworkSecurityGroup>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<NetworkSecurityGroup>),
    /// Manage network security group rules.
    #[command(subcommand)]
    Rule(Rule),
}

/// `network nsg create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<NetworkSecurityGroup>,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) tags: Tags,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network nsg update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<NetworkSecurityGroup>,
    /// Location.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) tags: Tags,
}
