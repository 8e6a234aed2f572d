//! Resource ids: the paths by which ARM names everything.
//!
//! `/subscriptions/{s}[/resourceGroups/{g}][/providers/{namespace}/{type}/{name}…]…`
//! ARM compares ids without regard to case and prints them as they were first
//! written; so does this type. An extension resource repeats `providers` after
//! the resource that it extends.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a subscription, a resource group or a resource.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId {
    /// The canonical path: a leading slash, no trailing one, `subscriptions`,
    /// `resourceGroups` and `providers` in ARM's spelling.
    path: String,
}

/// A text that is not a resource id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a resource id: {why}")]
pub struct InvalidResourceId {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl ResourceId {
    /// Reads an id. A leading slash may be missing and a trailing one present;
    /// keywords may be spelled in any case.
    pub fn parse(text: &str) -> Result<Self, InvalidResourceId> {
        let invalid = |why| InvalidResourceId { text: text.to_owned(), why };
        let trimmed = text.strip_prefix('/').unwrap_or(text);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        if trimmed.contains(['?', '#', '%', '\\'])
            || trimmed.chars().any(char::is_whitespace)
        {
            return Err(invalid("it has characters that no id has"));
        }
        let mut segments: Vec<&str> = trimmed.split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return Err(invalid("a segment is empty"));
        }
        if !keyword(segments.first(), "subscriptions") {
            return Err(invalid("it does not start with /subscriptions/"));
        }
        if segments.len() < 2 {
            return Err(invalid("the subscription is missing"));
        }
        segments[0] = "subscriptions";

        let mut at = 2;
        if keyword(segments.get(at), "resourceGroups") {
            segments[at] = "resourceGroups";
            at += 2;
            if segments.len() < at {
                return Err(invalid("the resource group's name is missing"));
            }
        }
        while at < segments.len() {
            if !keyword(segments.get(at), "providers") {
                return Err(invalid("'providers' is expected after the scope"));
            }
            segments[at] = "providers";
            let chain_end = segments[at + 1..]
                .iter()
                .position(|segment| segment.eq_ignore_ascii_case("providers"))
                .map_or(segments.len(), |offset| at + 1 + offset);
            // namespace, then pairs of type and name
            let chain = chain_end - at - 1;
            if chain < 3 || chain.is_multiple_of(2) {
                return Err(invalid("a type or a name is missing after the provider"));
            }
            at = chain_end;
        }
        Ok(Self { path: format!("/{}", segments.join("/")) })
    }

    /// The id of a subscription.
    pub fn of_subscription(subscription: &str) -> Result<Self, InvalidResourceId> {
        Self::parse(&format!("/subscriptions/{subscription}"))
    }

    /// The id of a resource group.
    pub fn of_group(subscription: &str, group: &str) -> Result<Self, InvalidResourceId> {
        Self::parse(&format!("/subscriptions/{subscription}/resourceGroups/{group}"))
    }

    /// The id of a resource of the provider `namespace` (`Microsoft.Compute`)
    /// in or on this one.
    pub fn with_resource(
        &self,
        namespace: &str,
        kind: &str,
        name: &str,
    ) -> Result<Self, InvalidResourceId> {
        Self::parse(&format!("{self}/providers/{namespace}/{kind}/{name}"))
    }

    /// The id of a child of this resource (`extensions`, `securityRules`).
    pub fn with_child(&self, kind: &str, name: &str) -> Result<Self, InvalidResourceId> {
        Self::parse(&format!("{self}/{kind}/{name}"))
    }

    /// The id as ARM prints it.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The subscription's id.
    pub fn subscription(&self) -> &str {
        self.segments().nth(1).unwrap_or_default()
    }

    /// The resource group's name; a subscription and what hangs directly on it
    /// have none.
    pub fn group(&self) -> Option<&str> {
        let mut segments = self.segments().skip(2);
        keyword(segments.next().as_ref(), "resourceGroups").then(|| segments.next())?
    }

    /// The last name: of the resource, the group, or the subscription.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The full type, as in `Microsoft.Compute/virtualMachines/extensions`.
    /// Groups and subscriptions have ARM's `Microsoft.Resources/…` types.
    pub fn resource_type(&self) -> String {
        let segments: Vec<&str> = self.segments().collect();
        let Some(provider) =
            segments.iter().rposition(|segment| keyword(Some(segment), "providers"))
        else {
            let kind =
                if self.group().is_some() { "resourceGroups" } else { "subscriptions" };
            return format!("Microsoft.Resources/{kind}");
        };
        let mut kind = segments[provider + 1].to_owned();
        for part in segments[provider + 2..].iter().step_by(2) {
            kind.push('/');
            kind.push_str(part);
        }
        kind
    }

