//! Why a machine can or cannot be reached, and Resource Health's words for it.

use serde_json::{Map, Value, json};

/// What a machine's availability comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is being made.
    Creating,
    /// It runs and its agent reports.
    Running,
    /// It runs; its agent has not reported since it was started.
    AgentSilent,
    /// It runs; its agent has stopped reporting.
    AgentLost,
    /// It is being started.
    Starting,
    /// It is being restarted.
    Restarting,
    /// It is on its way to another host.
    Redeploying,
    /// It is being stopped.
    Stopping,
    /// It was stopped through this cloud.
    Stopped,
    /// It is being deallocated.
    Deallocating,
    /// It was stopped and deallocated through this cloud.
    Deallocated,
    /// Its own system powered it off.
    ShutDown,
    /// It broke off.
    Crashed,
}

use Cause::*;

/// All of them, with the name under which each is stored.
const NAMES: [(Cause, &str); 13] = [
    (Creating, "Creating"),
    (Running, "Running"),
    (AgentSilent, "AgentSilent"),
    (AgentLost, "AgentLost"),
    (Starting, "Starting"),
    (Restarting, "Restarting"),
    (Redeploying, "Redeploying"),
    (Stopping, "Stopping"),
    (Stopped, "Stopped"),
    (Deallocating, "Deallocating"),
    (Deallocated, "Deallocated"),
    (ShutDown, "ShutDown"),
    (Crashed, "Crashed"),
];

impl Cause {
    /// The stored name.
    pub(super) fn as_str(self) -> &'static str {
        NAMES.iter().find(|(cause, _)| *cause == self).map_or("", |(_, name)| name)
    }

    /// From the stored name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, one)| *one == name).map(|(cause, _)| *cause)
    }

    /// Whether it ends with the operation that makes it.
    pub(super) fn is_passing(self) -> bool {
        matches!(self, Starting | Restarting | Redeploying | Stopping | Deallocating)
    }

    /// `availabilityState`
    pub(super) fn state(self) -> &'static str {
        match self {
            Running => "Available",
            AgentLost => "Degraded",
            AgentSilent | Creating => "Unknown",
            _ => "Unavailable",
        }
    }

    /// Whether nobody asked for it.
    pub(super) fn is_unplanned(self) -> bool {
        matches!(self, AgentLost | Crashed)
    }

    /// `summary`
    pub(super) fn summary(self) -> &'static str {
        match self {
            Running => {
                "There aren't any known platform problems affecting this virtual machine."
            }
            Creating => "This virtual machine is being created.",
            AgentSilent => {
                "This virtual machine runs, but its agent has not reported since it was started: \
                 whether its system is up is not known. Check back in a moment, or read its boot \
                 diagnostics log."
            }
            AgentLost => {
                "This virtual machine runs, but its agent has stopped reporting: its system hangs, \
                 or the agent was stopped. Resets and run commands cannot reach it; its serial \
                 console can."
            }
            Starting => {
                "This virtual machine is starting as requested by an authorized user or process."
            }
            Restarting => {
                "This virtual machine is being restarted as requested by an authorized user or \
                 process."
            }
            Redeploying => {
                "This virtual machine is being redeployed to another host as requested by an \
                 authorized user or process. The data on its temporary disk is lost."
            }
            Stopping => {
                "This virtual machine is stopping as requested by an authorized user or process."
            }
            Stopped => {
                "This virtual machine was stopped as requested by an authorized user or process."
            }
            Deallocating => {
                "This virtual machine is being stopped and deallocated as requested by an \
                 authorized user or process."
            }
            Deallocated => {
                "This virtual machine was stopped and deallocated as requested by an authorized \
                 user or process."
            }
            ShutDown => {
                "This virtual machine was shut down from inside: its own system powered it off."
            }
            Crashed => {
                "This virtual machine's system broke off without shutting down. What it wrote last \
                 is in its boot diagnostics log."
            }
        }
    }

    /// The properties of a status.
    pub(super) fn properties(self) -> Map<String, Value> {
        let (title, reason, context, category, chronicity) = match self {
            Running => {
                ("Available", "", "Not Applicable", "Not Applicable", "Persistent")
            }
            Creating => ("Creating", "", "Unknown", "Unknown", "Transient"),
            AgentSilent => {
                ("Agent not reporting yet", "", "Unknown", "Unknown", "Transient")
            }
            AgentLost => (
                "Agent not reporting",
                "Unplanned",
                "VM Initiated",
                "Unplanned",
                "Transient",
            ),
            Crashed => {
                ("Crashed", "Unplanned", "VM Initiated", "Unplanned", "Persistent")
            }
            ShutDown => (
                "Shut down from inside",
                "UserInitiated",
                "VM Initiated",
                "Not Applicable",
                "Persistent",
            ),
            Stopped | Deallocated => (
                "Stopped by user or process",
                "UserInitiated",
                "Customer Initiated",
                "Not Applicable",
                "Persistent",
            ),
            Starting | Restarting | Redeploying | Stopping | Deallocating => (
                match self {
                    Starting => "Starting",
                    Restarting => "Restarting",
                    Redeploying => "Redeploying",
                    _ => "Stopping by user or process",
                },
                "UserInitiated",
                "Customer Initiated",
                "Not Applicable",
                "Transient",
            ),
        };
        let properties = json!({
            "availabilityState": self.state(),
            "title": title,
            "summary": self.summary(),
            "reasonType": reason,
            "category": category,
            "context": context,
            "reasonChronicity": chronicity,
        });
        properties.as_object().cloned().unwrap_or_default()
    }

    /// `recommendedActions` for the machine named `vm` of a group.
    pub(super) fn actions(self, group: &str, vm: &str) -> Vec<Value> {
        let commands: &[(&str, &str)] = match self {
            Stopped | Deallocated | ShutDown => &[("Start the virtual machine", "start")],
            Crashed => &[
                ("Read the boot diagnostics log", "boot-diagnostics get-boot-log"),
                ("Start the virtual machine", "start"),
            ],
            AgentLost | AgentSilent => &[
                ("Read the boot diagnostics log", "boot-diagnostics get-boot-log"),
                ("Restart the virtual machine", "restart"),
                ("Redeploy the virtual machine to another host", "redeploy"),
            ],
            _ => &[],
        };
        let action = |(what, command): &(&str, &str)| json!({ "action": format!("{what}: az vm {command} -g {group} -n {vm}") });
        commands.iter().map(action).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_stored_under_a_name_of_its_own() {
        for (cause, name) in NAMES {
            assert_eq!((cause.as_str(), Cause::parse(name)), (name, Some(cause)));
        }
    }
}
