//! What needs no token: where everything is, and what `--image` words mean.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call;
use super::token::{Audience, Family};
use crate::app::App;
use crate::app::compute::{boot_diagnostics, image, run_command};
use crate::weather::Client;

/// `GET /metadata/endpoints`: the form of a cloud that `az cloud register` reads.
/// `regain` tells our own client what this cloud can beyond Azure.
pub(super) async fn endpoints(State(app): State<Arc<App>>) -> Json<Value> {
    let here = &app.endpoint;
    let weather = app.weather();
    let family = Family::of(&weather).as_str();
    let mut cloud = json!({
        "name": app.cloud_name(),
        "portal": format!("{here}/portal"),
        "authentication": {
            "loginEndpoint": format!("{here}/adfs"),
            "audiences": [Audience::Management.name(Family::of(&weather))],
            "tenant": "adfs",
            "identityProvider": "ADFS",
        },
        "media": here,
        "graphAudience": format!("{here}/graph"),
        "graph": format!("{here}/graph"),
        "microsoftGraphResourceId": format!("{here}/graph"),
        "resourceManager": here,
        "gallery": here,
        "batch": here,
        "sqlManagement": here,
        "vmImageAliasDoc": format!("{here}/aliases.json"),
        "suffixes": {
            "storage": format!("storage.{family}.invalid"),
            "keyVaultDns": format!("vault.{family}.invalid"),
        },
    });
    if !weather.hide && weather.client == Client::Known {
        cloud["regain"] = json!({
            "clientAddress": app.cable.client(),
            "runCommandOutputBytes": run_command::output_bytes(&app),
        });
    }
    Json(cloud)
}

/// `GET /aliases.json`
pub(super) async fn aliases() -> Json<Value> {
    Json(image::aliases())
}

/// The signature of a blob's address.
#[derive(Deserialize)]
pub(super) struct Signature {
    #[serde(default)]
    se: String,
    #[serde(default)]
    sig: String,
}

/// `GET /blob/{machine}/serialconsole.log`
pub(super) async fn serial_log(
    State(app): State<Arc<App>>,
    Path(machine): Path<String>,
    Query(signature): Query<Signature>,
) -> Response {
    match boot_diagnostics::serial_log(&app, &machine, &signature.se, &signature.sig)
        .await
    {
        Ok(log) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            (kind, log).into_response()
        }
        Err(problem) => call::refuse(&problem),
    }
}
