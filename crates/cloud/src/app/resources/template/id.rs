//! Ids that templates make: by function, and those of their own resources.

use arm::ResourceId;

/// `resourceId()` and its kin: the id that the texts make.
pub(super) fn of_call(
    function: &str,
    given: &[String],
    deployment: &ResourceId,
) -> Result<String, String> {
    // Scopes come before the type, which is the first text with a slash.
    if function == "extensionresourceid" {
        let (scope, rest) = given.split_first().ok_or("a resource's id is expected")?;
        let (kind, names) = rest.split_first().ok_or("a type is expected")?;
        return Ok(format!("{}{}", scope.trim_end_matches('/'), suffix(kind, names)?));
    }
    let at = given
        .iter()
        .position(|text| text.contains('/'))
        .ok_or("a type such as 'Microsoft.Network/virtualNetworks' is expected")?;
    let (scope, kind, names) = (&given[..at], &given[at], &given[at + 1..]);
    let suffix = suffix(kind, names)?;
    let group = deployment.group().unwrap_or_default();
    let own = deployment.subscription();
    let in_group = |subscription: &str, group: &str| {
        format!("/subscriptions/{subscription}/resourceGroups/{group}{suffix}")
    };
    match (function, scope) {
        ("tenantresourceid", []) => Ok(suffix),
        ("subscriptionresourceid", []) => Ok(format!("/subscriptions/{own}{suffix}")),
        ("subscriptionresourceid", [subscription]) => {
            Ok(format!("/subscriptions/{subscription}{suffix}"))
        }
        ("resourceid", []) => Ok(in_group(own, group)),
        ("resourceid", [group]) => Ok(in_group(own, group)),
        ("resourceid", [subscription, group]) => Ok(in_group(subscription, group)),
        _ => Err("there are too many texts before the type".to_owned()),
    }
}

/// The id of a resource of type `A.B/c/d` with as many names, in the deployment's
/// group.
pub(super) fn of_resource(
    deployment: &ResourceId,
    kind: &str,
    name: &str,
) -> Result<ResourceId, String> {
    let names: Vec<String> = name.split('/').map(str::to_owned).collect();
    let path =
        of_call("resourceid", &[vec![kind.to_owned()], names].concat(), deployment)?;
    ResourceId::parse(&path).map_err(|error| error.to_string())
}

fn suffix(kind: &str, names: &[String]) -> Result<String, String> {
    let (namespace, kinds) = kind
        .trim_matches('/')
        .split_once('/')
        .ok_or_else(|| format!("'{kind}' is not a type"))?;
    let kinds: Vec<&str> = kinds.split('/').collect();
    // A name may hold those of its parents as well.
    let names: Vec<&str> = names.iter().flat_map(|name| name.split('/')).collect();
    if kinds.len() != names.len() {
        return Err(format!(
            "'{kind}' has {} types and '{}' has {} names: as many are expected",
            kinds.len(),
            names.join("/"),
            names.len()
        ));
    }
    let mut suffix = format!("/providers/{namespace}");
    for (kind, name) in kinds.iter().zip(names) {
        suffix += &format!("/{kind}/{name}");
    }
    Ok(suffix)
}

/// Whether `dependsOn` text means a resource: its id, its type and name, or its name.
pub(super) fn means(needed: &str, id: &ResourceId) -> bool {
    let kind = id.resource_type();
    let depth = kind.matches('/').count();
    let mut names: Vec<&str> = id.as_str().rsplit('/').step_by(2).take(depth).collect();
    names.reverse();
    let own_path = id.as_str().rsplit("/providers/").next().unwrap_or_default();
    let needed = needed.trim_end_matches('/');
    needed.eq_ignore_ascii_case(id.as_str())
        || needed.eq_ignore_ascii_case(own_path)
        || needed.eq_ignore_ascii_case(&format!("{kind}/{}", names.join("/")))
        || needed.eq_ignore_ascii_case(&names.join("/"))
}
