//! What a run has made, so that it can be taken back; or what it would make, so
//! that ARM can be asked about it.

use arm::{Client, Error, ResourceId};
use serde_json::{Value, json};

use crate::api;

/// Resources in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Made {
    resources: Vec<(ResourceId, &'static str)>,
    /// The bodies of what would be made, if nothing is made.
    plan: Option<Vec<Value>>,
}

impl Made {
    /// Makes nothing and keeps what would be made.
    pub(super) fn plan() -> Self {
        Self { resources: Vec::new(), plan: Some(Vec::new()) }
    }

    /// Whether nothing is really made.
    pub(super) fn is_plan(&self) -> bool {
        self.plan.is_some()
    }

    /// What would be made, as a deployment's template. Each resource depends on
    /// those before it, which is more than needed and never less.
    pub(super) fn template(&self) -> Value {
        let mut before: Vec<&ResourceId> = Vec::new();
        let mut resources = Vec::new();
        for ((id, version), body) in self.resources.iter().zip(self.plan.iter().flatten())
        {
            let mut resource = body.clone();
            resource["type"] = id.resource_type().into();
            resource["name"] = full_name(id).into();
            resource["apiVersion"] = (*version).into();
            resource["dependsOn"] = json!(before);
            resources.push(resource);
            before.push(id);
        }
        json!({
            "$schema":
                "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": {},
            "variables": {},
            "resources": resources,
        })
    }

    /// Makes a resource that did not exist. It is noted before it is asked for,
    /// because a PUT that fails can leave half of it behind.
    pub(super) async fn put(
        &mut self,
        client: &Client,
        id: &ResourceId,
        version: &'static str,
        body: &Value,
    ) -> Result<(), Error> {
        self.resources.push((id.clone(), version));
        if let Some(plan) = &mut self.plan {
            plan.push(body.clone());
            return Ok(());
        }
        client.put(&api::path(id, version), body).await.map(drop)
    }

    /// Whether nothing was made yet.
    pub(super) fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// Deletes all of it, last first. What cannot be deleted is logged: the
    /// failure that led here is the one to report.
    pub(super) async fn remove(self, client: &Client) {
        for (id, version) in self.resources.into_iter().rev() {
            match client.delete(&api::path(&id, version)).await {
                Ok(()) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => tracing::warn!(%id, %error, "left behind"),
            }
        }
    }
}

/// `vnet/subnet`: the names below the provider, as templates have them.
fn full_name(id: &ResourceId) -> String {
    match id.parent().filter(|parent| parent.as_str().contains("/providers/")) {
        Some(parent) => format!("{}/{}", full_name(&parent), id.name()),
        None => id.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_a_template_in_order() {
        let base = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network";
        let id = |rest: &str| ResourceId::parse(&format!("{base}/{rest}")).unwrap();
        let (vnet, subnet) = (id("virtualNetworks/v"), id("virtualNetworks/v/subnets/s"));
        let made = Made {
            resources: vec![(vnet.clone(), "1"), (subnet, "2")],
            plan: Some(vec![json!({"location": "l"}), json!({"properties": {}})]),
        };
        let resources = &made.template()["resources"];
        assert_eq!(resources[0]["name"], "v");
        assert_eq!(resources[1]["name"], "v/s");
        assert_eq!(resources[1]["type"], "Microsoft.Network/virtualNetworks/subnets");
        assert_eq!(resources[1]["dependsOn"], json!([vnet]));
    }
}
