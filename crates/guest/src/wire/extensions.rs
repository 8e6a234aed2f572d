//! The extensions configuration: which handlers the VM should run, with what settings.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::WireError;
use super::xml::{Element, escape};

const DOCUMENT: &str = "the extensions configuration";

/// `GET` of the goal state's extensions address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExtensionsConfig {
    /// The goal state's incarnation.
    pub incarnation: String,
    /// One entry for each handler.
    pub plugins: Vec<Plugin>,
    /// Where the status blob goes. Microsoft's agent demands it.
    pub status_upload_blob: Option<StatusUploadBlob>,
}

/// One handler and its settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// `Publisher.Type`.
    pub name: String,
    /// Four numbers with dots.
    pub version: String,
    /// URL of the manifest, see [`super::plugin_version_manifest`].
    pub location: String,
    /// What the goal state wants of the handler.
    pub state: PluginState,
    /// `None`: the extension has no settings.
    pub settings: Option<PluginSettings>,
}

/// What the goal state wants of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginState {
    /// Present and run.
    Enabled,
    /// Present, not run.
    Disabled,
    /// Gone.
    Uninstalled,
}

impl PluginState {
    fn as_str(self) -> &'static str {
        match self {
            PluginState::Enabled => "enabled",
            PluginState::Disabled => "disabled",
            PluginState::Uninstalled => "uninstalled",
        }
    }

    fn parse(text: &str) -> Result<PluginState, WireError> {
        [PluginState::Enabled, PluginState::Disabled, PluginState::Uninstalled]
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| WireError::Value {
                document: DOCUMENT,
                part: "Plugin state",
                value: text.to_owned(),
            })
    }
}

/// A handler's settings with their sequence number.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginSettings {
    /// Grows with each deployment of the extension.
    pub sequence: u32,
    /// The settings themselves.
    pub handler: HandlerSettings,
}

/// `handlerSettings` of a `<sequence>.settings` file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HandlerSettings {
    /// Base64 of a CMS EnvelopedData for the tenant certificate; the content is JSON.
    pub protected_settings: Option<String>,
    /// SHA-1 of the tenant certificate, 40 upper-case hexadecimal digits.
    pub protected_settings_cert_thumbprint: Option<String>,
    /// A JSON object, in clear.
    pub public_settings: Option<Value>,
}

/// Where the status blob goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusUploadBlob {
    /// Which kind of blob.
    pub kind: BlobKind,
    /// The address, usually with a signature in its query.
    pub url: String,
}

/// Kinds of status blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobKind {
    /// Written whole.
    Block,
    /// Written in 512-byte pages.
    Page,
}

/// The JSON text of a `<sequence>.settings` file, which is also the text of the
/// `RuntimeSettings` element.
pub fn runtime_settings(settings: &HandlerSettings) -> String {
    json!({"runtimeSettings": [{"handlerSettings": settings}]}).to_string()
}

/// Reads what [`runtime_settings`] writes. An empty text is "no settings".
pub fn parse_runtime_settings(text: &str) -> Result<HandlerSettings, WireError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct File {
        runtime_settings: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        handler_settings: HandlerSettings,
    }
    const SETTINGS: &str = "the settings file";
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() || text == "\"\"" {
        return Ok(HandlerSettings::default());
    }
    let file: File = serde_json::from_str(text)
        .map_err(|source| WireError::Json { document: SETTINGS, source })?;
    let entry = file.runtime_settings.into_iter().next();
    entry.map(|entry| entry.handler_settings).ok_or(WireError::Missing {
        document: SETTINGS,
        part: "entry in runtimeSettings",
    })
}

