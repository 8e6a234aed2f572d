//! The poller: waits for the next incarnation of the goal state and fetches what
//! belongs to it.
//!
//! A server that knows [`WAIT_HEADER`] holds the request back until there is
//! something new; any other server is asked every six seconds, as Microsoft's agent
//! does.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::http::{self, HttpError, Request, Response};
use super::{BACKOFF, Config};
use crate::envelope::{self, Cipher, EnvelopeError, Identity, pfx};
use crate::handler::{HandlerError, full_text, write};
use crate::log;
use crate::wire::{
    Certificates, ExtensionsConfig, GoalState, LONG_POLL_HEADER, VERSION, WAIT_HEADER,
    WireError,
};

const PERIOD: Duration = Duration::from_secs(6);
/// Between two answers of a long poll that bring nothing new.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(10);
/// The server holds a request for 25 seconds.
const LONG_ANSWER: Duration = Duration::from_secs(40);

/// A goal state with everything that it names.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) state: GoalState,
    pub(super) config: ExtensionsConfig,
}

#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("the certificates cannot be unpacked")]
    Envelope(#[from] EnvelopeError),
    #[error(transparent)]
    File(#[from] HandlerError),
}

pub(super) struct Poller {
    server: String,
    directory: PathBuf,
    transport: Identity,
}

impl Poller {
    pub(super) fn new(config: &Config, directory: &Path, transport: Identity) -> Poller {
        Poller {
            server: config.wire_server.clone(),
            directory: directory.to_owned(),
            transport,
        }
    }

    /// Polls until `deliver` says that nobody listens.
    pub(super) fn run(self, deliver: impl Fn(Goal) -> bool) {
        let mut last: Option<String> = None;
        let mut pause = BACKOFF.0;
        loop {
            let begun = Instant::now();
            match self.step(last.as_deref()) {
                Ok(Step::New(goal)) => {
                    pause = BACKOFF.0;
                    last = Some(goal.state.incarnation.clone());
                    if !deliver(*goal) {
                        return;
                    }
                }
                Ok(Step::Same { long_poll }) => {
                    pause = BACKOFF.0;
                    let wait = if long_poll { LEAST_PAUSE } else { PERIOD };
                    sleep(wait.saturating_sub(begun.elapsed()));
                }
                Err(error) => {
                    log::line(&format!("goal state: {}", full_text(&error)));
                    sleep(pause);
                    pause = (pause * 2).min(BACKOFF.1);
                }
            }
        }
    }

    fn step(&self, last: Option<&str>) -> Result<Step, PollError> {
        if last.is_none() {
            // The answer is always the same; a server that has none is not ready.
            self.get(&format!("http://{}/?comp=versions", self.server), &[], ANSWER)?;
        }
        let url = format!("http://{}/machine/?comp=goalstate", self.server);
        let wait = last.map(|incarnation| (WAIT_HEADER, incarnation));
        let response = self.get(&url, wait.as_slice(), LONG_ANSWER)?;
        let long_poll = response.header(LONG_POLL_HEADER) == Some("1");
        let state = GoalState::parse(&response.text())?;
        if last == Some(state.incarnation.as_str()) {
            return Ok(Step::Same { long_poll });
        }
        let config = self.get(&state.extensions_config, &[], ANSWER)?;
        let config = ExtensionsConfig::parse(&config.text())?;
        if let Some(url) = &state.certificates
            && !self.has_certificates(&config)
        {
            self.fetch_certificates(url)?;
        }
        Ok(Step::New(Box::new(Goal { state, config })))
    }

    /// Whether every key is here that the settings are encrypted to.
    fn has_certificates(&self, config: &ExtensionsConfig) -> bool {
        let settings =
            config.plugins.iter().filter_map(|plugin| plugin.settings.as_ref());
        settings
            .filter_map(|s| s.handler.protected_settings_cert_thumbprint.as_deref())
            .all(|thumbprint| self.path(thumbprint, "prv").exists())
    }

    fn fetch_certificates(&self, url: &str) -> Result<(), PollError> {
        let der = self.transport.certificate_der()?;
        let encoded = STANDARD.encode(der);
        let headers = [
            ("x-ms-guest-agent-public-x509-cert", encoded.as_str()),
            ("x-ms-cipher-name", Cipher::Aes128Cbc.name()),
        ];
        let response = self.get(url, &headers, ANSWER)?;
        let Some(data) = Certificates::parse(&response.text())?.data else {
            return Ok(());
        };
        let file = envelope::decrypt(&data, &self.transport)?;
        for identity in pfx::decode(&file)? {
            let thumbprint = identity.thumbprint()?;
            let (certificate, key) = (identity.certificate_pem()?, identity.key_pem()?);
            write(&self.path(&thumbprint, "crt"), certificate.as_bytes())?;
            write(&self.path(&thumbprint, "prv"), key.as_bytes())?;
        }
        Ok(())
    }

    fn path(&self, thumbprint: &str, extension: &str) -> PathBuf {
        self.directory.join(thumbprint.to_ascii_uppercase()).with_extension(extension)
    }

    fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        time: Duration,
    ) -> Result<Response, HttpError> {
        let mut all =
            vec![("x-ms-agent-name", "regain-guest"), ("x-ms-version", VERSION)];
        all.extend_from_slice(headers);
        http::send(&Request { method: "GET", url, headers: &all, body: &[], time })
    }
}

enum Step {
    New(Box<Goal>),
    Same { long_poll: bool },
}
