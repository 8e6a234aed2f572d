//! Bad input: one clear error, the right exit status, and nothing half-done.

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "errors",
        BOTH,
        World::Group,
        vec![
            fails(1, "rest --method put --url {id}/providers/Microsoft.Compute/\
                      virtualMachines/x?api-version=2024-07-01 --body '[1,2]'")
            .then(Gone("vm show -g {g} -n x")),
            fails(1, "rest --method put --url {id}/providers/Microsoft.Compute/\
                      virtualMachines/x?api-version=2024-07-01 --body '{\"location\":7}'")
            .then(Gone("vm show -g {g} -n x")),
            fails(1, "rest --method put --url {id}/providers/Microsoft.Compute/\
                      virtualMachines/x?api-version=2024-07-01 --body '{\"location\":\"local\"}'")
            .then(Gone("vm show -g {g} -n x")),
            fails(1, "rest --method get --url {id}/providers/Microsoft.Nothing/\
                      things/x?api-version=2024-07-01"),
            fails(1, "rest --method get --url /subscriptions/\
                      00000000-0000-0000-0000-000000000009/resourcegroups\
                      ?api-version=2024-07-01")
            .then(Complains("00000000-0000-0000-0000-000000000009")),
            fails(1, "network vnet create -g {g} -n bad --address-prefixes 10.0.0.0/99"),
            fails(1, "network vnet create -g {g} -n bad --address-prefixes nonsense"),
            fails(1, "rest --method put --url {id}/providers/Microsoft.Network/\
                      networkSecurityGroups/x?api-version=2024-01-01 \
                      --body '{\"location\":\"local\",\"properties\":[]}'")
            .then(Gone("network nsg show -g {g} -n x")),
            fails(1, "rest --method get --url {id}/../../{sub}?api-version=2024-07-01"),
            fails(1, "group create -n 'bad name!' -l local"),
            fails(3, "resource show --ids {id}/providers/Microsoft.Compute/\
                      virtualMachines/nobody")
            .then(Complains("(ResourceNotFound)")),
            run("group show -n {g}"),
            fails(2, "vm list --nonsense"),
            fails(2, "vm nonsense"),
            fails(3, "vm show -g {g} -n nobody").then(Complains("(ResourceNotFound)")),
        ],
    )
}
