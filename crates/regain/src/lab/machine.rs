//! The guest of a lab's VM, beside every channel that an operator has.
//!
//! Tests break and inspect guests with it; nothing that repairs may use it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use machine::{Engine, ExecOutput, MachineId, Nspawn};

use super::LabState;
use super::vms::VmName;
use crate::failure::Failure;

/// Runs `argv` as root in the guest of the VM that is meant, for at most `limit`.
pub(crate) async fn exec(
    lab: &LabState,
    vm: &str,
    argv: Vec<String>,
    limit: Duration,
) -> Result<ExecOutput, Failure> {
    let state = lab.dir().to_owned();
    let wanted = vm.to_owned();
    let task = tokio::task::spawn_blocking(move || {
        let (engine, id) = find(&state, &wanted)?;
        engine.exec(&id, &argv, &[], limit).map_err(|error| cannot(&wanted, error))
    });
    task.await
        .unwrap_or_else(|error| Err(Failure::new("the command was lost").because(error)))
}

fn find(state: &Path, wanted: &str) -> Result<(Nspawn, MachineId), Failure> {
    // Neither images nor a keeper are needed to enter a VM that runs.
    let engine = Nspawn::new(state, BTreeMap::new(), Path::new("/nonexistent"))
        .map_err(|error| cannot(wanted, error))?;
    let Ok(meant) = wanted.parse::<VmName>();
    let mut found: Vec<MachineId> = engine
        .list()
        .map_err(|error| cannot(wanted, error))?
        .into_iter()
        .filter(|spec| {
            spec.name
                .split_once('/')
                .is_some_and(|(group, name)| meant.means(group, name))
        })
        .map(|spec| spec.id)
        .collect();
    match found.len() {
        1 => Ok((engine, found.remove(0))),
        0 => Err(Failure::not_found(format!("there is no VM '{wanted}' in the lab"))
            .next("see `regain lab status`")),
        _ => Err(Failure::usage(format!("several VMs are called '{wanted}'"))
            .next("name it as GROUP/NAME")),
    }
}

fn cannot(vm: &str, error: machine::Error) -> Failure {
    let failure = Failure::new(format!("cannot run a command in '{vm}'"));
    match error {
        machine::Error::NotRunning(_) => Failure::new(format!("'{vm}' is not running"))
            .next("start it with `regain vm start`"),
        other => failure.because(other),
    }
}
