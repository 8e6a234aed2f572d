//! What can be booted, in the marketplace's words: publisher, offer, sku, version.
//! Image and extension lists are bare arrays: that is how ARM has them.

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Value, json};

use super::extension_settings::{VERSIONS, published};
use crate::app::document::listed;
use crate::app::{Answer, App, Call, Problem};

/// One image.
struct Image {
    /// The engine's name.
    name: &'static str,
    /// What `--image` calls it.
    alias: &'static str,
    publisher: &'static str,
    offer: &'static str,
    /// The first is the one shown.
    skus: &'static [&'static str],
    version: &'static str,
}

const IMAGES: [Image; 2] = [
    Image {
        name: "debian12",
        alias: "Debian12",
        publisher: "Debian",
        offer: "debian-12",
        skus: &["12", "12-gen2"],
        version: "12.0.0",
    },
    Image {
        name: "debian13",
        alias: "Debian13",
        publisher: "Debian",
        offer: "debian-13",
        skus: &["13", "13-gen2"],
        version: "13.0.0",
    },
];

/// The engine's names of all images.
pub(crate) fn names() -> Vec<&'static str> {
    IMAGES.iter().map(|image| image.name).collect()
}

/// The engine's name of the image that an `imageReference` means.
pub(super) fn find(reference: &Value) -> Result<&'static str, Problem> {
    let part = |field: &str| reference[field].as_str().unwrap_or_default();
    let found = IMAGES.iter().find(|image| {
        same(image.publisher, part("publisher"))
            && same(image.offer, part("offer"))
            && image.skus.iter().any(|sku| same(sku, part("sku")))
            && image.has_version(part("version"))
    });
    found.map(|image| image.name).ok_or_else(|| {
        let asked = match reference["id"].as_str() {
            Some(id) => id.to_owned(),
            None => ["publisher", "offer", "sku", "version"].map(part).join(":"),
        };
        Problem::Invalid {
            code: "PlatformImageNotFound",
            message: format!(
                "The platform image '{asked}' is not available. {}",
                what_there_is()
            ),
            target: Some("imageReference"),
        }
    })
}

impl Image {
    fn has_version(&self, version: &str) -> bool {
        same("latest", version) || self.version == version
    }

    fn urn(&self) -> String {
        format!("{}:{}:{}:latest", self.publisher, self.offer, self.skus[0])
    }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// For errors: what can be asked for instead.
fn what_there_is() -> String {
    let all: Vec<String> =
        IMAGES.iter().map(|image| format!("{} ({})", image.alias, image.urn())).collect();
    format!("This cloud has these images: {}.", all.join(", "))
}

/// `GET /aliases.json`: what `--image Debian12` stands for.
pub(crate) fn aliases() -> Value {
    let linux: serde_json::Map<String, Value> = IMAGES
        .iter()
        .map(|image| {
            let reference = json!({
                "publisher": image.publisher,
                "offer": image.offer,
                "sku": image.skus[0],
                "version": "latest",
                "architecture": "x64",
            });
            (image.alias.to_owned(), reference)
        })
        .collect();
    json!({
        "$schema": "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json",
        "contentVersion": "1.0.0.0",
        "parameters": {},
        "variables": {},
        "resources": [],
        "outputs": { "aliases": { "type": "object", "value": { "Linux": linux, "Windows": {} } } },
    })
}

/// `GET …/images`: nobody can make images here.
pub(crate) async fn list_custom(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    if call.id.group().is_some() {
        app.group_of(&call.id).await?;
    }
    Ok(Answer::Found(listed([])))
}

/// `GET …/images/{image}`: `az` looks here for a name that is no alias, and shows the
/// refusal as it is.
pub(crate) async fn get_custom(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.group_of(&call.id).await?;
    Err(Problem::NoArtifact {
        message: format!(
            "The image '{}' was not found: it is no alias and no custom image. {}",
            call.id.name(),
            what_there_is()
        ),
    })
}

/// `GET …/publishers`
pub(crate) async fn publishers(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let mut names: Vec<&str> = IMAGES.iter().map(|image| image.publisher).collect();
    names.dedup();
    names.push(published().0);
    Ok(Answer::Found(entries(&call, "publishers", &names)))
}

/// `GET …/publishers/{publisher}/artifacttypes/vmimage/offers`
pub(crate) async fn offers(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    // Also asked of those who publish nothing but extensions.
    let publisher = call.id.name();
    let of = |image: &&Image| same(image.publisher, publisher);
    let names: Vec<&str> = IMAGES.iter().filter(of).map(|image| image.offer).collect();
    Ok(Answer::Found(entries(&call, "artifacttypes/vmimage/offers", &names)))
}

/// `GET …/offers/{offer}/skus`
pub(crate) async fn skus(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let names = meant(&call.id)?.skus;
    Ok(Answer::Found(entries(&call, "skus", names)))
}

/// `GET …/skus/{sku}/versions`
pub(crate) async fn versions(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let names = [meant(&call.id)?.version];
    Ok(Answer::Found(entries(&call, "versions", &names)))
}

/// `GET …/versions/{version}`
pub(crate) async fn version(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let image = meant(&call.id)?;
    let mut shown = entry(&call, &call.id.to_string(), image.version);
    shown["properties"] = json!({
        "osDiskImage": { "operatingSystem": "Linux", "sizeInGb": 30 },
        "dataDiskImages": [],
        "hyperVGeneration": "V1",
        "architecture": "x64",
        "plan": null,
    });
    Ok(Answer::Found(shown))
}

/// The image that a path means as far as it goes.
fn meant(id: &ResourceId) -> Result<&'static Image, Problem> {
    let says = |word: &str| after(id, word);
    let found = IMAGES.iter().find(|image| {
        says("publishers").is_some_and(|name| same(name, image.publisher))
            && says("offers").is_some_and(|name| same(name, image.offer))
            && says("skus")
                .is_none_or(|name| image.skus.iter().any(|sku| same(sku, name)))
            && says("versions").is_none_or(|name| image.has_version(name))
    });
    found.ok_or_else(|| {
        let parts = ["publishers", "offers", "skus", "versions"];
        let asked: Vec<&str> = parts.into_iter().filter_map(says).collect();
        Problem::NoArtifact {
            message: format!(
                "Artifact: VMImage '{}' was not found. {}",
                asked.join(":"),
                what_there_is()
            ),
        }
    })
}

