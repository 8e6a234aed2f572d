//! What a refusal for want of rights means: which role would allow it.
//!
//! ARM names the action and the scope in its message (`AuthorizationFailed`), but not
//! the role, which is what an operator has to ask for.

use std::error::Error;
use std::fmt;

use crate::why;

/// ARM's refusal, with the role that would do.
#[derive(Debug)]
struct Unauthorized {
    error: arm::Error,
    role: &'static str,
}

impl fmt::Display for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; the role `{}` there allows it", self.error, self.role)
    }
}

impl Error for Unauthorized {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// The error, with the role where one is missing.
pub(super) fn told(error: arm::Error) -> Box<dyn Error + Send + Sync> {
    match action(&error).map(role) {
        Some(role) => Box::new(Unauthorized { error, role }),
        None => Box::new(error),
    }
}

/// The same in one line.
pub(super) fn words(error: arm::Error) -> String {
    why::chain(told(error).as_ref())
}

/// The action that was refused, as in `Microsoft.Network/virtualNetworks/subnets/read`.
fn action(error: &arm::Error) -> Option<&str> {
    let refused = error.arm().filter(|_| error.status() == Some(403))?;
    let (_, rest) = refused.message.split_once("perform action '")?;
    rest.split_once('\'').map(|(action, _)| action)
}

/// The narrowest of Azure's built-in roles that has an action.
fn role(action: &str) -> &'static str {
    let action = action.to_ascii_lowercase();
    match () {
        () if action.ends_with("/read") => "Reader",
        () if action.starts_with("microsoft.compute/") => "Virtual Machine Contributor",
        () if action.starts_with("microsoft.network/") => "Network Contributor",
        () => "Contributor",
    }
}

#[cfg(test)]
mod tests {
    use arm::ArmError;

    use super::*;

    fn refused(status: u16, action: &str) -> arm::Error {
        let message = format!(
            "The client 'me' with object id 'me' does not have authorization to perform \
             action '{action}' over scope '/subscriptions/s' or the scope is invalid."
        );
        arm::Error::Api { status, error: ArmError::new("AuthorizationFailed", message) }
    }

    #[test]
    fn a_refusal_names_the_role_that_would_do() {
        for (action, role) in [
            (
                "Microsoft.Compute/virtualMachines/runCommand/action",
                "Virtual Machine Contributor",
            ),
            ("Microsoft.Network/networkSecurityGroups/write", "Network Contributor"),
            ("Microsoft.Network/virtualNetworks/subnets/read", "Reader"),
        ] {
            let said = words(refused(403, action));
            assert!(said.contains(action) && said.contains(role), "{said}");
        }
        assert!(!words(refused(409, "a/read")).contains("role"));
    }
}
