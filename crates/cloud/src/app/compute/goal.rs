//! Goals: what a guest is to run, in the documents that agents read.
//!
//! ```text
//! extension PUT → assign: settings stored, incarnation + 1 ──► long poll wakes up
//!                                            agent: goal state, extensions, status
//! extension PUT ◄── outcome: the status of its sequence number
//! ```

use guest::envelope::{self, Cipher};
use guest::wire::{
    BlobKind, Certificates, ExtensionsConfig, GoalState, HandlerSettings, Plugin,
    PluginSettings, PluginState, StatusUploadBlob,
};

use super::agent::Agent;
use super::tenant::{broken, identity};
use crate::app::{App, Problem};
use crate::store::Settings;

/// Where guests find the platform.
const HOST: &str = "http://168.63.129.16";

impl App {
    /// Gives a handler new settings, or takes it away, and wakes the agent up.
    /// Returns the sequence number and the goal to wait for.
    pub(super) async fn assign(
        &self,
        agent: &Agent,
        handler: &str,
        version: &str,
        settings: Option<&Settings>,
        operation: &str,
    ) -> Result<(u32, u64), Problem> {
        let (sequence, incarnation) = self
            .store
            .assign(&agent.vm, handler, version, settings, operation)
            .await?
            .ok_or_else(|| gone(agent))?;
        agent.set_goal(incarnation);
        Ok((sequence, incarnation))
    }

    /// The goal state.
    pub(crate) async fn goal_state(&self, agent: &Agent) -> Result<GoalState, Problem> {
        let incarnation = agent.goal();
        let guest = self.store.guest(&agent.vm).await?.ok_or_else(|| gone(agent))?;
        let machine = guest.machine;
        let address = |comp: &str| {
            format!(
                "{HOST}/machine/{machine}/_{}?comp={comp}&incarnation={incarnation}",
                agent.vm.name()
            )
        };
        Ok(GoalState {
            incarnation: incarnation.to_string(),
            container_id: machine.clone(),
            instance_id: format!("_{}", agent.vm.name()),
            hosting_environment_config: address("hostingEnvironmentConfig"),
            shared_config: address("sharedConfig"),
            extensions_config: address("extensionsConfig"),
            certificates: Some(address("certificates")),
            config_name: format!("{machine}.{incarnation}.xml"),
        })
    }

    /// What the agent is to run; it has seen the goal from now on.
    pub(crate) async fn extensions_config(
        &self,
        agent: &Agent,
    ) -> Result<ExtensionsConfig, Problem> {
        let incarnation = agent.goal();
        let guest = self.store.guest(&agent.vm).await?.ok_or_else(|| gone(agent))?;
        let thumbprint = identity(&guest.tenant)?.thumbprint().map_err(broken)?;
        let plugins = self
            .store
            .plugins(&agent.vm)
            .await?
            .into_iter()
            .filter(|plugin| plugin.enabled)
            .map(|plugin| Plugin {
                location: format!("{HOST}/manifest/{}", plugin.handler),
                name: plugin.handler,
                version: plugin.version,
                state: PluginState::Enabled,
                settings: Some(PluginSettings {
                    sequence: plugin.sequence,
                    handler: HandlerSettings {
                        protected_settings_cert_thumbprint: plugin
                            .settings
                            .protected
                            .as_ref()
                            .map(|_| thumbprint.clone()),
                        protected_settings: plugin.settings.protected,
                        public_settings: plugin.settings.public,
                    },
                }),
            })
            .collect();
        agent.has(incarnation);
        Ok(ExtensionsConfig {
            incarnation: incarnation.to_string(),
            plugins,
            status_upload_blob: Some(StatusUploadBlob {
                kind: BlobKind::Block,
                url: format!("{HOST}/status/{}", guest.machine),
            }),
        })
    }

    /// The tenant certificate with its key, encrypted to the agent's own
    /// certificate (DER).
    pub(crate) async fn certificates(
        &self,
        agent: &Agent,
        transport: &[u8],
        cipher: Cipher,
    ) -> Result<Certificates, Problem> {
        let guest = self.store.guest(&agent.vm).await?.ok_or_else(|| gone(agent))?;
        let pfx = envelope::pfx::encode(&identity(&guest.tenant)?).map_err(broken)?;
        let data = envelope::encrypt(&pfx, transport, cipher).map_err(|error| {
            Problem::parameter("x-ms-guest-agent-public-x509-cert", error.to_string())
        })?;
        Ok(Certificates { incarnation: agent.goal().to_string(), data: Some(data) })
    }
}

fn gone(agent: &Agent) -> Problem {
    Problem::ResourceNotFound { id: agent.vm.clone() }
}
