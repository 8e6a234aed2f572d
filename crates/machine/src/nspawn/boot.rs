//! The command line that boots a VM, and the process that comes of it.

use std::fs;
use std::process::Command;

use crate::fabric::{Fabric, Namespace};
use crate::home::Home;
use crate::nspawn::cgroup;
use crate::process::Process;
use crate::spec::{MachineId, MachineSpec};
use crate::temporary_disk::MOUNT_POINT;

/// nspawn's exit status when the guest rebooted: told to keep its unit, it asks
/// its supervisor to start it again.
pub(crate) const REBOOT: i32 = 133;

/// Where programs are, for the host's nspawn and for commands in the guest.
pub(crate) const PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `systemd-nspawn`, ready to be given a terminal.
///
/// `--register=no` and `--keep-unit` because the host need not run systemd,
/// `--settings=no` because a file in /etc/systemd/nspawn must not change a VM.
/// `CAP_NET_ADMIN` is the guest's over its own network namespace, and nspawn gives
/// it only with a network that nspawn made: without it a guest has no firewall.
pub(crate) fn command(
    home: &Home,
    spec: &MachineSpec,
    fabric: &Fabric,
    namespace: &Namespace,
) -> Command {
    let mut command = Command::new("systemd-nspawn");
    command
        .args(["--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no"])
        .args(["--console=interactive", "--link-journal=no"])
        .args(["--resolv-conf=off", "--timezone=off", "--capability=CAP_NET_ADMIN"])
        .arg(format!("--machine={}", name(fabric, &spec.id)))
        .arg(format!("--hostname={}", spec.hostname))
        .arg(format!("--directory={}", home.merged().display()))
        .arg(format!("--network-namespace-path={}", namespace.path().display()))
        .arg(format!("--bind={}:{MOUNT_POINT}", home.temporary_disk().display()))
        .env_clear()
        .env("PATH", PATH)
        .env("TERM", "vt220")
        .current_dir("/");
    if cgroup::has_v2() {
        // A guest that is given version 1 complains on its console at each boot.
        command.env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1");
    }
    command
}

/// The VM's name for nspawn: unique on the host, at most 64 characters.
pub(crate) fn name(fabric: &Fabric, id: &MachineId) -> String {
    format!("{}-{id}", fabric.slot().name())
}

/// The guest's init: the child of nspawn that is process 1 of a namespace and
/// has become another program than nspawn.
pub(crate) fn leader(nspawn: &Process) -> Option<Process> {
    let is_init = |pid: &u32| {
        let status =
            fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let pids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let inner = pids.and_then(|pids| pids.split_ascii_whitespace().nth(1));
        let program = fs::read_link(format!("/proc/{pid}/exe"));
        inner == Some("1")
            && program.is_ok_and(|program| !program.ends_with("systemd-nspawn"))
    };
    nspawn.children().into_iter().find(is_init).and_then(|pid| Process::of(pid).ok())
}
