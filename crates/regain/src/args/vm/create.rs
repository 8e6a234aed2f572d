//! `vm create`.

use clap::{Args, ValueEnum};

use crate::args::noun::Tags;

/// `vm create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: String,
    /// Name of the VM.
    #[arg(short, long)]
    pub(crate) name: String,
    /// Image: an alias, PUBLISHER:OFFER:SKU:VERSION, or a resource id.
    #[arg(long, default_value = "Debian12")]
    pub(crate) image: String,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    /// Login name of the administrator [default: yours].
    #[arg(long)]
    pub(crate) admin_username: Option<String>,
    /// Password of the administrator.
    #[arg(long)]
    pub(crate) admin_password: Option<String>,
    /// Public keys, or files that hold them.
    #[arg(long, num_args = 1.., value_name = "KEY")]
    pub(crate) ssh_key_values: Vec<String>,
    /// Make a key in ~/.ssh if there is none.
    #[arg(long)]
    pub(crate) generate_ssh_keys: bool,
    /// How the administrator logs in [default: ssh, or password if one is given].
    #[arg(long, value_enum, ignore_case = true)]
    pub(crate) authentication_type: Option<Authentication>,
    /// NSG: a name, a resource id, or "" for none.
    #[arg(long)]
    pub(crate) nsg: Option<String>,
    /// Whether a new NSG lets SSH in.
    #[arg(long, value_enum, ignore_case = true, default_value_t = NsgRule::Ssh)]
    pub(crate) nsg_rule: NsgRule,
    /// Virtual network, made if it does not exist.
    #[arg(long)]
    pub(crate) vnet_name: Option<String>,
    /// Address prefix of a new virtual network.
    #[arg(long, default_value = "10.0.0.0/16")]
    pub(crate) vnet_address_prefix: String,
    /// Subnet of the virtual network.
    #[arg(long)]
    pub(crate) subnet: Option<String>,
    /// Address prefix of a new subnet.
    #[arg(long, default_value = "10.0.0.0/24")]
    pub(crate) subnet_address_prefix: String,
    /// Public address: a name, a resource id, or "" for none.
    #[arg(long)]
    pub(crate) public_ip_address: Option<String>,
    /// NICs that exist, by name or id, the primary one first; no network is made.
    #[arg(
        long,
        num_args = 1..,
        value_name = "NIC",
        conflicts_with_all = ["nsg", "vnet_name", "subnet", "public_ip_address"]
    )]
    pub(crate) nics: Vec<String>,
    /// SKU of a new public address.
    #[arg(long, value_enum, ignore_case = true, default_value_t = PublicIpSku::Standard)]
    pub(crate) public_ip_sku: PublicIpSku,
    /// DNS label of a new public address.
    #[arg(long, value_name = "LABEL")]
    pub(crate) public_ip_address_dns_name: Option<String>,
    /// Static private address.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) private_ip_address: Option<String>,
    /// Size of the VM.
    #[arg(long, default_value = "Standard_DS1_v2")]
    pub(crate) size: String,
    /// Host name in the guest; the VM's name without it.
    #[arg(long)]
    pub(crate) computer_name: Option<String>,
    /// Identities: none for the system's own, else `[system]` and resource ids.
    #[arg(long, num_args = 0.., value_name = "IDENTITY")]
    pub(crate) assign_identity: Option<Vec<String>>,
    #[command(flatten)]
    pub(crate) tags: Tags,
    /// Ask ARM whether it could be made, and make nothing.
    #[arg(long)]
    pub(crate) validate: bool,
    /// Do not wait until the VM is made.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// How an administrator logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Authentication {
    Ssh,
    Password,
    All,
}

/// The rule of a new NSG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NsgRule {
    Ssh,
    None,
}

/// Kinds of public addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PublicIpSku {
    Basic,
    Standard,
}
