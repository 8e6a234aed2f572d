//! The goal state: which incarnation the VM should have reached, and where the
//! documents are that describe it.

use super::WireError;
use super::xml::{Element, escape};

const DOCUMENT: &str = "the goal state";

/// `GET /machine/?comp=goalstate`. All addresses are absolute URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalState {
    /// Any text; a change means that there is something to do.
    pub incarnation: String,
    /// The container's id, echoed by Microsoft's agent in its requests.
    pub container_id: String,
    /// The role instance's id.
    pub instance_id: String,
    /// URL of [`super::hosting_environment_config`].
    pub hosting_environment_config: String,
    /// URL of [`super::shared_config`].
    pub shared_config: String,
    /// URL of [`super::ExtensionsConfig`].
    pub extensions_config: String,
    /// URL of [`super::Certificates`]; absent when the VM has none.
    pub certificates: Option<String>,
    /// `<deployment>.<n>.xml`, sent back as `x-ms-host-config-name`.
    pub config_name: String,
}

impl GoalState {
    /// The document's text.
    pub fn to_xml(&self) -> String {
        let certificates = self
            .certificates
            .as_deref()
            .map(|url| format!("<Certificates>{}</Certificates>", escape(url)))
            .unwrap_or_default();
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<GoalState>\
             <Version>{version}</Version><Incarnation>{incarnation}</Incarnation>\
             <Machine><ExpectedState>Started</ExpectedState>\
             <StopRolesDeadlineHint>300000</StopRolesDeadlineHint></Machine>\
             <Container><ContainerId>{container}</ContainerId><RoleInstanceList>\
             <RoleInstance><InstanceId>{instance}</InstanceId><State>Started</State>\
             <Configuration>\
             <HostingEnvironmentConfig>{hosting}</HostingEnvironmentConfig>\
             <SharedConfig>{shared}</SharedConfig>\
             <ExtensionsConfig>{extensions}</ExtensionsConfig>{certificates}\
             <ConfigName>{config_name}</ConfigName>\
             </Configuration></RoleInstance></RoleInstanceList></Container></GoalState>",
            version = super::VERSION,
            incarnation = escape(&self.incarnation),
            container = escape(&self.container_id),
            instance = escape(&self.instance_id),
            hosting = escape(&self.hosting_environment_config),
            shared = escape(&self.shared_config),
            extensions = escape(&self.extensions_config),
            config_name = escape(&self.config_name),
        )
    }

    /// Reads the document; needs the incarnation and the extensions' address.
    pub fn parse(text: &str) -> Result<GoalState, WireError> {
        let root = Element::parse(DOCUMENT, text)?;
        let missing = |part| WireError::Missing { document: DOCUMENT, part };
        let instance = root
            .find(&["Container", "RoleInstanceList", "RoleInstance"])
            .ok_or(missing("RoleInstance"))?;
        let configuration = |name| instance.text_at(&["Configuration", name]);
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Ok(GoalState {
            incarnation: root
                .text_at(&["Incarnation"])
                .ok_or(missing("Incarnation"))?
                .to_owned(),
            container_id: owned(root.text_at(&["Container", "ContainerId"])),
            instance_id: owned(instance.text_at(&["InstanceId"])),
            hosting_environment_config: owned(configuration("HostingEnvironmentConfig")),
            shared_config: owned(configuration("SharedConfig")),
            extensions_config: configuration("ExtensionsConfig")
                .ok_or(missing("ExtensionsConfig"))?
                .to_owned(),
            certificates: configuration("Certificates").map(str::to_owned),
            config_name: owned(configuration("ConfigName")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_back() {
        let goal = GoalState {
            incarnation: "7".into(),
            container_id: "c".into(),
            instance_id: "_vm1".into(),
            hosting_environment_config: "http://168.63.129.16/h?a=1&b=2".into(),
            shared_config: "http://168.63.129.16/s".into(),
            extensions_config: "http://168.63.129.16/e".into(),
            certificates: Some("http://168.63.129.16/c".into()),
            config_name: "d.1.xml".into(),
        };
        assert_eq!(GoalState::parse(&goal.to_xml()).expect("own text"), goal);
        let none = GoalState { certificates: None, ..goal };
        assert_eq!(GoalState::parse(&none.to_xml()).expect("own text"), none);
    }

    #[test]
    fn says_what_is_missing() {
        let error = GoalState::parse("<GoalState/>").expect_err("nothing in it");
        assert_eq!(error.to_string(), "the goal state has no RoleInstance");
    }
}
