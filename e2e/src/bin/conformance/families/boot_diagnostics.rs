//! `az vm boot-diagnostics`: the log is the console's own.

use e2e::Client;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "vm boot-diagnostics",
        BOTH,
        World::Vm,
        vec![
            run("vm boot-diagnostics enable -g {g} -n {vm}").then(Shows(
                "vm show -g {g} -n {vm}",
                "/diagnosticsProfile/bootDiagnostics/enabled",
                json!(true),
            )),
            run("vm boot-diagnostics get-boot-log -g {g} -n {vm}").then(Says("systemd")),
            run("vm boot-diagnostics get-boot-log -g {g} -n {vm} -o tsv")
                .given(Guest("echo 'marked by the guest' >/dev/console"))
                .then(Says("marked by the guest")),
            run("vm boot-diagnostics get-boot-log-uris -g {g} -n {vm}")
                .only(&[Client::Az])
                .then(There("/serialConsoleLogBlobUri")),
            run("vm boot-diagnostics disable -g {g} -n {vm}").then(Shows(
                "vm show -g {g} -n {vm}",
                "/diagnosticsProfile/bootDiagnostics/enabled",
                json!(false),
            )),
            fails(1, "vm boot-diagnostics get-boot-log -g {g} -n {vm}"),
            fails(3, "vm boot-diagnostics get-boot-log -g {g} -n {vm}-none"),
        ],
    )
}