impl ExtensionsConfig {
    /// The document's text.
    pub fn to_xml(&self) -> String {
        let plugins: String = self.plugins.iter().map(plugin_element).collect();
        let settings: String = self.plugins.iter().filter_map(settings_element).collect();
        let blob = self.status_upload_blob.as_ref().map(blob_element).unwrap_or_default();
        let incarnation = escape(&self.incarnation);
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <Extensions version=\"1.0.0.0\" goalStateIncarnation=\"{incarnation}\">\
             <GuestAgentExtension><GAFamilies/></GuestAgentExtension>\
             <Plugins>{plugins}</Plugins><PluginSettings>{settings}</PluginSettings>\
             {blob}<InVMGoalStateMetaData inSvdSeqNo=\"{incarnation}\" \
             createdOnTicks=\"0\" activityId=\"00000000-0000-0000-0000-000000000000\" \
             correlationId=\"00000000-0000-0000-0000-000000000000\"/></Extensions>"
        )
    }

    /// Reads the document. Settings are matched to plugins by name (any case).
    pub fn parse(text: &str) -> Result<ExtensionsConfig, WireError> {
        let root = Element::parse(DOCUMENT, text)?;
        let mut plugins = Vec::new();
        for element in
            root.find(&["Plugins"]).into_iter().flat_map(|e| e.children("Plugin"))
        {
            let name = required(element, "name", "Plugin name")?;
            let settings = root
                .find(&["PluginSettings"])
                .into_iter()
                .flat_map(|e| e.children("Plugin"))
                .find(|e| {
                    e.attribute("name").is_some_and(|n| n.eq_ignore_ascii_case(name))
                });
            plugins.push(Plugin {
                name: name.to_owned(),
                version: required(element, "version", "Plugin version")?.to_owned(),
                location: element.attribute("location").unwrap_or_default().to_owned(),
                state: PluginState::parse(
                    element.attribute("state").unwrap_or("enabled"),
                )?,
                settings: settings.map(parse_settings).transpose()?.flatten(),
            });
        }
        Ok(ExtensionsConfig {
            incarnation: root
                .attribute("goalStateIncarnation")
                .unwrap_or_default()
                .to_owned(),
            plugins,
            status_upload_blob: root.find(&["StatusUploadBlob"]).map(|blob| {
                let kind = match blob.attribute("statusBlobType") {
                    Some("PageBlob") => BlobKind::Page,
                    _ => BlobKind::Block,
                };
                StatusUploadBlob { kind, url: blob.text().to_owned() }
            }),
        })
    }
}

fn required<'a>(
    element: &'a Element,
    name: &str,
    part: &'static str,
) -> Result<&'a str, WireError> {
    element.attribute(name).ok_or(WireError::Missing { document: DOCUMENT, part })
}

fn parse_settings(element: &Element) -> Result<Option<PluginSettings>, WireError> {
    let Some(settings) = element.children("RuntimeSettings").next() else {
        return Ok(None);
    };
    let number = required(settings, "seqNo", "RuntimeSettings seqNo")?;
    let sequence = number.parse().map_err(|_| WireError::Value {
        document: DOCUMENT,
        part: "RuntimeSettings seqNo",
        value: number.to_owned(),
    })?;
    let handler = parse_runtime_settings(settings.text())?;
    Ok(Some(PluginSettings { sequence, handler }))
}

fn plugin_element(plugin: &Plugin) -> String {
    let location = escape(&plugin.location);
    format!(
        "<Plugin name=\"{}\" version=\"{}\" location=\"{location}\" \
         failoverlocation=\"{location}\" state=\"{}\" autoUpgrade=\"false\" \
         runAsStartupTask=\"false\" isJson=\"true\"/>",
        escape(&plugin.name),
        escape(&plugin.version),
        plugin.state.as_str(),
    )
}

fn settings_element(plugin: &Plugin) -> Option<String> {
    let settings = plugin.settings.as_ref()?;
    Some(format!(
        "<Plugin name=\"{}\" version=\"{}\"><RuntimeSettings seqNo=\"{}\">{}\
         </RuntimeSettings></Plugin>",
        escape(&plugin.name),
        escape(&plugin.version),
        settings.sequence,
        escape(&runtime_settings(&settings.handler)),
    ))
}

fn blob_element(blob: &StatusUploadBlob) -> String {
    let kind = match blob.kind {
        BlobKind::Block => "BlockBlob",
        BlobKind::Page => "PageBlob",
    };
    format!(
        "<StatusUploadBlob statusBlobType=\"{kind}\">{}</StatusUploadBlob>",
        escape(&blob.url)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_back() {
        let config = ExtensionsConfig {
            incarnation: "2".into(),
            plugins: vec![
                Plugin {
                    name: "Microsoft.OSTCExtensions.VMAccessForLinux".into(),
                    version: "1.5.25".into(),
                    location: "http://168.63.129.16/m?a&b".into(),
                    state: PluginState::Enabled,
                    settings: Some(PluginSettings {
                        sequence: 4,
                        handler: HandlerSettings {
                            public_settings: Some(json!({"text": "<&\">"})),
                            protected_settings: Some("MII=".into()),
                            protected_settings_cert_thumbprint: Some("AB".into()),
                        },
                    }),
                },
                Plugin {
                    name: "A.B".into(),
                    version: "1.0".into(),
                    location: String::new(),
                    state: PluginState::Uninstalled,
                    settings: None,
                },
            ],
            status_upload_blob: Some(StatusUploadBlob {
                kind: BlobKind::Block,
                url: "http://blob/s?x=1&y=2".into(),
            }),
        };
        assert_eq!(ExtensionsConfig::parse(&config.to_xml()).expect("own text"), config);
    }

    #[test]
    fn a_settings_file_without_settings_is_empty() {
        for text in ["", "\"\"", "\u{feff}"] {
            let settings = parse_runtime_settings(text).expect("no settings");
            assert_eq!(settings, HandlerSettings::default());
        }
        assert!(parse_runtime_settings("{\"runtimeSettings\":[]}").is_err());
    }
}
