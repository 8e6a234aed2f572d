//! Actions: what a request asks for, as in `Microsoft.Compute/virtualMachines/write`.
//!
//! Azure derives an operation's name from its path: after the last `providers` come
//! the namespace and then types and names by turns; the types stay, the names go,
//! and the verb says the rest. A path that ends with a type is a list, or, when it
//! is posted to, an action of that name. So nobody has to keep a list of them.

use crate::app::spelling;

/// What a request does with what its path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// GET, HEAD
    Read,
    /// PUT, PATCH
    Write,
    /// DELETE
    Delete,
    /// POST
    Act,
}

/// The action of a route's template, in Azure's spelling.
pub(crate) fn action_of(template: &str, verb: Verb) -> String {
    let segments: Vec<&str> =
        template.split('/').filter(|part| !part.is_empty()).collect();
    let provider = segments.iter().rposition(|part| *part == "providers");
    let mut action = match provider.and_then(|at| segments.get(at + 1..)) {
        // What a provider itself is told, or says of itself.
        Some([namespace]) if namespace.starts_with('{') => {
            "Microsoft.Resources/subscriptions/providers".to_owned()
        }
        Some([namespace, what]) if namespace.starts_with('{') => format!("*/{what}"),
        Some([namespace, chain @ ..]) => {
            let mut action = spelling::of(namespace).to_owned();
            for kind in chain.iter().step_by(2) {
                action.push('/');
                action.push_str(spelling::of(kind));
            }
            action
        }
        _ => {
            // Subscriptions, groups and what is listed in them.
            let mut action = "Microsoft.Resources".to_owned();
            for kind in segments.iter().step_by(2) {
                action.push('/');
                action.push_str(spelling::of(kind));
            }
            action
        }
    };
    action.push_str(match verb {
        Verb::Read => "/read",
        Verb::Write => "/write",
        Verb::Delete => "/delete",
        Verb::Act => "/action",
    });
    action
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "/subscriptions/{s}/resourcegroups/{g}";

    #[test]
    fn actions_have_azures_names() {
        let compute = format!("{GROUP}/providers/microsoft.compute");
        let vm = format!("{compute}/virtualmachines/{{vm}}");
        let network = format!("{GROUP}/providers/microsoft.network");
        let everywhere = "/subscriptions/{s}/providers";
        for (template, verb, action) in [
            ("/subscriptions/{s}", Verb::Read, "Microsoft.Resources/subscriptions/read"),
            (
                GROUP,
                Verb::Write,
                "Microsoft.Resources/subscriptions/resourceGroups/write",
            ),
            (
                "/subscriptions/{s}/resourcegroups",
                Verb::Read,
                "Microsoft.Resources/subscriptions/resourceGroups/read",
            ),
            (&vm, Verb::Read, "Microsoft.Compute/virtualMachines/read"),
            (
                &format!("{vm}/extensions/{{extension}}"),
                Verb::Write,
                "Microsoft.Compute/virtualMachines/extensions/write",
            ),
            (
                &format!("{vm}/runcommand"),
                Verb::Act,
                "Microsoft.Compute/virtualMachines/runCommand/action",
            ),
            (
                &format!("{vm}/instanceview"),
                Verb::Read,
                "Microsoft.Compute/virtualMachines/instanceView/read",
            ),
            (
                &format!(
                    "{network}/networksecuritygroups/{{nsg}}/securityrules/{{rule}}"
                ),
                Verb::Delete,
                "Microsoft.Network/networkSecurityGroups/securityRules/delete",
            ),
            (
                &format!(
                    "{vm}/providers/microsoft.resourcehealth/availabilitystatuses/{{status}}"
                ),
                Verb::Read,
                "Microsoft.ResourceHealth/availabilityStatuses/read",
            ),
            (
                &format!(
                    "{everywhere}/microsoft.compute/locations/{{l}}/publishers/{{p}}/artifacttypes/vmimage/offers"
                ),
                Verb::Read,
                "Microsoft.Compute/locations/publishers/artifactTypes/offers/read",
            ),
            (
                &format!("{everywhere}/microsoft.insights/eventtypes/management/values"),
                Verb::Read,
                "Microsoft.Insights/eventTypes/values/read",
            ),
        ] {
            assert_eq!(action_of(template, verb), action, "{template}");
        }
    }
}