/// `GET …/publishers/{publisher}/artifacttypes/vmextension/types`
pub(crate) async fn extension_types(
    _app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    let (publisher, kind) = published();
    let known = same(call.id.name(), publisher);
    let names: &[&str] = if known { &[kind] } else { &[] };
    Ok(Answer::Found(entries(&call, "artifacttypes/vmextension/types", names)))
}

/// `GET …/types/{type}/versions`
pub(crate) async fn extension_versions(
    _app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    check_extension(&call.id)?;
    Ok(Answer::Found(entries(&call, "versions", &VERSIONS)))
}

/// `GET …/types/{type}/versions/{version}`
pub(crate) async fn extension_version(
    _app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    check_extension(&call.id)?;
    let mut shown = entry(&call, &call.id.to_string(), call.id.name());
    shown["properties"] = json!({
        "operatingSystem": "Linux",
        "computeRole": "IaaS",
        "handlerSchema": null,
        "vmScaleSetEnabled": false,
        "supportsMultipleExtensions": false,
    });
    Ok(Answer::Found(shown))
}

/// Refuses a path to an extension that nobody publishes here.
fn check_extension(id: &ResourceId) -> Result<(), Problem> {
    let (publisher, kind) = published();
    let known = after(id, "publishers").is_some_and(|name| same(name, publisher))
        && after(id, "types").is_some_and(|name| same(name, kind))
        && after(id, "versions").is_none_or(|name| VERSIONS.contains(&name));
    if known {
        return Ok(());
    }
    Err(Problem::NoArtifact {
        message: format!(
            "The extension '{id}' was not found. This cloud has {publisher}, {kind}, in the \
             versions {}.",
            VERSIONS.join(", ")
        ),
    })
}

fn entries(call: &Call, collection: &str, names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| entry(call, &format!("{}/{collection}/{name}", call.id), name))
        .collect()
}

fn entry(call: &Call, id: &str, name: &str) -> Value {
    let location = after(&call.id, "locations").unwrap_or("local");
    json!({ "id": id, "name": name, "location": location })
}

/// The name after a word of a path.
fn after<'a>(id: &'a ResourceId, word: &str) -> Option<&'a str> {
    let mut segments = id.as_str().split('/');
    segments.find(|segment| same(segment, word))?;
    segments.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_image_names_those_that_there_are() {
        let known = json!({ "publisher": "debian", "offer": "Debian-12", "sku": "12-gen2", "version": "latest" });
        assert_eq!(find(&known).unwrap(), "debian12");
        let ubuntu = json!({ "publisher": "Canonical", "offer": "x", "sku": "y", "version": "latest" });
        let problem = find(&ubuntu).unwrap_err();
        assert!(problem.to_string().contains("Debian:debian-12:12:latest"), "{problem}");
        let path = "/subscriptions/s/providers/Microsoft.Compute/locations/l/publishers/Debian/artifacttypes/vmimage/offers/debian-12/skus";
        let id = |sku: &str| ResourceId::parse(&format!("{path}/{sku}")).unwrap();
        assert_eq!(meant(&id("12")).unwrap().name, "debian12");
        let problem = meant(&id("13")).err().unwrap();
        assert!(problem.to_string().contains("Debian:debian-12:13' was not found"));
    }
}
