//! Images, as `--image` names them.

use serde_json::{Value, json};

use crate::failure::Failure;

/// az's short names that are Linux, and ours.
const ALIASES: [(&str, [&str; 3]); 5] = [
    ("Debian12", ["Debian", "debian-12", "12-gen2"]),
    ("Debian13", ["Debian", "debian-13", "13-gen2"]),
    ("Debian11", ["Debian", "debian-11", "11-backports-gen2"]),
    ("Ubuntu2204", ["Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2"]),
    ("Ubuntu2404", ["Canonical", "ubuntu-24_04-lts", "server"]),
];

/// The `imageReference` of an alias, a URN or a resource id.
pub(super) fn reference(image: &str) -> Result<Value, Failure> {
    if image.starts_with('/') {
        return Ok(json!({ "id": image }));
    }
    if let [publisher, offer, sku, version] = image.split(':').collect::<Vec<_>>()[..] {
        return Ok(urn(publisher, offer, sku, version));
    }
    ALIASES
        .iter()
        .find(|(alias, _)| alias.eq_ignore_ascii_case(image))
        .map(|(_, [publisher, offer, sku])| urn(publisher, offer, sku, "latest"))
        .ok_or_else(|| {
            let known: Vec<&str> = ALIASES.iter().map(|(alias, _)| *alias).collect();
            Failure::usage(format!("Invalid image \"{image}\""))
                .next(format!("use {}, or PUBLISHER:OFFER:SKU:VERSION", known.join(", ")))
        })
}

fn urn(publisher: &str, offer: &str, sku: &str, version: &str) -> Value {
    json!({ "publisher": publisher, "offer": offer, "sku": sku, "version": version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_an_alias_a_urn_or_an_id() {
        assert_eq!(reference("debian12").unwrap()["offer"], "debian-12");
        assert_eq!(reference("a:b:c:1.0").unwrap()["version"], "1.0");
        assert_eq!(reference("/subscriptions/s").unwrap()["id"], "/subscriptions/s");
        assert_eq!(reference("Windows").unwrap_err().exit_code(), 2);
    }
}
