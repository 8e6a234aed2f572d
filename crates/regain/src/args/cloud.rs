//! `cloud`: clouds by name.

use clap::{Args, Subcommand};

/// `cloud`
#[derive(Debug, Subcommand)]
pub(crate) enum Cloud {
    /// List the clouds that are known.
    List,
    /// Show a cloud; the active one without a name.
    Show(Show),
    /// Make a cloud the one that is asked.
    Set(Named),
    /// Register a cloud; what is not said is asked of it.
    Register(Box<Register>),
    /// Forget a cloud that was registered.
    Unregister(Named),
}

/// `cloud show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Name of the cloud.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
}

/// One cloud.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Name of the cloud.
    #[arg(short, long)]
    pub(crate) name: String,
}

/// `cloud register`
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// Name of the cloud.
    #[arg(short, long)]
    pub(crate) name: String,
    /// Its configuration as JSON, or `@FILE`.
    #[arg(long)]
    pub(crate) cloud_config: Option<String>,
    /// Its resource manager.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_resource_manager: Option<String>,
    /// Its management service.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_management: Option<String>,
    /// The authority that gives tokens.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_active_directory: Option<String>,
    /// What a token must be for.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_active_directory_resource_id: Option<String>,
    /// What a token for the directory must be for.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_active_directory_graph_resource_id: Option<String>,
    /// Its Microsoft Graph.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_microsoft_graph_resource_id: Option<String>,
    /// Its gallery.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_gallery: Option<String>,
    /// Its SQL management.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_sql_management: Option<String>,
    /// Its short names of images.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_vm_image_alias_doc: Option<String>,
    /// Suffix of storage accounts.
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_storage_endpoint: Option<String>,
    /// Suffix of key vaults.
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_keyvault_dns: Option<String>,
    /// Suffix of SQL servers.
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) suffix_sql_server_hostname: Option<String>,
    /// Ask the cloud nothing.
    #[arg(long)]
    pub(crate) skip_endpoint_discovery: bool,
}
