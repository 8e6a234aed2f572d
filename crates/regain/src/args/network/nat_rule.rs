//! `network lb inbound-nat-rule`

use clap::{Args, Subcommand};

use super::load_balancer::LoadBalancer;
use crate::args::noun::{Edits, List, Named, NoWait, Noun, Parent, boolean};

/// Inbound NAT rules of a load balancer.
#[derive(Debug, Clone)]
pub(crate) struct InboundNatRule;

impl Noun for InboundNatRule {
    const WHAT: &'static str = "inbound NAT rule";
    const TYPE: &'static str = LoadBalancer::TYPE;
    const VERSION: &'static str = "2023-04-01";
    const PARENT: Option<Parent> = Some(Parent {
        flag: "lb-name",
        what: LoadBalancer::WHAT,
        collection: "inboundNatRules",
    });
}

/// `network lb inbound-nat-rule`
#[derive(Debug, Subcommand)]
pub(crate) enum NatRule {
    /// Create an inbound NAT rule.
    Create(Create),
    /// List inbound NAT rules.
    List(List<InboundNatRule>),
    /// Show the details of an inbound NAT rule.
    Show(Named<InboundNatRule>),
    /// Update an inbound NAT rule.
    Update(Change),
    /// Delete an inbound NAT rule.
    Delete(Delete),
}

/// `network lb inbound-nat-rule create`
#[derive(Debug, Args)]
#[command(mut_arg("protocol", |arg| arg.required(true)), mut_arg("backend_port", |arg| arg.required(true)))]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<InboundNatRule>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network lb inbound-nat-rule update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) named: Named<InboundNatRule>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) edits: Edits,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network lb inbound-nat-rule delete`
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) named: Named<InboundNatRule>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// What both can set.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The transport protocol of the rule.
    #[arg(long, ignore_case = true, value_parser = ["All", "Tcp", "Udp"])]
    pub(crate) protocol: Option<String>,
    /// The port used for the internal endpoint: 1 to 65535.
    #[arg(long)]
    pub(crate) backend_port: Option<i64>,
    /// The port for the external endpoint: 1 to 65534.
    #[arg(long)]
    pub(crate) frontend_port: Option<i64>,
    /// The first port of the external endpoint, for a rule of a backend pool.
    #[arg(long)]
    pub(crate) frontend_port_range_start: Option<i64>,
    /// The last port of the external endpoint, for a rule of a backend pool.
    #[arg(long)]
    pub(crate) frontend_port_range_end: Option<i64>,
    /// The name or ID of the frontend IP configuration. If only one exists, omit to use as default.
    #[arg(long, visible_alias = "frontend-ip-name")]
    pub(crate) frontend_ip: Option<String>,
    /// The name or ID of the backend address pool.
    #[arg(long, visible_alias = "backend-address-pool")]
    pub(crate) backend_pool_name: Option<String>,
    /// The timeout for the TCP idle connection: 4 to 30 minutes.
    #[arg(long, visible_alias = "idle-timeout-in-minutes")]
    pub(crate) idle_timeout: Option<i64>,
    /// Configures a virtual machine's endpoint for the floating IP capability.
    #[arg(
        long, visible_alias = "enable-floating-ip", num_args = 0..=1,
        default_missing_value = "true", value_parser = boolean
    )]
    pub(crate) floating_ip: Option<bool>,
    /// Receive bidirectional TCP Reset on TCP flow idle timeout.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean)]
    pub(crate) enable_tcp_reset: Option<bool>,
}
