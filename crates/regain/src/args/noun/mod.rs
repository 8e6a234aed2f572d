//! How a resource is named on the command line, once for every noun: by group
//! and name (and parent), or by `--ids`; and the flags of the verbs that all
//! nouns share.
//!
//! A noun says in [`Noun`] what it is called and where ARM keeps it. Its flags
//! follow from that.

mod edits;
mod tags;
mod target;

pub(crate) use edits::{Edit, Edits};
pub(crate) use tags::Tags;
pub(crate) use target::{Named, Target};

use std::fmt::Debug;
use std::marker::PhantomData;

use clap::{ArgMatches, Args, Command, FromArgMatches};

/// A kind of resource.
pub(crate) trait Noun: Debug + Clone + Send + Sync + 'static {
    /// In words, as in "network security group".
    const WHAT: &'static str;
    /// Its type, or its parent's, as in `Microsoft.Network/networkSecurityGroups`.
    const TYPE: &'static str;
    /// The API version that az asks with.
    const VERSION: &'static str;
    /// What it is part of.
    const PARENT: Option<Parent> = None;
    /// Other names of `--name`.
    const ALIASES: &'static [&'static str] = &[];
}

/// Where the parent of a noun is named, and where ARM keeps the children.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    /// As in `nsg-name`.
    pub(crate) flag: &'static str,
    /// As in "network security group".
    pub(crate) what: &'static str,
    /// As in `securityRules`.
    pub(crate) collection: &'static str,
}

/// `show`
#[derive(Debug, Args)]
pub(crate) struct Show<N: Noun> {
    #[command(flatten)]
    pub(crate) target: Target<N>,
    /// Expands referenced resources.
    #[arg(long)]
    pub(crate) expand: Option<String>,
}

/// `delete`
#[derive(Debug, Args)]
pub(crate) struct Delete<N: Noun> {
    #[command(flatten)]
    pub(crate) target: Target<N>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// The part of `update` that every noun has.
#[derive(Debug, Args)]
pub(crate) struct Update<N: Noun> {
    #[command(flatten)]
    pub(crate) target: Target<N>,
    #[command(flatten)]
    pub(crate) edits: Edits,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `wait`
#[derive(Debug, Args)]
pub(crate) struct Wait<N: Noun> {
    #[command(flatten)]
    pub(crate) target: Target<N>,
    #[command(flatten)]
    pub(crate) until: Conditions,
}

/// Whether to wait for the end of an operation.
#[derive(Debug, Args)]
pub(crate) struct NoWait {
    /// Do not wait for the long-running operation to finish.
    #[arg(
        long, num_args = 0..=1, value_name = "BOOL", default_value = "false",
        default_missing_value = "true", hide_default_value = true, value_parser = boolean
    )]
    pub(crate) no_wait: bool,
}

/// What `wait` waits for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Wait condition")]
pub(crate) struct Conditions {
    /// Wait until created with 'provisioningState' at 'Succeeded'.
    #[arg(long)]
    pub(crate) created: bool,
    /// Wait until updated with 'provisioningState' at 'Succeeded'.
    #[arg(long)]
    pub(crate) updated: bool,
    /// Wait until deleted.
    #[arg(long)]
    pub(crate) deleted: bool,
    /// Wait until the resource exists.
    #[arg(long)]
    pub(crate) exists: bool,
    /// Wait until the condition satisfies a custom JMESPath query.
    #[arg(long, value_name = "JMESPATH", value_parser = super::query)]
    pub(crate) custom: Option<crate::query::Query>,
    /// Polling interval in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) interval: u64,
    /// Maximum wait in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub(crate) timeout: u64,
}

/// `list`: a group or the whole subscription; for parts, their parent.
#[derive(Debug, Clone)]
pub(crate) struct List<N> {
    pub(crate) group: Option<String>,
    pub(crate) parent: Option<String>,
    noun: PhantomData<N>,
}

impl<N: Noun> Args for List<N> {
    fn augment_args(command: Command) -> Command {
        let group = target::group();
        match N::PARENT {
            Some(parent) => command
                .arg(group.required(true))
                .arg(target::parent(parent).required(true)),
            None => command.arg(group.help("Name of the resource group; all without it")),
        }
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<N: Noun> FromArgMatches for List<N> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            group: target::text(matches, "group"),
            parent: N::PARENT.and_then(|_| target::text(matches, "parent")),
            noun: PhantomData,
        })
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// az's truth values.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "0" => Ok(false),
        _ => Err("use true or false".to_owned()),
    }
}
