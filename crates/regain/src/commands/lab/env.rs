//! `lab env`: export lines for a shell.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::lab::LabState;
use crate::output::Answer;

pub(super) fn run(context: &Context) -> Result<Answer, Failure> {
    let lab = LabState::of(&context.global);
    let Some(server) = lab.server()? else { return Err(lab.is_down()) };
    let credentials = lab.credentials()?;
    let ca = lab.ca().display().to_string();
    let identity_header = lab.identity_header()?;
    let identity_endpoint = format!("{}/msi/token", server.endpoint);
    let variables = [
        ("REGAIN_ENDPOINT", server.endpoint.as_str()),
        ("REGAIN_TENANT", &credentials.tenant),
        ("REGAIN_CLIENT_ID", &credentials.client_id),
        // This is the one place that shows it: the caller asked for it.
        ("REGAIN_CLIENT_SECRET", credentials.client_secret.reveal()),
        ("REGAIN_SUBSCRIPTION", &credentials.subscription),
        ("REQUESTS_CA_BUNDLE", &ca),
        // With these `az login --identity` works on this host.
        ("IDENTITY_ENDPOINT", &identity_endpoint),
        ("IDENTITY_HEADER", identity_header.reveal()),
    ];
    let lines: String = variables
        .iter()
        .map(|(name, value)| format!("export {name}={}\n", quoted(value)))
        .collect();
    let document =
        variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    Ok(Answer::new(document.collect()).with_text(lines))
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
