//! Images, as `--image` names them.

use arm::ResourceId;
use serde_json::{Value, json};

use crate::api::{self, COMPUTE};
use crate::failure::Failure;
use crate::session::Session;

/// az's short names that are Linux, and ours.
const ALIASES: [(&str, [&str; 3]); 5] = [
    ("Debian12", ["Debian", "debian-12", "12-gen2"]),
    ("Debian13", ["Debian", "debian-13", "13-gen2"]),
    ("Debian11", ["Debian", "debian-11", "11-backports-gen2"]),
    ("Ubuntu2204", ["Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2"]),
    ("Ubuntu2404", ["Canonical", "ubuntu-24_04-lts", "server"]),
];

/// An image, as it was named.
#[derive(Debug, PartialEq, Eq)]
enum Named<'a> {
    Id(&'a str),
    Platform {
        publisher: &'a str,
        offer: &'a str,
        sku: &'a str,
        version: &'a str,
    },
    /// No alias that is known here: an image of the group's own, perhaps.
    Custom(&'a str),
}

/// The `imageReference` of an alias, a URN, a resource id or the name of an image in
/// `group`. The cloud is asked whether it has it, before anything is made.
pub(super) async fn reference(
    session: &Session,
    group: &ResourceId,
    location: &str,
    image: &str,
) -> Result<Value, Failure> {
    match Named::of(image) {
        Named::Id(id) => Ok(json!({ "id": id })),
        Named::Platform { publisher, offer, sku, version } => {
            let path = format!(
                "/subscriptions/{}/providers/Microsoft.Compute/locations/{location}\
                 /publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions",
                session.subscription
            );
            let path = match version {
                "latest" => format!("{path}?api-version={COMPUTE}"),
                version => format!("{path}/{version}?api-version={COMPUTE}"),
            };
            session.client.get(&path).await.map_err(Failure::Checked)?;
            Ok(json!({
                "publisher": publisher, "offer": offer, "sku": sku, "version": version,
            }))
        }
        Named::Custom(name) => {
            let id = group
                .with_resource("Microsoft.Compute", "images", name)
                .map_err(|_| Failure::usage(format!("Invalid image \"{name}\"")))?;
            let path = api::path(&id, COMPUTE);
            session.client.get(&path).await.map_err(Failure::Checked)?;
            Ok(json!({ "id": id }))
        }
    }
}

impl<'a> Named<'a> {
    fn of(image: &'a str) -> Self {
        if image.starts_with('/') {
            return Self::Id(image);
        }
        if let [publisher, offer, sku, version] = image.split(':').collect::<Vec<_>>()[..]
        {
            return Self::Platform { publisher, offer, sku, version };
        }
        let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(image));
        match alias {
            Some((_, [publisher, offer, sku])) => {
                Self::Platform { publisher, offer, sku, version: "latest" }
            }
            None => Self::Custom(image),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_an_alias_a_urn_an_id_or_ones_own() {
        assert_eq!(Named::of("debian12"), Named::of("Debian:debian-12:12-gen2:latest"));
        assert!(matches!(Named::of("a:b:c:1.0"), Named::Platform { version: "1.0", .. }));
        assert_eq!(Named::of("/subscriptions/s"), Named::Id("/subscriptions/s"));
        assert_eq!(Named::of("mine"), Named::Custom("mine"));
    }
}
