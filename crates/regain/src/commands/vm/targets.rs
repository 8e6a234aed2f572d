//! The VMs that a command is about: a group and a name, or `--ids`, which may
//! come from stdin. Every id is read before anything is sent.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Read};

use arm::{Method, ResourceId};
use serde_json::Value;

use crate::api;
use crate::args::vm::{Host, Target};
use crate::failure::Failure;
use crate::session::Session;

/// VMs as they were named, read and not yet looked for.
pub(super) enum Chosen<'a> {
    Named { group: &'a str, name: &'a str },
    Ids(Vec<ResourceId>),
}

impl Chosen<'_> {
    /// Their ids.
    pub(super) fn of(self, session: &Session) -> Result<Vec<ResourceId>, Failure> {
        match self {
            Self::Named { group, name } => Ok(vec![session.vm(group, name)?]),
            Self::Ids(ids) => Ok(ids),
        }
    }
}

/// Reads what `-g`, `-n` and `--ids` say.
pub(super) fn read(target: &Target) -> Result<Chosen<'_>, Failure> {
    chosen("--name", target.group.as_deref(), target.name.as_deref(), &target.ids)
}

/// Reads what `-g`, `--vm-name` and `--ids` say.
pub(super) fn read_host(host: &Host) -> Result<Chosen<'_>, Failure> {
    chosen("--vm-name", host.group.as_deref(), host.vm_name.as_deref(), &host.ids)
}

/// A VM is named by both its group and its name, or by its id. az exits with 1
/// where one of the two is missing.
pub(super) fn chosen<'a>(
    flag: &str,
    group: Option<&'a str>,
    name: Option<&'a str>,
    ids: &[String],
) -> Result<Chosen<'a>, Failure> {
    match (group, name) {
        (Some(group), Some(name)) => Ok(Chosen::Named { group, name }),
        _ if !ids.is_empty() => read_ids(ids).map(Chosen::Ids),
        (group, name) => {
            let missing: Vec<&str> = [(group, "--resource-group"), (name, flag)]
                .into_iter()
                .filter_map(|(value, flag)| value.is_none().then_some(flag))
                .collect();
            Err(Failure::new(format!("({} | --ids) are required", missing.join(" "))))
        }
    }
}

fn read_ids(typed: &[String]) -> Result<Vec<ResourceId>, Failure> {
    if typed != ["-"] {
        return parse(typed.iter().map(|id| (id.as_str(), String::new())));
    }
    let mut text = String::new();
    let mut stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::usage(
            "--ids - reads ids from stdin, and stdin is a terminal",
        )
        .next("pipe the ids into it, one per line"));
    }
    stdin
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage("cannot read ids from stdin").because(error))?;
    listed(&text)
}

/// One id per line; empty lines and what follows a `#` are remarks.
fn listed(text: &str) -> Result<Vec<ResourceId>, Failure> {
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let ids = parse(lines.filter_map(|(at, line)| {
        let id = line.split('#').next().unwrap_or_default().trim();
        (!id.is_empty()).then(|| (id, format!("line {}: ", at + 1)))
    }))?;
    if ids.is_empty() {
        return Err(Failure::usage("there is no id on stdin")
            .next("give one resource id of a VM per line"));
    }
    Ok(ids)
}

/// All that is wrong is said at once. A VM that is named twice is meant once.
fn parse<'a>(
    ids: impl Iterator<Item = (&'a str, String)>,
) -> Result<Vec<ResourceId>, Failure> {
    let mut seen = HashSet::new();
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for (text, place) in ids {
        match vm_id(text) {
            Ok(id) if seen.insert(id.clone()) => good.push(id),
            Ok(_) => {}
            Err(failure) => bad.push(format!("{place}{failure}")),
        }
    }
    if bad.is_empty() {
        return Ok(good);
    }
    Err(Failure::usage(bad.join("\n")).next(
        "an id is /subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/NAME",
    ))
}

/// Reads a VM's id as it was typed.
pub(crate) fn vm_id(text: &str) -> Result<ResourceId, Failure> {
    let id =
        ResourceId::parse(text).map_err(|error| Failure::usage(error.to_string()))?;
    if id.is_type("Microsoft.Compute/virtualMachines") {
        Ok(id)
    } else if id.is_type("Microsoft.Compute/virtualMachineScaleSets/virtualMachines") {
        Err(Failure::usage(format!("'{text}' is an instance of a scale set, not a VM"))
            .next("look at it from outside, by its host and port: `regain diagnose HOST:PORT`"))
    } else {
        Err(Failure::usage(format!("'{text}' is not the id of a VM")))
    }
}

/// POSTs an action to a VM, and waits for its end if told to.
pub(super) async fn act(
    session: Session,
    id: ResourceId,
    action: &'static str,
    version: &'static str,
    wait: bool,
) -> Result<Value, Failure> {
    let (action, query) = action.split_once('?').unwrap_or((action, ""));
    let path = format!("{}&{query}", api::below(&id, action, version));
    let path = path.trim_end_matches('&');
    let operation = session.client.begin(Method::POST, path, None).await?;
    if wait { Ok(operation.wait().await?) } else { Ok(Value::Null) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VM: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/";

    #[test]
    fn ids_come_one_per_line_with_remarks() {
        let text = format!("\u{feff}# mine\n\n {VM}vm1  # first\r\n{VM}vm2\n{VM}VM1\n");
        let names: Vec<String> =
            listed(&text).unwrap().iter().map(|id| id.name().to_owned()).collect();
        assert_eq!(names, ["vm1", "vm2"]);
    }

    #[test]
    fn every_bad_line_is_named() {
        let failure = listed(&format!("{VM}vm1\nvm2\n/subscriptions/s\n")).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        let said = failure.chain();
        assert!(said.starts_with("line 2: 'vm2' is not a resource id"), "{said}");
        assert!(
            said.contains("\nline 3: '/subscriptions/s' is not the id of a VM"),
            "{said}"
        );
        assert_eq!(listed("# nothing\n").unwrap_err().exit_code(), 2);
    }
}
