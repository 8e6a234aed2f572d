//! What can be booted, in the marketplace's words: publisher, offer, sku, version.
//! Image and extension lists are bare arrays: that is how ARM has them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, App, Call, Problem};

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

const IMAGES: [Image; 1] = [Image {
    name: "debian12",
    alias: "Debian12",
    publisher: "Debian",
    offer: "debian-12",
    skus: &["12", "12-gen2"],
    version: "12.0.0",
}];

/// The engine's names of all images.
pub(crate) fn names() -> Vec<&'static str> {
    IMAGES.iter().map(|image| image.name).collect()
}

/// The engine's name of the image that an `imageReference` means.
pub(super) fn find(reference: &Value) -> Result<&'static str, Problem> {
    let part = |field: &str| reference[field].as_str().unwrap_or_default();
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let found = IMAGES.iter().find(|image| {
        same(image.publisher, part("publisher"))
            && same(image.offer, part("offer"))
            && image.skus.iter().any(|sku| same(sku, part("sku")))
            && (same("latest", part("version")) || same(image.version, part("version")))
    });
    found.map(|image| image.name).ok_or_else(|| {
        let asked = ["publisher", "offer", "sku", "version"].map(part).join(":");
        Problem::Invalid {
            code: "PlatformImageNotFound",
            message: format!(
                "The platform image '{asked}' is not available. This cloud has: {}.",
                IMAGES
                    .iter()
                    .map(|i| format!("{}:{}:{}:latest", i.publisher, i.offer, i.skus[0]))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            target: Some("imageReference"),
        }
    })
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

/// `GET …/publishers`
pub(crate) async fn publishers(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let mut names: Vec<&str> = IMAGES.iter().map(|image| image.publisher).collect();
    names.push(EXTENSION_PUBLISHER);
    Ok(Answer::Found(entries(&call, "publishers", &names)))
}

/// `GET …/publishers/{publisher}/artifacttypes/vmimage/offers`
pub(crate) async fn offers(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let publisher = call.id.name();
    let of = |image: &&Image| image.publisher.eq_ignore_ascii_case(publisher);
    let names: Vec<&str> = IMAGES.iter().filter(of).map(|image| image.offer).collect();
    Ok(Answer::Found(entries(&call, "artifacttypes/vmimage/offers", &names)))
}

/// `GET …/offers/{offer}/skus`
pub(crate) async fn skus(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let of = |image: &&Image| image.offer.eq_ignore_ascii_case(call.id.name());
    let names: Vec<&str> =
        IMAGES.iter().filter(of).flat_map(|image| image.skus.iter().copied()).collect();
    Ok(Answer::Found(entries(&call, "skus", &names)))
}

/// `GET …/skus/{sku}/versions`
pub(crate) async fn versions(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let of = |image: &&Image| {
        image.skus.iter().any(|sku| sku.eq_ignore_ascii_case(call.id.name()))
    };
    let names: Vec<&str> = IMAGES.iter().filter(of).map(|image| image.version).collect();
    Ok(Answer::Found(entries(&call, "versions", &names)))
}

/// `GET …/versions/{version}`
pub(crate) async fn version(_app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let asked = call.id.name();
    let image = IMAGES
        .iter()
        .find(|image| image.version == asked || asked.eq_ignore_ascii_case("latest"))
        .ok_or_else(|| Problem::NotFound {
            message: format!("Artifact: VMImage was not found: {asked}."),
        })?;
    Ok(Answer::Found(json!({
        "id": call.id,
        "name": image.version,
        "location": "local",
        "properties": {
            "osDiskImage": { "operatingSystem": "Linux", "sizeInGb": 30 },
            "dataDiskImages": [],
            "hyperVGeneration": "V1",
            "architecture": "x64",
            "plan": null,
        },
    })))
}

const EXTENSION_PUBLISHER: &str = "Microsoft.OSTCExtensions";

/// `GET …/publishers/{publisher}/artifacttypes/vmextension/types`
pub(crate) async fn extension_types(
    _app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    let known = call.id.name().eq_ignore_ascii_case(EXTENSION_PUBLISHER);
    let names: &[&str] = if known { &["VMAccessForLinux"] } else { &[] };
    Ok(Answer::Found(entries(&call, "artifacttypes/vmextension/types", names)))
}

/// `GET …/types/{type}/versions`
pub(crate) async fn extension_versions(
    _app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    let known = call.id.name().eq_ignore_ascii_case("VMAccessForLinux");
    let names: &[&str] = if known { &["1.5"] } else { &[] };
    Ok(Answer::Found(entries(&call, "versions", names)))
}

fn entries(call: &Call, collection: &str, names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| {
            json!({
                "id": format!("{}/{collection}/{name}", call.id),
                "name": name,
                "location": "local",
            })
        })
        .collect()
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
    }
}
