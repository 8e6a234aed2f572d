//! The manifest of one extension: which versions exist and where their zip files are.

use super::xml::escape;

/// The document at a plugin's `location`. `versions` is (version, zip URL).
pub fn plugin_version_manifest(versions: &[(&str, &str)]) -> String {
    let plugins: String = versions
        .iter()
        .map(|(version, uri)| {
            format!(
                "<Plugin><Version>{}</Version><Uris><Uri>{}</Uri></Uris></Plugin>",
                escape(version),
                escape(uri)
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <PluginVersionManifest><Plugins>{plugins}</Plugins></PluginVersionManifest>"
    )
}
