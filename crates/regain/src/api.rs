//! The API versions that this program asks with, one per provider.
//!
//! Each is one that Azure serves and that has every property used here. What is
//! printed as az prints it is asked for with az's own version, because the keys
//! of a document depend on it.

use arm::ResourceId;

/// Microsoft.Compute.
pub(crate) const COMPUTE: &str = "2024-07-01";
/// VMs, as az reads and writes them.
pub(crate) const VM: &str = "2026-04-01";
/// Extensions, Run Command, sizes and images, as az asks for them.
pub(crate) const EXTENSION: &str = "2024-11-01";
/// NICs, public addresses and NSGs around a VM, as az asks for them.
pub(crate) const AROUND: &str = "2022-01-01";
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

/// The request path of a resource with what it reports of itself.
pub(crate) fn with_instance_view(id: &ResourceId, version: &str) -> String {
    format!("{id}?$expand=instanceView&api-version={version}")
}
