//! Reporting: the status blob goes to the host's plugin, or straight to its address.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::Config;
use super::goal_state::Goal;
use super::http::{self, HttpError, Request};
use crate::clock;
use crate::edit;
use crate::wire::{
    AggregateStatus, BlobKind, FormattedMessage, GuestAgentStatus, GuestOsInfo,
    HandlerStatus, StatusBlob, StatusUpload, StatusUploadBlob,
};

const ANSWER: Duration = Duration::from_secs(5);
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) struct Reporter {
    root: PathBuf,
    host_plugin: String,
    /// `None`: no goal state yet, so nobody to report to.
    target: Option<Target>,
}

struct Target {
    blob: Option<StatusUploadBlob>,
    container: String,
    config_name: String,
    incarnation: String,
}

impl Reporter {
    pub(super) fn new(config: &Config) -> Reporter {
        Reporter {
            root: config.root.clone(),
            host_plugin: config.host_plugin.clone(),
            target: None,
        }
    }

    /// Remembers where the newest goal state wants its reports.
    pub(super) fn aim(&mut self, goal: &Goal) {
        self.target = Some(Target {
            blob: goal.config.status_upload_blob.clone(),
            container: goal.state.container_id.clone(),
            config_name: goal.state.config_name.clone(),
            incarnation: goal.state.incarnation.clone(),
        });
    }

    /// Sends one status blob.
    pub(super) fn report(&self, handlers: Vec<HandlerStatus>) -> Result<(), HttpError> {
        let Some(target) = &self.target else { return Ok(()) };
        let content = self.blob(target, handlers).to_json();
        let now = clock::now();
        let uri = target.blob.as_ref().map(|blob| blob.url.clone()).unwrap_or_default();
        let upload = StatusUpload { request_uri: uri, content };
        let url = format!("http://{}/status", self.host_plugin);
        let through_plugin = http::send(&Request {
            method: "PUT",
            url: &url,
            headers: &[
                ("x-ms-version", "2015-09-01"),
                ("Content-type", "application/json"),
                ("x-ms-containerid", &target.container),
                ("x-ms-host-config-name", &target.config_name),
            ],
            body: upload.to_json(&now).as_bytes(),
            time: ANSWER,
        });
        let Err(error) = through_plugin else { return Ok(()) };
        match &target.blob {
            Some(blob) if blob.kind == BlobKind::Block => {
                let direct = http::send(&Request {
                    method: "PUT",
                    url: &blob.url,
                    headers: &[
                        ("x-ms-blob-type", "BlockBlob"),
                        ("x-ms-date", &now),
                        ("x-ms-version", "2014-02-14"),
                    ],
                    body: &upload.content,
                    time: ANSWER,
                });
                // The plugin's failure is the one that matters.
                direct.map(drop).map_err(|_| error)
            }
            _ => Err(error),
        }
    }

    fn blob(&self, target: &Target, handlers: Vec<HandlerStatus>) -> StatusBlob {
        let now = clock::now();
        let message = FormattedMessage::from("Guest Agent is running");
        StatusBlob {
            version: "1.1".to_owned(),
            timestamp_utc: now.clone(),
            aggregate_status: AggregateStatus {
                guest_agent_status: GuestAgentStatus {
                    version: VERSION.to_owned(),
                    status: "Ready".to_owned(),
                    formatted_message: Some(message),
                },
                handler_aggregate_status: handlers,
                vm_artifacts_aggregate_status: Some(json!({
                    "goalStateAggregateStatus": {
                        "formattedMessage": {"lang": "en-US", "message": "GoalState executed successfully"},
                        "timestampUTC": now,
                        "inSvdSeqNo": target.incarnation,
                        "status": "Success",
                        "code": 0,
                    },
                })),
            },
            guest_os_info: self.system(),
            supported_features: Vec::new(),
        }
    }

    fn system(&self) -> GuestOsInfo {
        let text =
            |path| edit::read_text(&self.root, path).ok().flatten().unwrap_or_default();
        let release = text("/etc/os-release");
        let value = |name: &str| {
            let line = release.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
        };
        GuestOsInfo {
            computer_name: text("/etc/hostname").trim().to_owned(),
            os_name: value("ID="),
            os_version: value("VERSION_ID="),
            version: VERSION.to_owned(),
        }
    }
}
