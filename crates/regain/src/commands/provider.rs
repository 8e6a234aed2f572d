//! Which API version a type of resource is asked for with: the newest that its
//! provider serves, as `az resource` does it.

use arm::ResourceId;

use crate::api::{self, RESOURCES};
use crate::failure::Failure;
use crate::session::Session;

/// The version for a resource: the newest stable one, or the newest at all.
pub(super) async fn version(
    session: &Session,
    id: &ResourceId,
    preview: bool,
) -> Result<String, Failure> {
    if id.is_type("Microsoft.Resources/resourceGroups") {
        return Ok(RESOURCES.to_owned());
    }
    let kind = id.resource_type();
    let (namespace, kind) = kind.split_once('/').unwrap_or((&kind, ""));
    // A child's own versions may be missing; its parent's will do.
    let top = kind.split('/').next().unwrap_or(kind);
    let scope = session.scope(None)?;
    let path = api::below(&scope, &format!("providers/{namespace}"), RESOURCES);
    let provider = session.client.get(&path).await?;
    let versions: Vec<&str> = provider["resourceTypes"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|known| {
            known["resourceType"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(top))
        })
        .ok_or_else(|| Failure::new(format!("Resource type {top} not found.")))?["apiVersions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|version| version.as_str())
        .collect();
    let stable =
        versions.iter().find(|version| !version.to_lowercase().contains("preview"));
    let newest = versions.first();
    let chosen = if preview { newest } else { stable.or(newest) };
    chosen.map(|version| (*version).to_owned()).ok_or_else(|| {
        Failure::new(format!(
            "API version is required and could not be resolved for resource {top}"
        ))
    })
}
