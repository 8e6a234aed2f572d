//! `rest`: a request of one's own.

use std::path::PathBuf;

use clap::Args;

/// `rest`
#[derive(Debug, Args)]
pub(crate) struct Rest {
    /// HTTP request method.
    #[arg(
        short, long, ignore_case = true, default_value = "get",
        value_parser = ["delete", "get", "head", "options", "patch", "post", "put"]
    )]
    pub(crate) method: String,
    /// Request URL. Without a host it is a path of this cloud; '{subscriptionId}' stands
    /// for the current subscription.
    #[arg(short = 'u', long, visible_alias = "uri")]
    pub(crate) url: String,
    /// Space-separated headers in KEY=VALUE format or JSON string. Use @{file} to load
    /// from a file.
    #[arg(long, num_args = 1..)]
    pub(crate) headers: Vec<String>,
    /// Query parameters in the URL, in KEY=VALUE format or JSON string. Use @{file} to
    /// load from a file.
    #[arg(long, visible_alias = "url-parameters", num_args = 1..)]
    pub(crate) uri_parameters: Vec<String>,
    /// Request body. Use @{file} to load from a file.
    #[arg(short, long)]
    pub(crate) body: Option<String>,
    /// Save response payload to a file.
    #[arg(long)]
    pub(crate) output_file: Option<PathBuf>,
    /// Do not auto-append Authorization header.
    #[arg(long)]
    pub(crate) skip_authorization_header: bool,
}
