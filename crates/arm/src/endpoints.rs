//! Endpoint discovery: what a cloud says about itself at `/metadata/endpoints`.

use std::net::IpAddr;

use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, http};

/// The version whose answer is an object; older ones answer with a list.
const PATH: &str = "/metadata/endpoints?api-version=2022-09-01";

/// A cloud's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// The cloud's name, as in `AzureCloud`.
    pub name: String,
    /// Where ARM requests go.
    pub resource_manager: String,
    /// The authority that gives tokens. One that ends in `/adfs` speaks the
    /// ADFS dialect.
    pub login: String,
    /// What a token must be for.
    pub audience: String,
    /// Where Microsoft Graph is, which knows principals by their names.
    pub graph: Option<String>,
    /// What only a regain cloud says.
    pub regain: Option<RegainExtras>,
}

/// What a regain cloud says beyond Azure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegainExtras {
    /// The address from which the cloud's network sees clients on this host.
    #[serde(default)]
    pub client_address: Option<IpAddr>,
    /// How many bytes of output Run Command returns; Azure returns 4096.
    #[serde(default)]
    pub run_command_output_bytes: Option<u64>,
}

pub(crate) async fn discover(
    http_client: &reqwest::Client,
    endpoint: &Url,
) -> Result<Endpoints, Error> {
    let url = http::resolve(endpoint, PATH)?;
    let answer = http::send(http_client, &Method::GET, &url, None, None, None)
        .await?
        .accepted()?;
    let body = answer.json(&Method::GET, &url)?;
    read(&body, endpoint).map_err(|why| Error::Protocol {
        request: http::describe(&Method::GET, &url),
        why,
    })
}

fn read(body: &Value, endpoint: &Url) -> Result<Endpoints, String> {
    let cloud = match body {
        Value::Array(clouds) => clouds
            .iter()
            .find(|cloud| {
                cloud["resourceManager"]
                    .as_str()
                    .and_then(|manager| Url::parse(manager).ok())
                    .is_some_and(|manager| manager.host_str() == endpoint.host_str())
            })
            .ok_or("no cloud in the list is this one")?,
        cloud => cloud,
    };
    let text = |value: &Value, what: &str| {
        value.as_str().map(str::to_owned).ok_or_else(|| format!("'{what}' is missing"))
    };
    let authentication = &cloud["authentication"];
    let regain = match &cloud["regain"] {
        Value::Null => None,
        extras => Some(
            RegainExtras::deserialize(extras)
                .map_err(|error| format!("'regain': {error}"))?,
        ),
    };
    Ok(Endpoints {
        name: text(&cloud["name"], "name")?,
        resource_manager: cloud["resourceManager"]
            .as_str()
            .map_or_else(|| endpoint.to_string(), str::to_owned),
        login: text(&authentication["loginEndpoint"], "authentication.loginEndpoint")?,
        audience: text(&authentication["audiences"][0], "authentication.audiences[0]")?,
        graph: ["microsoftGraphResourceId", "graphAudience"]
            .iter()
            .find_map(|key| cloud[*key].as_str())
            .map(str::to_owned),
        regain,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lab() -> Value {
        json!({
            "name": "Lab",
            "authentication": {
                "loginEndpoint": "https://127.0.0.1:1/adfs",
                "audiences": ["https://management.lab/"],
            },
            "regain": { "clientAddress": "198.19.0.1", "runCommandOutputBytes": 1_048_576 },
        })
    }

    fn endpoint(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    #[test]
    fn a_regain_cloud_says_more_than_azure() {
        let endpoints = read(&lab(), &endpoint("https://127.0.0.1:1/")).unwrap();
        assert_eq!(endpoints.login, "https://127.0.0.1:1/adfs");
        assert_eq!(endpoints.resource_manager, "https://127.0.0.1:1/");
        let extras = endpoints.regain.unwrap();
        assert_eq!(extras.client_address, Some("198.19.0.1".parse().unwrap()));
        assert_eq!(extras.run_command_output_bytes, Some(1_048_576));
    }

    #[test]
    fn a_list_of_clouds_is_searched_for_this_one() {
        let mut azure = lab();
        azure["name"] = "AzureCloud".into();
        azure["resourceManager"] = "https://management.azure.com".into();
        let list = json!([lab(), azure]);
        let endpoints = read(&list, &endpoint("https://management.azure.com/")).unwrap();
        assert_eq!(endpoints.name, "AzureCloud");
        assert!(
            read(&json!([lab()]), &endpoint("https://management.azure.com/")).is_err()
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut document = lab();
        document["authentication"]["audiences"] = json!([]);
        let why = read(&document, &endpoint("https://127.0.0.1:1/")).unwrap_err();
        assert!(why.contains("audiences[0]"), "{why}");
    }
}