    /// Whether the full type is `kind`, without regard to case.
    pub fn is_type(&self, kind: &str) -> bool {
        self.resource_type().eq_ignore_ascii_case(kind)
    }

    /// What this is in or on: the parent resource, the group, the subscription.
    /// A subscription has no parent.
    pub fn parent(&self) -> Option<Self> {
        let segments: Vec<&str> = self.segments().collect();
        let mut end = segments.len().checked_sub(2)?;
        // After the last type and name, `providers/{namespace}` goes as well.
        if end >= 2 && keyword(segments.get(end - 2), "providers") {
            end -= 2;
        }
        (end >= 2).then(|| Self { path: format!("/{}", segments[..end].join("/")) })
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').skip(1)
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.path.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

fn keyword(segment: Option<&&str>, word: &str) -> bool {
    segment.is_some_and(|segment| segment.eq_ignore_ascii_case(word))
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.path.eq_ignore_ascii_case(&other.path)
    }
}

impl Eq for ResourceId {}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.folded() {
            state.write_u8(byte);
        }
        state.write_u8(0xff);
    }
}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl FromStr for ResourceId {
    type Err = InvalidResourceId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ResourceId {
    type Error = InvalidResourceId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ResourceId> for String {
    fn from(id: ResourceId) -> Self {
        id.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VM: &str = "/subscriptions/s1/resourceGroups/Lab/providers/Microsoft.Compute/virtualMachines/vm1";

    fn id(text: &str) -> ResourceId {
        ResourceId::parse(text).unwrap()
    }

    #[test]
    fn a_vm_knows_its_subscription_group_name_and_type() {
        let vm = id(VM);
        assert_eq!(vm.subscription(), "s1");
        assert_eq!(vm.group(), Some("Lab"));
        assert_eq!(vm.name(), "vm1");
        assert_eq!(vm.resource_type(), "Microsoft.Compute/virtualMachines");
        assert!(vm.is_type("microsoft.compute/virtualmachines"));
    }

    #[test]
    fn parents_lead_up_to_the_subscription() {
        let extension = id(VM).with_child("extensions", "enablevmaccess").unwrap();
        let vm = extension.parent().unwrap();
        assert_eq!(vm.to_string(), VM);
        let group = vm.parent().unwrap();
        assert_eq!(group.to_string(), "/subscriptions/s1/resourceGroups/Lab");
        assert_eq!(group.resource_type(), "Microsoft.Resources/resourceGroups");
        let subscription = group.parent().unwrap();
        assert_eq!(subscription.to_string(), "/subscriptions/s1");
        assert_eq!(subscription.parent(), None);
    }

    #[test]
    fn an_extension_resource_hangs_on_the_resource_that_it_extends() {
        let port =
            id(VM).with_resource("Microsoft.SerialConsole", "serialPorts", "0").unwrap();
        assert_eq!(port.resource_type(), "Microsoft.SerialConsole/serialPorts");
        assert_eq!(port.parent(), Some(id(VM)));
        assert_eq!(port.group(), Some("Lab"));
    }

    #[test]
    fn ids_that_differ_in_case_are_one_id() {
        let shouted = id(&VM.to_uppercase());
        assert_eq!(shouted, id(VM));
        let set = std::collections::HashSet::from([shouted]);
        assert!(set.contains(&id(VM)));
        assert_eq!(id(VM).cmp(&id(&VM.to_lowercase())), std::cmp::Ordering::Equal);
    }

    #[test]
    fn keywords_get_arms_spelling_and_names_keep_theirs() {
        let id = id("subscriptions/S/resourcegroups/G/");
        assert_eq!(id.to_string(), "/subscriptions/S/resourceGroups/G");
    }

    #[test]
    fn a_resource_on_the_subscription_has_no_group() {
        let location =
            id("/subscriptions/s/providers/Microsoft.Compute/locations/westus");
        assert_eq!(location.group(), None);
        assert_eq!(location.parent().unwrap().to_string(), "/subscriptions/s");
    }

    #[test]
    fn what_is_not_an_id_is_refused_with_a_reason() {
        for (text, why) in [
            ("", "empty"),
            ("/subscriptions", "missing"),
            ("/vm1", "/subscriptions/"),
            ("/subscriptions/s/resourceGroups", "missing"),
            ("/subscriptions/s/resourceGroups/g/virtualMachines/vm", "providers"),
            ("/subscriptions/s/providers/Microsoft.Compute/virtualMachines", "missing"),
            ("/subscriptions/s//x", "empty"),
            ("/subscriptions/s?x=1", "characters"),
        ] {
            let error = ResourceId::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
