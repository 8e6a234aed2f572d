//! A policy: who has which role where, and what that allows.

use std::collections::HashMap;
use std::sync::Arc;

use super::role::Role;
use crate::store::Assignment;

/// All roles and all assignments, ready to decide.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    roles: HashMap<String, Arc<Role>>,
    /// In the order in which they are shown.
    order: Vec<Arc<Role>>,
    assignments: Vec<Assignment>,
    /// What each principal has: scopes in lower case, and what is granted there.
    held: HashMap<String, Vec<(String, Arc<Role>)>>,
}

/// What a policy says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// It is granted, and so it is on all that is below.
    Whole,
    /// It is granted on something below only.
    Below,
    /// It is not.
    None,
}

impl Policy {
    /// A policy of these roles and assignments.
    pub(crate) fn new(order: Vec<Arc<Role>>, assignments: Vec<Assignment>) -> Self {
        let roles: HashMap<_, _> =
            order.iter().map(|role| (role.id.clone(), Arc::clone(role))).collect();
        let mut held: HashMap<String, Vec<_>> = HashMap::new();
        for assignment in &assignments {
            if let Some(role) = roles.get(&assignment.role) {
                held.entry(assignment.principal.clone())
                    .or_default()
                    .push((normal(&assignment.scope), Arc::clone(role)));
            }
        }
        Self { roles, order, assignments, held }
    }

    /// The role of this GUID.
    pub(crate) fn role(&self, id: &str) -> Option<&Arc<Role>> {
        self.roles.get(&id.to_ascii_lowercase())
    }

    /// All roles, Azure's first.
    pub(crate) fn roles(&self) -> &[Arc<Role>] {
        &self.order
    }

    /// All assignments.
    pub(crate) fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// Whether a principal may do `action` at `scope`, or somewhere below.
    pub(crate) fn judge(&self, principal: &str, action: &str, scope: &str) -> Grant {
        let (action, scope) = (action.to_ascii_lowercase(), normal(scope));
        let mut grant = Grant::None;
        for (held, role) in self.held.get(principal).into_iter().flatten() {
            if covers(held, &scope) {
                if role.grants(&action) {
                    return Grant::Whole;
                }
            } else if covers(&scope, held) && role.grants(&action) {
                grant = Grant::Below;
            }
        }
        grant
    }

    /// Whether a principal may do `action` at `scope`.
    pub(crate) fn allows(&self, principal: &str, action: &str, scope: &str) -> bool {
        self.judge(principal, action, scope) == Grant::Whole
    }

    /// Whether a principal has any role at, above or below `scope`.
    pub(crate) fn knows(&self, principal: &str, scope: &str) -> bool {
        let scope = normal(scope);
        let mut all = self.held.get(principal).into_iter().flatten();
        all.any(|(held, _)| covers(held, &scope) || covers(&scope, held))
    }
}

/// Whether what is given at `above` is given at `below`, both normal.
pub(crate) fn covers(above: &str, below: &str) -> bool {
    below.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A scope as scopes are compared: lower case, no slash at the end.
pub(crate) fn normal(scope: &str) -> String {
    scope.trim_end_matches('/').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const VM: &str = "/subscriptions/S/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1";

    fn with(given: &[(&str, &str, &str)]) -> Policy {
        let roles: Vec<_> = built_in::roles().into_iter().map(Arc::new).collect();
        let find =
            |name: &str| roles.iter().find(|role| role.name == name).unwrap().id.clone();
        let assignments = given
            .iter()
            .map(|(who, role, scope)| Assignment::new("n", scope, &find(role), who))
            .collect();
        Policy::new(roles, assignments)
    }

    #[test]
    fn what_is_given_above_holds_below_and_not_beside() {
        let policy = with(&[("me", "Reader", "/subscriptions/s/resourceGroups/G")]);
        let judge =
            |scope| policy.judge("me", "Microsoft.Compute/virtualMachines/read", scope);
        assert_eq!(judge(VM), Grant::Whole);
        assert_eq!(judge("/subscriptions/s/resourcegroups/g"), Grant::Whole);
        assert_eq!(judge("/subscriptions/s/resourcegroups/g2"), Grant::None);
        assert_eq!(judge("/subscriptions/s"), Grant::Below);
        assert_eq!(
            policy.judge("you", "Microsoft.Compute/virtualMachines/read", VM),
            Grant::None
        );
    }

    #[test]
    fn azures_roles_allow_what_azures_roles_allow() {
        let all = "/subscriptions/s";
        let policy = with(&[
            ("owner", "Owner", all),
            ("contributor", "Contributor", all),
            ("reader", "Reader", all),
            ("vm", "Virtual Machine Contributor", all),
            ("network", "Network Contributor", all),
            ("admin", "User Access Administrator", all),
        ]);
        let reset = "Microsoft.Compute/virtualMachines/extensions/write";
        let rule = "Microsoft.Network/networkSecurityGroups/securityRules/write";
        let give = "Microsoft.Authorization/roleAssignments/write";
        let run = "Microsoft.Compute/virtualMachines/runCommand/action";
        for (who, allowed) in [
            ("owner", [true, true, true, true]),
            ("contributor", [true, true, false, true]),
            ("reader", [false, false, false, false]),
            ("vm", [true, false, false, true]),
            ("network", [false, true, false, false]),
            ("admin", [false, false, true, false]),
        ] {
            let judged = [reset, rule, give, run]
                .map(|action| policy.judge(who, action, VM) == Grant::Whole);
            assert_eq!(judged, allowed, "{who}");
        }
    }

    /// The definition, word by word: some assignment at the scope or above has a
    /// role with a permission one of whose actions matches and none of whose
    /// notActions does.
    fn naive(
        roles: &[(Vec<String>, Vec<String>)],
        given: &[(usize, String)],
        action: &str,
        scope: &str,
    ) -> bool {
        given.iter().any(|(role, held)| {
            let (actions, not_actions) = &roles[*role];
            let here: Vec<&str> = scope.split('/').collect();
            let there: Vec<&str> = held.split('/').collect();
            let above = here.len() >= there.len() && here[..there.len()] == there[..];
            let any = |all: &[String]| all.iter().any(|one| one == "*" || one == action);
            above && any(actions) && !any(not_actions)
        })
    }

    proptest! {
        #[test]
        fn decisions_equal_the_definition(
            roles in prop::collection::vec(
                (prop::collection::vec("\\*|a/x|a/y|b/x", 0..3), prop::collection::vec("a/x|b/x", 0..2)),
                1..4,
            ),
            given in prop::collection::vec((0..4usize, "(/[st]){1,4}"), 0..6),
            action in "a/x|a/y|b/x",
            scope in "(/[st]){1,4}",
        ) {
            let made: Vec<_> = roles.iter().enumerate().map(|(at, (actions, not_actions))| {
                Arc::new(Role::new(&at.to_string(), true, &json!({
                    "roleName": "r", "assignableScopes": ["/"],
                    "permissions": [{ "actions": actions, "notActions": not_actions }],
                })).unwrap())
            }).collect();
            let given: Vec<_> = given.into_iter().filter(|(role, _)| *role < roles.len()).collect();
            let assignments = given.iter()
                .map(|(role, held)| Assignment::new("n", held, &role.to_string(), "me"))
                .collect();
            let judged = Policy::new(made, assignments).judge("me", &action, &scope);
            prop_assert_eq!(judged == Grant::Whole, naive(&roles, &given, &action, &scope));
        }
    }
}
