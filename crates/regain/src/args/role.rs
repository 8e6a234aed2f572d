//! `role`: who may do what.

use clap::{Args, Subcommand};

use super::noun::boolean;

/// `role`
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Manage role assignments.
    #[command(subcommand)]
    Assignment(Assignment),
    /// Manage role definitions.
    #[command(subcommand)]
    Definition(Definition),
}

/// `role assignment`
#[derive(Debug, Subcommand)]
pub(crate) enum Assignment {
    /// List role assignments.
    List(ListAssignments),
    /// Create a new role assignment for a user, group, or service principal.
    Create(CreateAssignment),
    /// Delete role assignments.
    Delete(DeleteAssignments),
}

/// Where a role applies.
#[derive(Debug, Args)]
pub(crate) struct Scope {
    /// Scope at which the role assignment or definition applies to.
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Name of the resource group, if the scope is a resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
}

/// Who has a role.
#[derive(Debug, Args)]
pub(crate) struct Assignee {
    /// Represent a user, group, or service principal: object id, sign-in name, or
    /// service principal name.
    #[arg(long)]
    pub(crate) assignee: Option<String>,
    /// The assignee's object ID (also known as principal ID).
    #[arg(long)]
    pub(crate) assignee_object_id: Option<String>,
}

/// `role assignment list`
#[derive(Debug, Args)]
pub(crate) struct ListAssignments {
    #[command(flatten)]
    pub(crate) assignee: Assignee,
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// Role name or id.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Show all assignments under the current subscription.
    #[arg(long)]
    pub(crate) all: bool,
    /// Include assignments applied on parent scopes.
    #[arg(long)]
    pub(crate) include_inherited: bool,
    /// Include extra assignments to the groups of which the user is a member.
    #[arg(long)]
    pub(crate) include_groups: bool,
    /// Fill roleDefinitionName property in addition to roleDefinitionId.
    #[arg(
        long, num_args = 0..=1, value_name = "BOOL", default_value = "true",
        default_missing_value = "true", value_parser = boolean
    )]
    pub(crate) fill_role_definition_name: bool,
    /// Query Microsoft Graph to get the assignee's name.
    #[arg(
        long, num_args = 0..=1, value_name = "BOOL", default_value = "true",
        default_missing_value = "true", value_parser = boolean
    )]
    pub(crate) fill_principal_name: bool,
}

/// `role assignment create`
#[derive(Debug, Args)]
pub(crate) struct CreateAssignment {
    #[command(flatten)]
    pub(crate) assignee: Assignee,
    /// Use with --assignee-object-id to avoid errors caused by propagation latency.
    #[arg(
        long, ignore_case = true,
        value_parser = ["ForeignGroup", "Group", "ServicePrincipal", "User"]
    )]
    pub(crate) assignee_principal_type: Option<String>,
    /// Role name or id.
    #[arg(long)]
    pub(crate) role: String,
    /// Scope at which the role assignment applies to.
    #[arg(long)]
    pub(crate) scope: String,
    /// A GUID for the role assignment.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// Description of role assignment.
    #[arg(long)]
    pub(crate) description: Option<String>,
}

/// `role assignment delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteAssignments {
    /// Space-separated role assignment ids.
    #[arg(long, num_args = 1..)]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) assignee: Assignee,
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// Role name or id.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Include assignments applied on parent scopes.
    #[arg(long)]
    pub(crate) include_inherited: bool,
    /// Does nothing; az takes it too.
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `role definition`
#[derive(Debug, Subcommand)]
pub(crate) enum Definition {
    /// List role definitions.
    List(FindDefinitions),
    /// Create a custom role definition.
    Create(CreateDefinition),
    /// Delete a role definition.
    Delete(DeleteDefinitions),
}

/// `role definition list`
#[derive(Debug, Args)]
pub(crate) struct FindDefinitions {
    /// Matches the role definition's name (GUID) or roleName (e.g. 'Reader').
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) scope: Scope,
    /// Custom roles only (vs. built-in ones).
    #[arg(
        long, num_args = 0..=1, value_name = "BOOL", default_value = "false",
        default_missing_value = "true", hide_default_value = true, value_parser = boolean
    )]
    pub(crate) custom_role_only: bool,
}

/// `role definition create`
#[derive(Debug, Args)]
pub(crate) struct CreateDefinition {
    /// Description of a role as JSON, or a path to a file containing a JSON description.
    #[arg(long)]
    pub(crate) role_definition: String,
}

/// `role definition delete`
#[derive(Debug, Args)]
#[command(mut_arg("name", |arg| arg.required(true)))]
pub(crate) struct DeleteDefinitions {
    #[command(flatten)]
    pub(crate) which: FindDefinitions,
}
