//! `monitor`: what happened in a subscription.

use clap::{Args, Subcommand};

/// `monitor`
#[derive(Debug, Subcommand)]
pub(crate) enum Monitor {
    /// Manage activity logs.
    #[command(subcommand)]
    ActivityLog(ActivityLog),
}

/// `monitor activity-log`
#[derive(Debug, Subcommand)]
pub(crate) enum ActivityLog {
    /// List and query activity log events.
    List(List),
}

/// `monitor activity-log list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Maximum number of records to return.
    #[arg(long, default_value_t = 50)]
    pub(crate) max_events: usize,
    /// Space-separated list of properties to return.
    #[arg(long, num_args = 1..)]
    pub(crate) select: Vec<String>,
    /// Start time of the query, as in 2026-01-31T12:00:00.
    #[arg(long, help_heading = "Time")]
    pub(crate) start_time: Option<String>,
    /// End time of the query. Defaults to the current time.
    #[arg(long, help_heading = "Time")]
    pub(crate) end_time: Option<String>,
    /// Time offset of the query range, in ##d##h format.
    #[arg(long, default_value = "6h", help_heading = "Time")]
    pub(crate) offset: String,
    /// Caller to query for, such as an e-mail address or service principal ID.
    #[arg(long, help_heading = "Filter")]
    pub(crate) caller: Option<String>,
    /// Correlation ID to query.
    #[arg(long, help_heading = "Filter")]
    pub(crate) correlation_id: Option<String>,
    /// Resource provider namespace.
    #[arg(long, help_heading = "Filter")]
    pub(crate) namespace: Option<String>,
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group", help_heading = "Filter")]
    pub(crate) group: Option<String>,
    /// ARM ID of a resource.
    #[arg(long, help_heading = "Filter")]
    pub(crate) resource_id: Option<String>,
    /// Status to query for (ex: Failed).
    #[arg(long, help_heading = "Filter")]
    pub(crate) status: Option<String>,
}
