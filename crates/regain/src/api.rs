//! The API versions that this program asks with, one per provider.
//!
//! Each is one that Azure serves and that has every property used here.

use arm::ResourceId;

/// Microsoft.Compute.
pub(crate) const COMPUTE: &str = "2024-07-01";
/// Microsoft.Network.
pub(crate) const NETWORK: &str = "2024-05-01";
/// Microsoft.Resources.
pub(crate) const RESOURCES: &str = "2024-11-01";

/// The request path of a resource.
pub(crate) fn path(id: &ResourceId, version: &str) -> String {
    format!("{id}?api-version={version}")
}

/// The request path of something below a resource: an action or a collection.
pub(crate) fn below(id: &ResourceId, what: &str, version: &str) -> String {
    format!("{id}/{what}?api-version={version}")
}

/// A text as it stands in a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = std::fmt::Write::write_fmt(&mut out, format_args!("%{byte:02X}"));
        }
    }
    out
}
