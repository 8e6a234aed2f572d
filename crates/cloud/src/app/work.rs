//! The work of operations, as the journal keeps it. Each kind can be begun twice:
//! after a crash it is simply done again.

use std::collections::BTreeSet;
use std::sync::Arc;

use arm::ResourceId;
use guest::provision::Provision;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::compute::power::Action;
use super::compute::{extension, machine_life, power, run_command, virtual_machine};
use super::network::network_document;
use super::network::network_watcher::connectivity;
use super::resources::{deployment, resource_group};
use super::{App, Problem};
use crate::store::Settings;

/// What an operation does.
#[derive(Serialize, Deserialize)]
pub(crate) enum Work {
    /// A network document was written: make packets follow it.
    Settle {
        /// The document.
        resource: ResourceId,
        /// The collection and name of the child that was written, if it was one.
        child: Option<(String, String)>,
        /// The virtual networks that it has a say in, by key.
        #[serde(default)]
        networks: Option<BTreeSet<String>>,
    },
    /// Delete a network document.
    Remove {
        /// The document.
        resource: ResourceId,
        /// The virtual networks that it had a say in, by key.
        #[serde(default)]
        networks: Option<BTreeSet<String>>,
    },
    /// Delete a group and all that is in it.
    DeleteGroup {
        /// The group.
        group: ResourceId,
    },
    /// Make and boot a machine.
    CreateMachine {
        /// The virtual machine.
        vm: ResourceId,
        /// The engine's name of its image.
        image: String,
        /// What its first boot makes of it.
        provision: Provision,
    },
    /// A virtual machine's document was written that needs no more.
    UpdateMachine {
        /// The virtual machine.
        vm: ResourceId,
    },
    /// Delete a machine.
    DeleteMachine {
        /// The virtual machine.
        vm: ResourceId,
    },
    /// Start, stop or restart a machine.
    Power {
        /// The virtual machine.
        vm: ResourceId,
        /// What to do.
        action: Action,
    },
    /// Give a handler new settings and wait for their outcome.
    PutExtension {
        /// The extension.
        extension: ResourceId,
        /// `publisher.type`.
        handler: String,
        /// The handler's version.
        version: String,
        /// What it is told.
        settings: Settings,
    },
    /// Take a handler away.
    DeleteExtension {
        /// The extension.
        extension: ResourceId,
        /// `publisher.type`.
        handler: String,
    },
    /// Run a script in a guest.
    RunCommand {
        /// The virtual machine.
        vm: ResourceId,
        /// The script.
        settings: Settings,
    },
    /// Try whether a machine reaches something.
    Connect {
        /// What is asked.
        question: connectivity::Question,
    },
    /// Make what a template says.
    Deploy {
        /// The deployment.
        deployment: ResourceId,
        /// What it is asked to do.
        request: deployment::Request,
    },
}

impl Work {
    /// Does it. `operation` is its entry in the journal; `again` tells that a
    /// server began it before and was killed.
    pub(super) async fn perform(
        self,
        app: &Arc<App>,
        operation: &str,
        again: bool,
    ) -> Result<Value, Problem> {
        match self {
            Self::Settle { resource, child, networks } => {
                network_document::settle(app, &resource, child.as_ref(), networks).await
            }
            Self::Remove { resource, networks } => {
                network_document::remove(app, &resource, networks).await
            }
            Self::DeleteGroup { group } => resource_group::delete_all(app, &group).await,
            Self::CreateMachine { vm, image, provision } => {
                machine_life::create(app, &vm, &image, &provision).await
            }
            Self::UpdateMachine { vm } => virtual_machine::settle(app, &vm).await,
            Self::DeleteMachine { vm } => {
                machine_life::destroy(app, &vm).await.map(|()| Value::Null)
            }
            Self::Power { vm, action } => {
                power::perform(app, &vm, action, operation).await
            }
            Self::PutExtension { extension, handler, version, settings } => {
                extension::apply(
                    app, &extension, &handler, &version, &settings, operation,
                )
                .await
            }
            Self::DeleteExtension { extension, handler } => {
                extension::take_away(app, &extension, &handler, operation).await
            }
            Self::RunCommand { vm, settings } => {
                run_command::run(app, &vm, &settings, operation).await
            }
            Self::Connect { question } => connectivity::check(app, &question).await,
            Self::Deploy { deployment, request } => {
                // Boxed, because a deployment's work contains that of others.
                Box::pin(deployment::make(app, &deployment, &request, again)).await
            }
        }
    }
}
