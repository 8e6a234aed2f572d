//! `network nsg rule`

use clap::{Args, Subcommand};

use super::nsg::NetworkSecurityGroup;
use crate::args::noun::{
    Delete, List, Named, NoWait, Noun, Parent, Target, Update, Wait,
};

/// Rules of an NSG.
#[derive(Debug, Clone)]
pub(crate) struct SecurityRule;

impl Noun for SecurityRule {
    const WHAT: &'static str = "network security group rule";
    const TYPE: &'static str = NetworkSecurityGroup::TYPE;
    const VERSION: &'static str = NetworkSecurityGroup::VERSION;
    const PARENT: Option<Parent> = Some(Parent {
        flag: "nsg-name",
        what: NetworkSecurityGroup::WHAT,
        collection: "securityRules",
    });
}

/// `network nsg rule`
#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    /// Create a network security group rule.
    Create(Create),
    /// List all rules in a network security group.
    List(ListRules),
    /// Get the details of a network security group rule.
    Show(Target<SecurityRule>),
    /// Update a network security group rule.
    Update(Change),
    /// Delete a network security group rule.
    Delete(Delete<SecurityRule>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<SecurityRule>),
}

/// `network nsg rule list`
#[derive(Debug, Args)]
pub(crate) struct ListRules {
    #[command(flatten)]
    pub(crate) rules: List<SecurityRule>,
    /// Include default security rules in the output.
    #[arg(long)]
    pub(crate) include_default: bool,
}

/// `network nsg rule create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<SecurityRule>,
    /// Priority of the rule: from 100 (first) to 4096 (last).
    #[arg(long)]
    pub(crate) priority: i64,
    #[command(flatten)]
    pub(crate) flow: Flow,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network nsg rule update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<SecurityRule>,
    /// Priority of the rule: from 100 (first) to 4096 (last).
    #[arg(long)]
    pub(crate) priority: Option<i64>,
    #[command(flatten)]
    pub(crate) flow: Flow,
}

/// Which flows a rule is about, and what it does with them.
#[derive(Debug, Default, Args)]
pub(crate) struct Flow {
    /// Network traffic is allowed or denied [new rules: Allow].
    #[arg(long, ignore_case = true, value_parser = ["Allow", "Deny"])]
    pub(crate) access: Option<String>,
    /// Direction of the rule [new rules: Inbound].
    #[arg(long, ignore_case = true, value_parser = ["Inbound", "Outbound"])]
    pub(crate) direction: Option<String>,
    /// Network protocol this rule applies to [new rules: *].
    #[arg(long, ignore_case = true, value_parser = ["*", "Ah", "Esp", "Icmp", "Tcp", "Udp"])]
    pub(crate) protocol: Option<String>,
    /// Description for this rule. Restricted to 140 chars.
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// Space-separated list of CIDR prefixes, IP ranges or service tags [new rules: *].
    #[arg(long, num_args = 1.., help_heading = "Source")]
    pub(crate) source_address_prefixes: Option<Vec<String>>,
    /// Space-separated list of ports or port ranges [new rules: *].
    #[arg(long, num_args = 1.., help_heading = "Source")]
    pub(crate) source_port_ranges: Option<Vec<String>>,
    /// Space-separated list of application security group names or IDs.
    #[arg(long, num_args = 1.., help_heading = "Source")]
    pub(crate) source_asgs: Option<Vec<String>>,
    /// Space-separated list of CIDR prefixes, IP ranges or service tags [new rules: *].
    #[arg(long, num_args = 1.., help_heading = "Destination")]
    pub(crate) destination_address_prefixes: Option<Vec<String>>,
    /// Space-separated list of ports or port ranges [new rules: 80].
    #[arg(long, num_args = 1.., help_heading = "Destination")]
    pub(crate) destination_port_ranges: Option<Vec<String>>,
    /// Space-separated list of application security group names or IDs.
    #[arg(long, num_args = 1.., help_heading = "Destination")]
    pub(crate) destination_asgs: Option<Vec<String>>,
}
