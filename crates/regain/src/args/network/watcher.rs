//! `network watcher`

use clap::{Args, Subcommand};

use crate::args::noun::{NoWait, Noun};

/// Network watchers.
#[derive(Debug, Clone)]
pub(crate) struct NetworkWatcher;

impl Noun for NetworkWatcher {
    const WHAT: &'static str = "network watcher";
    const TYPE: &'static str = "Microsoft.Network/networkWatchers";
    const VERSION: &'static str = "2022-01-01";
}

/// `network watcher`
#[derive(Debug, Subcommand)]
pub(crate) enum Watcher {
    /// List Network Watchers.
    List,
    /// Test IP flow to/from a VM given the currently configured NSG rules.
    TestIpFlow(TestIpFlow),
    /// Get information on the 'next hop' of a VM.
    ShowNextHop(ShowNextHop),
    /// Test if a connection can be established between a VM and a given endpoint.
    TestConnectivity(TestConnectivity),
    /// Get detailed security information on a VM for the currently configured NSGs.
    ShowSecurityGroupView(ShowSecurityGroupView),
    /// Run a configuration diagnostic on a target resource.
    RunConfigurationDiagnostic(RunConfigurationDiagnostic),
}

/// The VM that is asked about.
#[derive(Debug, Args)]
pub(crate) struct Vm {
    /// Name or ID of the VM to target. If the name is provided, `--resource-group` is required.
    #[arg(long)]
    pub(crate) vm: String,
    /// Name of the resource group the target VM is in.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network watcher test-ip-flow`
#[derive(Debug, Args)]
pub(crate) struct TestIpFlow {
    #[command(flatten)]
    pub(crate) vm: Vm,
    /// Direction of the packet relative to the VM.
    #[arg(long, ignore_case = true, value_parser = ["Inbound", "Outbound"])]
    pub(crate) direction: String,
    /// Protocol to test.
    #[arg(long, ignore_case = true, value_parser = ["TCP", "UDP"])]
    pub(crate) protocol: String,
    /// Private IPv4 address of the VM's NIC and the port, as X.X.X.X:PORT; `*` for an outbound port.
    #[arg(long)]
    pub(crate) local: String,
    /// IPv4 address and port of the remote side, as X.X.X.X:PORT; `*` for an inbound port.
    #[arg(long)]
    pub(crate) remote: String,
    /// Name or ID of the NIC resource to test, if the VM has several.
    #[arg(long)]
    pub(crate) nic: Option<String>,
}

/// `network watcher show-next-hop`
#[derive(Debug, Args)]
pub(crate) struct ShowNextHop {
    #[command(flatten)]
    pub(crate) vm: Vm,
    /// Source IPv4 address.
    #[arg(long)]
    pub(crate) source_ip: String,
    /// Destination IPv4 address.
    #[arg(long)]
    pub(crate) dest_ip: String,
    /// Name or ID of the NIC resource to test, if the VM has several.
    #[arg(long)]
    pub(crate) nic: Option<String>,
}

/// `network watcher show-security-group-view`
#[derive(Debug, Args)]
pub(crate) struct ShowSecurityGroupView {
    #[command(flatten)]
    pub(crate) vm: Vm,
}

/// `network watcher test-connectivity`
#[derive(Debug, Args)]
pub(crate) struct TestConnectivity {
    /// Name or ID of the resource from which to originate traffic.
    #[arg(long)]
    pub(crate) source_resource: String,
    /// Port number from which to originate traffic.
    #[arg(long)]
    pub(crate) source_port: Option<u16>,
    /// Name of the resource group the target resource is in.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    /// IP address or URI at which to receive traffic.
    #[arg(long, help_heading = "Destination")]
    pub(crate) dest_address: Option<String>,
    /// Port number on which to receive traffic.
    #[arg(long, help_heading = "Destination")]
    pub(crate) dest_port: Option<u16>,
    /// Name or ID of the resource to receive traffic.
    #[arg(long, help_heading = "Destination")]
    pub(crate) dest_resource: Option<String>,
    /// Protocol to test on.
    #[arg(long, ignore_case = true, value_parser = ["Http", "Https", "Icmp", "Tcp"])]
    pub(crate) protocol: Option<String>,
    /// HTTP method to use.
    #[arg(long, ignore_case = true, value_parser = ["Get"], help_heading = "HTTP configuration")]
    pub(crate) method: Option<String>,
    /// Space-separated list of headers in KEY=VALUE format.
    #[arg(long, num_args = 1.., help_heading = "HTTP configuration")]
    pub(crate) headers: Vec<String>,
    /// Space-separated list of HTTP status codes considered valid.
    #[arg(long, num_args = 1.., help_heading = "HTTP configuration")]
    pub(crate) valid_status_codes: Vec<u16>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network watcher run-configuration-diagnostic`
#[derive(Debug, Args)]
pub(crate) struct RunConfigurationDiagnostic {
    /// Name or ID of the target resource to diagnose.
    #[arg(long, help_heading = "Target")]
    pub(crate) resource: String,
    /// Resource type.
    #[arg(
        short = 't', long, ignore_case = true, help_heading = "Target",
        value_parser = ["applicationGateways", "networkInterfaces", "virtualMachines"]
    )]
    pub(crate) resource_type: Option<String>,
    /// Name of the resource group the target resource is in.
    #[arg(short = 'g', long = "resource-group", help_heading = "Target")]
    pub(crate) group: Option<String>,
    /// Parent path, e.g., virtualMachineScaleSets/vmss1.
    #[arg(long, help_heading = "Target")]
    pub(crate) parent: Option<String>,
    /// Direction of the traffic.
    #[arg(long, ignore_case = true, value_parser = ["Inbound", "Outbound"], help_heading = "Query")]
    pub(crate) direction: Option<String>,
    /// Protocol to be verified on.
    #[arg(long, ignore_case = true, value_parser = ["TCP", "UDP"], help_heading = "Query")]
    pub(crate) protocol: Option<String>,
    /// Traffic source: '*', IP address/CIDR, or service tag.
    #[arg(long, help_heading = "Query")]
    pub(crate) source: Option<String>,
    /// Traffic destination: '*', IP address/CIDR, or service tag.
    #[arg(long, help_heading = "Query")]
    pub(crate) destination: Option<String>,
    /// Traffic destination port: '*', a port or a range of ports.
    #[arg(long, help_heading = "Query")]
    pub(crate) port: Option<String>,
    /// JSON list of queries to use. Use `@{path}` to load from a file.
    #[arg(long, num_args = 1.., help_heading = "Query")]
    pub(crate) queries: Option<Vec<String>>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}
